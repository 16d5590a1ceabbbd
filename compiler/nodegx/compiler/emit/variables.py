"""Variables of a handler, settled once all of its code is there: what nobody reads is not assigned,
what may be missing starts as None, and functions share what their surroundings read.

Every variable of a node is assigned in exactly one statement.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from .reading import MAYBE, VARIABLE
from .syntax import assign

ASSIGNS = "nodegx_assigns"
"""Attribute of an assignment to a node's variable: it goes if nobody reads it. The value says
whether the right side has to be computed all the same."""
REPEATED = "nodegx_repeated"
"""Attribute of a function that may be called again after it failed half-way."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef
Path = tuple[tuple[int, int], ...]
"""Blocks on the way to a statement, outermost first, each with the statement's place in it."""


def settle(handler: Definition) -> None:
    """Settles the variables of a handler, in place."""
    _drop_unread(handler)
    found = _Survey(handler)
    for name in found.order:
        _settle(name, found)
    found.insert()


# ------------------------------------------------------------------------------- unread ones


def _drop_unread(handler: Definition) -> None:
    """Drops assignments nobody reads, again and again as this makes others superfluous."""
    while True:
        read = {
            part.id
            for part in ast.walk(handler)
            if isinstance(part, ast.Name) and getattr(part, VARIABLE, False)
        }
        if not _drop(handler, read):
            return


def _drop(handler: Definition, read: set[str]) -> bool:
    removed = False
    for block in list(_blocks(handler)):
        kept: list[ast.stmt] = []
        for statement in block:
            needed = getattr(statement, ASSIGNS, None)
            if needed is None or _target(statement) in read:
                kept.append(statement)
            elif needed:
                assert isinstance(statement, ast.Assign)
                expression = ast.Expr(statement.value)
                expression.__dict__.update(
                    {k: v for k, v in statement.__dict__.items() if k.startswith("nodegx_")}
                )
                delattr(expression, ASSIGNS)
                kept.append(expression)
            else:
                removed = True
        block[:] = kept or [ast.Pass()]
    return removed


def _target(statement: ast.stmt) -> str:
    assert isinstance(statement, ast.Assign)
    (target,) = statement.targets
    assert isinstance(target, ast.Name)
    return target.id


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Every list of statements below a node, outer ones first."""
    for part in ast.walk(node):
        for field_name in ("body", "orelse", "finalbody"):
            block = getattr(part, field_name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block


# -------------------------------------------------------------------------------- the survey


@dataclass(slots=True)
class _Use:
    """Where a variable is read or assigned."""

    scope: int
    path: Path
    assigned: bool
    maybe: bool


@dataclass(slots=True)
class _Scope:
    """A function; `parent` is the one around it."""

    definition: Definition
    parent: int
    depth: int
    shared: list[str] = field(default_factory=list[str])
    reset: list[str] = field(default_factory=list[str])


class _Survey:
    """All uses of all variables, in the order of the text."""

    def __init__(self, handler: Definition) -> None:
        self.uses: dict[str, list[_Use]] = defaultdict(list)
        self.order: list[str] = []
        self.scopes = [_Scope(handler, -1, 0)]
        self.blocks: dict[int, list[ast.stmt]] = {}
        self.starts: dict[int, dict[int, list[str]]] = defaultdict(dict)
        self._block(handler.body, 0, ())

    def _block(self, block: list[ast.stmt], scope: int, path: Path) -> None:
        self.blocks[id(block)] = block
        for place, statement in enumerate(block):
            self._statement(statement, scope, (*path, (id(block), place)))

    def _statement(self, statement: ast.stmt, scope: int, path: Path) -> None:
        if isinstance(statement, Definition):
            self.scopes.append(_Scope(statement, scope, self.scopes[scope].depth + 1))
            self._block(statement.body, len(self.scopes) - 1, path)
            return
        for child in _own_expressions(statement):
            self._expression(child, scope, path)
        if hasattr(statement, ASSIGNS):
            self._note(_target(statement), _Use(scope, path, True, False))
        for block in _own_blocks(statement):
            self._block(block, scope, path)

    def _expression(self, expression: ast.AST, scope: int, path: Path) -> None:
        for part in ast.walk(expression):
            if isinstance(part, ast.Name) and getattr(part, VARIABLE, False):
                maybe = bool(getattr(part, MAYBE, False))
                self._note(part.id, _Use(scope, path, False, maybe))

    def _note(self, name: str, use: _Use) -> None:
        if name not in self.uses:
            self.order.append(name)
        self.uses[name].append(use)

    def around(self, scopes: set[int]) -> int:
        """The innermost function that holds all of these."""
        found = set(scopes)
        while len(found) > 1:
            deepest = max(found, key=lambda scope: (self.scopes[scope].depth, scope))
            found.discard(deepest)
            found.add(self.scopes[deepest].parent)
        return found.pop()

    def insert(self) -> None:
        """Adds the first assignments and the declarations that were asked for."""
        for block_id, places in self.starts.items():
            block = self.blocks[block_id]
            for place in sorted(places, reverse=True):
                block[place:place] = [_none(name) for name in places[place]]
        for scope in self.scopes:
            body = scope.definition.body
            body[:0] = [_none(name) for name in scope.reset]
            if scope.shared:
                body[:0] = [ast.Nonlocal(sorted(scope.shared))]


def _own_expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    """The expressions of a statement, without those of statements inside it."""
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.match_case):
            if child.guard is not None:
                yield child.guard
        elif not isinstance(child, ast.stmt | ast.ExceptHandler):
            yield child


def _own_blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks right inside a statement, in the order of the text."""
    match statement:
        case ast.If():
            yield statement.body
            yield statement.orelse
        case ast.Try():
            yield statement.body
            for handler in statement.handlers:
                yield handler.body
            yield statement.orelse
            yield statement.finalbody
        case ast.Match():
            for case in statement.cases:
                yield case.body
        case _:
            return


def _none(name: str) -> ast.stmt:
    return assign(name, ast.Constant(None))


# ------------------------------------------------------------------------------ settling one


def _settle(name: str, found: _Survey) -> None:
    uses = found.uses[name]
    assigned = [use for use in uses if use.assigned]
    maybe = any(use.maybe for use in uses)
    home = found.around({use.scope for use in uses})
    for use in assigned:
        if use.scope != home:
            _share(name, use.scope, home, found, maybe=maybe)
    elsewhere = any(use.scope != home for use in assigned)
    if maybe or elsewhere:
        block, place = _first_place([use.path for use in uses])
        found.starts[block].setdefault(place, []).append(name)


def _share(name: str, scope: int, home: int, found: _Survey, *, maybe: bool) -> None:
    """Lets a function assign a variable of one around it."""
    found.scopes[scope].shared.append(name)
    while scope != home:
        definition = found.scopes[scope].definition
        if maybe and getattr(definition, REPEATED, False):
            if name not in found.scopes[scope].shared:
                found.scopes[scope].shared.append(name)
            found.scopes[scope].reset.append(name)
        scope = found.scopes[scope].parent


def _first_place(paths: list[Path]) -> tuple[int, int]:
    """The innermost block that holds all of these places, and where they start in it."""
    first = paths[0]
    depth = 0
    while all(
        len(path) > depth + 1 and path[: depth + 1] == first[: depth + 1] for path in paths
    ) and all(path[depth + 1][0] == first[depth + 1][0] for path in paths):
        depth += 1
    return first[depth][0], min(path[depth][1] for path in paths)
