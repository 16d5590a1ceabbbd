"""Regular expressions whose time is bounded.

Python's engine backtracks: a pattern like `(a+)+$` takes exponential time on a short text. A
pattern is taken apart before it is used. Repeats inside repeats must be told apart by what
separates them; and the more repeats can compete for the same characters, the shorter the text may
be.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from .kinds import string, whole
from .limits import MAX_SIZE, check_size, too_large, wrong

MAX_PATTERN = 500
"""Characters of a pattern."""
_MAX_TEXT = {0: MAX_SIZE, 1: MAX_SIZE, 2: 20_000, 3: 700, 4: 150}
"""Characters of the text by the exponent of the worst case."""
_MAX_MATCHES = 100_000
_GROUP = re.compile(r"\\(?:(\d{1,2})|g<(\w+)>|(\\))", re.ASCII)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> tuple[re.Pattern[str], int]:
    if len(pattern) > MAX_PATTERN:
        raise wrong(f"a pattern has at most {MAX_PATTERN} characters")
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise wrong(f"{pattern[:60]!r} is not a regular expression: {error}") from None
    from .backtracking import Ambiguous, exponent

    try:
        worst = exponent(pattern, compiled.flags)
    except Ambiguous as error:
        raise wrong(f"the pattern {pattern[:60]!r} can take too long: {error}") from None
    if worst not in _MAX_TEXT:
        raise wrong(f"the pattern {pattern[:60]!r} can take too long: it has too many repeats")
    return compiled, _MAX_TEXT[worst]


def _prepare(value: Any, pattern: Any, function: str) -> tuple[str, re.Pattern[str]]:
    content = string(value, function)
    compiled, longest = _compiled(string(pattern, function))
    if len(content) > longest:
        raise too_large(
            f"{function}(): the text has {len(content):,} characters, this pattern could take too"
            f" long above {longest:,}",
            "anchor the pattern with ^, or use fewer repeats",
        )
    return content, compiled


def matches(value: Any, pattern: Any) -> bool:
    """Whether the pattern matches anywhere in the text."""
    content, compiled = _prepare(value, pattern, "matches")
    return compiled.search(content) is not None


def extract(value: Any, pattern: Any, group: Any = None) -> str | None:
    """The first match: the group of that number or name, the first group, or all of it."""
    content, compiled = _prepare(value, pattern, "extract")
    match = compiled.search(content)
    if match is None:
        return None
    if group is None:
        return match.group(1 if compiled.groups else 0)
    try:
        return match.group(group if isinstance(group, str) else whole(group, "extract"))
    except IndexError:
        raise wrong(f"the pattern has no group {group}") from None


def extract_all(value: Any, pattern: Any) -> list[Any]:
    """Every match: all of it, its only group, or the list of its groups."""
    content, compiled = _prepare(value, pattern, "extractAll")
    found: list[Any] = []
    for match in compiled.finditer(content):
        groups = list(match.groups())
        found.append(groups if len(groups) > 1 else match.group(len(groups)))
        if len(found) > _MAX_MATCHES:
            raise too_large(f"extractAll() found more than {_MAX_MATCHES:,} matches")
    return found


def replace_pattern(value: Any, pattern: Any, new: Any) -> str:
    r"""Every match replaced; `\1` or `\g<name>` in the replacement is a group."""
    content, compiled = _prepare(value, pattern, "replacePattern")
    parts = _replacement(string(new, "replacePattern"))
    size = len(content)

    def expand(match: re.Match[str]) -> str:
        nonlocal size
        try:
            filled = [part if is_text else match[part] or "" for is_text, part in parts]
        except IndexError:
            raise wrong("replacePattern(): the pattern has no such group") from None
        size += sum(map(len, filled))
        check_size(size)
        return "".join(filled)

    return compiled.sub(expand, content)


def _replacement(new: str) -> list[tuple[bool, Any]]:
    """The texts (True) and groups (False) of a replacement."""
    parts: list[tuple[bool, Any]] = []
    end = 0
    for found in _GROUP.finditer(new):
        number, name, literal = found.groups()
        parts.append((True, new[end : found.start()] + (literal or "")))
        if literal is None:
            parts.append((False, int(number) if number else name))
        end = found.end()
        if len(parts) > MAX_PATTERN:
            raise too_large(f"a replacement has at most {MAX_PATTERN // 2} groups")
    return [*parts, (True, new[end:])]
