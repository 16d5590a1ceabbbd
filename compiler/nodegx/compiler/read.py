"""The first stage: a file becomes JSON data that is safe to handle.

JSON allows more than a workflow should hold: keys that stand twice, numbers without bounds,
nesting without end. All of that is refused here, so that no later stage meets it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final, cast

from .diagnostics import Diagnostic, DiagnosticError, Pointer, quoted
from .source import Source
from .syntax_hints import explain

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_TEXT: Final = 1024 * 1024
"""Characters of one string."""
MAX_DEPTH: Final = 100
MAX_FINDINGS: Final = 200
MAX_INTEGER: Final = 2**63 - 1

_TOKEN: Final = re.compile(r'["\[\]{},]|[^\s"\[\]{},:]+')
_STRING_REST: Final = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SUSPICIOUS: Final = re.compile(r"[0-9]{19}|[0-9][eE]\+?[0-9]{3}|\\u[dD][89a-fA-F]")
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_ENCODINGS: Final = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


def read(path: Path) -> Source:
    """Reads a JSON file.

    Args:
        path: the file; UTF-8, with or without a byte order mark, at most 16 MiB.

    Raises:
        DiagnosticError: it cannot be read, is not JSON, or goes beyond the limits above.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise DiagnosticError(
            [Diagnostic("NX101", f"the file cannot be read: {reason.lower()}", file=path)]
        ) from None
    return parse(content, path)


def parse(content: bytes | str, path: Path | None = None) -> Source:
    """Parses JSON that has been read already.

    Args:
        content: the document.
        path: the file to name in findings.

    Raises:
        DiagnosticError: see `read`.
    """
    text = content if isinstance(content, str) else _decode(content, path)
    if not text.isascii() or len(text) > MAX_BYTES:
        _check_size(text, path)
    return Source(path, text, _load(text, path))


