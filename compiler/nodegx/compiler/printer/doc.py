"""Documents: text with places where lines may break, and the engine that decides.

A group prints on one line if it fits, otherwise each of its own line breaks is taken. What makes
the result look like Python rather than Lisp are documents whose shape depends on another group:
parentheses that appear only if their content breaks, and brackets that may open up without those
parentheses having to appear.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from typing import NamedTuple

WIDTH = 100
INDENT = 4


class Break(Enum):
    """A place for a line break, and what stands there without it."""

    SOFT = ""
    SPACE = " "
    HARD = "\n"


SOFT, SPACE, HARD = Break.SOFT, Break.SPACE, Break.HARD

_ids = count(1)


def new_id() -> int:
    """A name for a group, so that other documents can depend on it."""
    return next(_ids)


@dataclass(frozen=True, slots=True)
class Group:
    """Breaks as a whole or not at all."""

    content: Doc
    id: int | None = None


@dataclass(frozen=True, slots=True)
class GroupIfBroken:
    """A group if the group `id` is broken, otherwise part of what is around it."""

    content: Doc
    id: int


@dataclass(frozen=True, slots=True)
class IfBroken:
    """One of two documents; depends on the group `id`, or on the one around it."""

    broken: Doc
    flat: Doc = ""
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Indent:
    """Lines that begin inside are indented; with an `id`, only if that group is broken."""

    content: Doc
    id: int | None = None


@dataclass(frozen=True, slots=True)
class MayExpand:
    """Content that may take several lines without breaking the group `id` around it."""

    content: Doc
    id: int


@dataclass(frozen=True, slots=True)
class Wrap:
    """Content in parentheses of its own lines, but only if that makes it fit."""

    content: Doc
    id: int


Doc = str | Break | Group | GroupIfBroken | IfBroken | Indent | MayExpand | Wrap | tuple["Doc", ...]


def block(opening: str, content: Doc, closing: str) -> Doc:
    """Brackets whose content is indented on lines of its own if they break."""
    return (opening, Indent((SOFT, content)), SOFT, closing)


def join(items: Sequence[Doc], separator: Doc = (",", SPACE)) -> tuple[Doc, ...]:
    """Items with a separator between them."""
    joined: list[Doc] = []
    for item in items:
        joined += [separator, item] if joined else [item]
    return tuple(joined)


_FLAT = False
_BROKEN = True


class _Task(NamedTuple):
    """A document to print. Two flags matter to measuring only: `all_lines` must fit, not just the
    first one; if it is `loose`, what is too long on further lines cannot be helped."""

    indent: int
    mode: bool
    doc: Doc
    all_lines: bool = False
    loose: bool = False

    def on(self, doc: Doc) -> _Task:
        """The same for a part of the document."""
        return _Task(self.indent, self.mode, doc, self.all_lines, self.loose)


@dataclass(slots=True)
class _Engine:
    column: int = 0
    out: list[str] = field(default_factory=list[str])
    modes: dict[int, bool] = field(default_factory=dict[int, bool])
    measured: bool = False  # the group around was found to fit, up to the next line break
    tasks: list[_Task] = field(default_factory=list[_Task])

    def print(self, doc: Doc, indent: int) -> str:
        self.column = indent
        self.tasks.append(_Task(indent, _BROKEN, doc))
        while self.tasks:
            task = self.tasks.pop()
            match task.doc:
                case str():
                    self.out.append(task.doc)
                    self.column += len(task.doc)
                case Break():
                    self._break(task)
                case Group(content, id):
                    self._group(task.on(content), id)
                case GroupIfBroken(content, id):
                    if self.modes[id]:
                        self._group(task.on(content), None)
                    else:
                        self.tasks.append(task.on(content))
                case MayExpand(content, id):
                    if self.modes[id] is _FLAT:
                        self.measured = False
                    self.tasks.append(task.on(content))
                case Wrap():
                    self._wrap(task, task.doc)
                case _:
                    self.tasks.extend(self._simple(task))
        return "".join(self.out)

    def _simple(self, task: _Task) -> Iterator[_Task]:
        """The parts of a document that printing and measuring treat alike, last one first."""
        match task.doc:
            case tuple():
                for part in reversed(task.doc):
                    yield task.on(part)
            case IfBroken(broken, flat, id):
                mode = task.mode if id is None else self.modes[id]
                yield task.on(broken if mode else flat)
            case Indent(content, id):
                indented = id is None or self.modes[id]
                indent = task.indent + INDENT * indented
                yield task.on(content)._replace(indent=indent)
            case _:
                raise TypeError(f"not a document: {task.doc!r}")

    def _break(self, task: _Task) -> None:
        if task.mode is _FLAT and task.doc is not HARD:
            text = SPACE.value if task.doc is SPACE else ""
            self.out.append(text)
            self.column += len(text)
            return
        self.out.append("\n" + " " * task.indent)
        self.column = task.indent
        self.measured = False

    def _group(self, task: _Task, id: int | None) -> None:
        self.tasks.append(task._replace(mode=self._mode(task, id)))

    def _mode(self, task: _Task, id: int | None) -> bool:
        """Whether a group breaks."""
        mode = _FLAT
        if task.mode is not _FLAT or not self.measured:
            self.measured = True
            if id is not None:
                self.modes[id] = _FLAT
            mode = not self._fits(task._replace(mode=_FLAT))
        if id is not None:
            self.modes[id] = mode
        return mode

    def _wrap(self, task: _Task, doc: Wrap) -> None:
        content = _Task(task.indent, _FLAT, doc.content)
        if self._mode(task.on(doc.content), doc.id) is _BROKEN:
            lines: Doc = ("(", Indent((HARD, doc.content)), HARD, ")")
            if self._fits(_Task(task.indent, _BROKEN, lines, all_lines=True)):
                content = _Task(task.indent, _BROKEN, lines)
            else:
                self.modes[doc.id] = _FLAT
        self.tasks.append(content)

    def _fits(self, first: _Task) -> bool:
        """Whether a document fits on the line, together with what follows up to a line break."""
        queue = [first]
        rest = len(self.tasks)
        column = self.column
        further = False  # whether the first line has ended
        while queue or rest:
            if queue:
                task = queue.pop()
            else:
                rest -= 1
                task = self.tasks[rest]
            match task.doc:
                case str():
                    column += len(task.doc)
                    if column > WIDTH and not (task.loose and further):
                        return False
                case Break():
                    if task.mode is _BROKEN or task.doc is HARD:
                        if not task.all_lines:
                            return True
                        column = task.indent
                        further = True
                    else:
                        column += len(task.doc.value)
                case Group(content, id):
                    if id is not None:
                        self.modes[id] = task.mode
                    queue.append(task.on(content))
                case Wrap(content, id):
                    self.modes[id] = task.mode
                    queue.append(task.on(content))
                case GroupIfBroken(content):
                    queue.append(task.on(content))
                case MayExpand(content, id):
                    if task.mode is _FLAT and self.modes[id] is _FLAT:
                        queue.append(
                            _Task(task.indent, _BROKEN, content, all_lines=True, loose=True)
                        )
                    else:
                        queue.append(task.on(content))
                case _:
                    queue.extend(self._simple(task))
        return True


def render(doc: Doc, indent: int = 0) -> str:
    """The text of a document that starts at column `indent`."""
    flat = render_flat(doc)
    return flat if indent + len(flat) <= WIDTH else _Engine().print(doc, indent)


def render_flat(doc: Doc) -> str:
    """The text of a document without any line break."""
    match doc:
        case str():
            return doc
        case tuple():
            return "".join([render_flat(part) for part in doc])
        case Break():
            return doc.value
        case IfBroken():
            return render_flat(doc.flat)
        case _:
            return render_flat(doc.content)