def _decode(content: bytes, path: Path | None) -> str:
    if len(content) > MAX_BYTES:
        raise _too_large(path)
    for mark, name in _ENCODINGS.items():
        if content.startswith(mark):
            raise _wrong_encoding(path, f"the file is {name}, not UTF-8")
    if content[:4].count(0) >= 2:
        raise _wrong_encoding(path, "the file is UTF-16 or binary, not UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        before = content[: exc.start].decode("utf-8-sig", "replace")
        line, column = Source(path, before, None).position(len(before))
        message = f"byte 0x{content[exc.start]:02x} is not UTF-8"
        raise _wrong_encoding(path, message, line, column) from None


def _wrong_encoding(
    path: Path | None, message: str, line: int = 1, column: int = 1
) -> DiagnosticError:
    hint = "save the file as UTF-8"
    return DiagnosticError(
        [Diagnostic("NX103", message, hint=hint, file=path, line=line, column=column)]
    )


def _check_size(text: str, path: Path | None) -> None:
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise _too_large(path)


def _too_large(path: Path | None) -> DiagnosticError:
    message = f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB"
    hint = "keep data out of workflows: read it with a node when the workflow runs"
    return DiagnosticError([Diagnostic("NX102", message, hint=hint, file=path, line=1, column=1)])


def _load(text: str, path: Path | None) -> Any:
    """The data, and a second, slower look at the text where anything calls for one."""
    suspicious = _SUSPICIOUS.search(text) is not None

    def make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal suspicious
        members = dict(pairs)
        if len(members) != len(pairs):
            suspicious = True
        return members

    def no_constant(_name: str) -> None:
        nonlocal suspicious
        suspicious = True

    source = Source(path, text, None)
    try:
        data = json.loads(text, object_pairs_hook=make_object, parse_constant=no_constant)
    except json.JSONDecodeError as exc:
        index, message, hint = explain(text, exc)
        line, column = source.position(index)
        found = Diagnostic("NX104", message, hint=hint, line=line, column=column)
        raise _refusal(source, found) from None
    except RecursionError:
        raise _too_deep(source) from None
    except ValueError:  # an integer of more digits than Python converts
        data, suspicious = None, True
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(data):
        raise _too_deep(source)
    suspicious = suspicious or (len(text) > MAX_TEXT and _has_long_text(data))
    if suspicious and (faults := list(islice(_inspect(source), MAX_FINDINGS))):
        raise DiagnosticError(source.resolve(faults))
    return data


def _refusal(source: Source, found: Diagnostic) -> DiagnosticError:
    return DiagnosticError(source.resolve([found]))


def _tokens(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and text of each token; strings come as their opening quote. Ends at a string
    that is never closed."""
    index = 0
    while (match := _TOKEN.search(text, index)) is not None:
        index = match.end()
        if match[0] == '"':
            rest = _STRING_REST.match(text, index)
            if rest is None:
                return
            index = rest.end()
        yield match.start(), index, match[0]


def _is_deep(data: Any) -> bool:
    """Whether containers are nested beyond the limit."""
    level = _containers([data])
    for _ in range(MAX_DEPTH):
        if not level:
            return False
        level = [
            inner
            for container in level
            for inner in _containers(
                container.values() if isinstance(container, dict) else container
            )
        ]
    return bool(level)


def _has_long_text(data: Any) -> bool:
    """Whether any string, quotes included, is beyond the limit."""
    pending: list[Any] = [data]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            if len(value) + 2 > MAX_TEXT:
                return True
        elif isinstance(value, dict):
            members = cast("dict[str, Any]", value)
            pending += members
            pending += members.values()
        elif isinstance(value, list):
            pending += cast("list[Any]", value)
    return False


def _containers(values: Iterable[Any]) -> list[dict[str, Any] | list[Any]]:
    return [value for value in values if isinstance(value, dict | list)]


def _too_deep(source: Source) -> DiagnosticError:
    """The finding about the first container beyond the limit."""
    depth = place = 0
    for start, _, lexeme in _tokens(source.text):
        depth += (lexeme in "[{") - (lexeme in "]}")
        if depth > MAX_DEPTH:
            place = start
            break
    message = f"objects and lists are nested more than {MAX_DEPTH} deep"
    return _refusal(source, _at(source, place, "NX107", message, "", ()))


class _Container:
    """An object or list that is being read, and the place reached in it."""

    def __init__(self, opening: str) -> None:
        self.is_object = opening == "{"
        self.keys: set[str] = set()
        self.step: str | int = "" if self.is_object else 0
        self.at_key = self.is_object

    def next(self) -> None:
        """Goes behind a comma."""
        if isinstance(self.step, int):
            self.step += 1
        else:
            self.at_key = True


def _inspect(source: Source) -> Iterator[Diagnostic]:
    """What is wrong with a document that parses but is not safe to use."""
    text = source.text
    stack: list[_Container] = []
    for start, end, lexeme in _tokens(text):
        if lexeme in "[{":
            stack.append(_Container(lexeme))
        elif lexeme in "]}":
            stack.pop()
        elif lexeme == ",":
            stack[-1].next()
        elif lexeme == '"' and stack and stack[-1].at_key:
            yield from _inspect_key(source, stack, start, end)
        else:
            pointer = tuple(container.step for container in stack)
            found = _text_finding(text[start:end]) if lexeme == '"' else _number_finding(lexeme)
            if found is not None:
                code, message, hint = found
                yield _at(source, start, code, message, hint, pointer)


def _at(
    source: Source, index: int, code: str, message: str, hint: str, pointer: Pointer
) -> Diagnostic:
    line, column = source.position(index)
    return Diagnostic(code, message, pointer, hint, line=line, column=column)


def _inspect_key(
    source: Source, stack: list[_Container], start: int, end: int
) -> Iterator[Diagnostic]:
    container = stack[-1]
    key = cast("str", json.loads(source.text[start:end]))
    container.step, container.at_key = key, False
    pointer = tuple(entry.step for entry in stack)
    if (found := _text_finding(source.text[start:end])) is not None:
        code, message, hint = found
        yield _at(source, start, code, message, hint, pointer[:-1])
    if key in container.keys:
        message = f"the key {quoted(key)} stands twice in the same object"
        hint = "remove one of them: only the last would count"
        yield _at(source, start, "NX105", message, hint, pointer)
    container.keys.add(key)


def _text_finding(raw: str) -> tuple[str, str, str] | None:
    if len(raw) > MAX_TEXT and len(json.loads(raw)) + 2 > MAX_TEXT:
        message = f"this text has more than {MAX_TEXT:,} characters"
        return "NX108", message, "keep data out of workflows: read it with a node"
    if "\\u" in raw:
        text = cast("str", json.loads(raw))
        if any("\ud800" <= character <= "\udfff" for character in text):
            return "NX109", "this text holds one half of a surrogate pair", "write both halves"
    return None


def _number_finding(lexeme: str) -> tuple[str, str, str] | None:
    if lexeme in {"NaN", "Infinity", "-Infinity"}:
        return "NX106", f"{lexeme} is not JSON", "use null, or a number"
    if _NUMBER.fullmatch(lexeme) is None:
        return None
    is_integer = lexeme.lstrip("-").isdigit()
    if is_integer and (len(lexeme) > 20 or abs(int(lexeme)) > MAX_INTEGER):
        return "NX106", "this integer does not fit into 64 bits", "write it as a text"
    if not is_integer and abs(float(lexeme)) == float("inf"):
        return "NX106", "this number is too large", "write it as a text"
    return None
