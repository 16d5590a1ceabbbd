"""How long a regular expression can take: the exponent of its worst case, in the text's length."""

from __future__ import annotations

import importlib
import re
from functools import lru_cache
from typing import Any

_SAMPLE = "".join(map(chr, range(256))) + "ĀſλЖ中٣\u2003\u2028\u212a"
_ALL = (1 << len(_SAMPLE)) - 1
_HIGH = _ALL & ~((1 << 256) - 1)
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
_SINGLE = frozenset({"LITERAL", "NOT_LITERAL", "ANY", "IN", "CATEGORY"})
_UNSUPPORTED = frozenset({"GROUPREF", "GROUPREF_IGNORE", "GROUPREF_EXISTS"})
_MAX_COUNT = 1_000
_COPIES = 6
"""Copies of a repeated part that are followed; more than any degree that is accepted."""
_CATEGORIES = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}


class Ambiguous(Exception):
    """The pattern can take exponential time, or cannot be judged."""


def exponent(pattern: str, flags: int) -> int:
    """The power of the text's length that bounds the time of a search.

    Raises:
        Ambiguous: there is no such bound, or none can be told.
    """
    tree: Any = importlib.import_module("re._parser").parse(pattern, flags)
    walk = _Walk(bool(flags & re.IGNORECASE))
    walk.sequence(tree)
    anchored = bool(tree) and _is_anchor(tree[0]) and not flags & re.MULTILINE
    return walk.degree + (0 if anchored else 1)


def _is_anchor(item: Any) -> bool:
    return str(item[0]) == "AT" and str(item[1]) in {"AT_BEGINNING", "AT_BEGINNING_STRING"}


@lru_cache(maxsize=16)
def _category(name: str) -> int:
    return _mask(re.compile(_CATEGORIES[name]))


def _mask(single: re.Pattern[str]) -> int:
    return sum(1 << index for index, char in enumerate(_SAMPLE) if single.match(char))


def _between(low: int, high: int) -> int:
    inside = sum(1 << index for index, char in enumerate(_SAMPLE) if low <= ord(char) <= high)
    return inside | _HIGH if high > 255 else inside


class _Walk:
    """Follows a pattern from left to right.

    `open` are the character sets of the repeats that could still take the next character as well.
    A mandatory character outside such a set ends it. `degree` is the greatest number of repeats
    that were open for the same characters at one time.
    """

    def __init__(self, ignore_case: bool) -> None:
        self.degree = 0
        self.open: list[int] = []
        self._ignore_case = ignore_case

    def sequence(self, items: Any) -> None:
        """Follows the elements of a sequence."""
        for op, argument in items:
            name = str(op)
            if name in _SINGLE:
                self._take(self._chars(name, argument))
            elif name == "SUBPATTERN":
                self.sequence(argument[-1])
            elif name == "ATOMIC_GROUP":
                self.sequence(argument)
            elif name == "BRANCH":
                self._branch(argument[1])
            elif name in _REPEATS:
                self._repeat(*argument)
            elif name in {"ASSERT", "ASSERT_NOT"}:
                self._aside(argument[1])
            elif name in _UNSUPPORTED:
                raise Ambiguous("it refers back to a group")

    def _take(self, mask: int) -> None:
        """A mandatory character."""
        self.open = [taken for taken in self.open if taken & mask]

    def _loop(self, mask: int) -> None:
        """A repeat of characters of a set."""
        self.open.append(mask)
        competing = sum(1 for taken in self.open if taken & mask)
        self.degree = max(self.degree, competing)

    def _branch(self, alternatives: Any) -> None:
        before = self.open
        after: list[int] = []
        for alternative in alternatives:
            self.open = list(before)
            self.sequence(alternative)
            after.extend(taken for taken in self.open if taken not in after)
        self.open = after
        if self._overlap(alternatives):
            self._loop(self._any_of(alternatives))

    def _overlap(self, alternatives: Any) -> bool:
        seen = 0
        for alternative in alternatives:
            starts = self._first(alternative)
            if seen & starts:
                return True
            seen |= starts
        return False

    def _aside(self, items: Any) -> None:
        before = self.open
        self.open = []
        self.sequence(items)
        self.open = before

    def _repeat(self, low: int, high: int, body: Any) -> None:
        most = int(high)
        if low == most:
            if most > _MAX_COUNT:
                raise Ambiguous(f"it repeats more than {_MAX_COUNT} times")
            for _ in range(min(most, _COPIES)):
                self.sequence(body)
            return
        if most == 1:
            self._optional(body)
            return
        mask = self._all_chars(body)
        if not self._is_single(body):
            self._check_body(body)
        if low > 0:
            self._take(mask)
        self._loop(mask)

    def _optional(self, body: Any) -> None:
        before = list(self.open)
        self.sequence(body)
        self.open = before + [taken for taken in self.open if taken not in before]
        self._loop(self._all_chars(body))

    def _check_body(self, body: Any) -> None:
        """The body of a repeat must read any text in one way only, also when it follows itself."""
        if body.getwidth()[0] == 0:
            raise Ambiguous("what it repeats can be empty")
        inner = _Walk(self._ignore_case)
        inner.sequence(body)
        inner.sequence(body)
        if inner.degree > 1:
            raise Ambiguous("it repeats what is itself repeated; separate them by a character")
        self._check_choices(body)

    def _check_choices(self, items: Any) -> None:
        for op, argument in items:
            name = str(op)
            if name == "BRANCH":
                if self._overlap(argument[1]):
                    raise Ambiguous("alternatives that it repeats can start alike")
                for alternative in argument[1]:
                    self._check_choices(alternative)
            elif name == "SUBPATTERN":
                self._check_choices(argument[-1])
            elif name == "ATOMIC_GROUP":
                self._check_choices(argument)
            elif name in {"ASSERT", "ASSERT_NOT"}:
                raise Ambiguous("it looks around inside a repeat")
            elif name in _REPEATS:
                self._check_choices(argument[2])

    def _is_single(self, body: Any) -> bool:
        return len(body) == 1 and str(body[0][0]) in _SINGLE

    def _first(self, items: Any) -> int:
        """The characters a sequence can start with; all of them if it can be empty."""
        mask = 0
        for op, argument in items:
            name = str(op)
            if name in _SINGLE:
                return mask | self._chars(name, argument)
            if name == "SUBPATTERN":
                inner = argument[-1]
            elif name == "ATOMIC_GROUP":
                inner = argument
            elif name == "BRANCH":
                return mask | self._any_of(argument[1])
            elif name in _REPEATS:
                mask |= self._first(argument[2])
                if int(argument[0]) > 0:
                    return mask
                continue
            else:
                continue
            mask |= self._first(inner)
            if inner.getwidth()[0] > 0:
                return mask
        return _ALL

    def _any_of(self, alternatives: Any) -> int:
        mask = 0
        for alternative in alternatives:
            mask |= self._first(alternative)
        return mask

    def _all_chars(self, items: Any) -> int:
        """Every character that can be anywhere in a sequence."""
        mask = 0
        for op, argument in items:
            name = str(op)
            if name in _SINGLE:
                mask |= self._chars(name, argument)
            elif name == "SUBPATTERN":
                mask |= self._all_chars(argument[-1])
            elif name == "ATOMIC_GROUP":
                mask |= self._all_chars(argument)
            elif name == "BRANCH":
                for alternative in argument[1]:
                    mask |= self._all_chars(alternative)
            elif name in _REPEATS:
                mask |= self._all_chars(argument[2])
            elif name in _UNSUPPORTED:
                raise Ambiguous("it refers back to a group")
        return mask

    def _chars(self, name: str, argument: Any) -> int:
        if name == "ANY":
            return _ALL
        if name == "LITERAL":
            return self._literal(argument)
        if name == "NOT_LITERAL":
            return _ALL & ~self._literal(argument) | _HIGH
        if name == "CATEGORY":
            return _category(str(argument))
        mask = 0
        negate = False
        for op, value in argument:
            kind = str(op)
            if kind == "NEGATE":
                negate = True
            elif kind == "RANGE":
                mask |= self._folded(_between(*value))
            else:
                mask |= self._chars(kind, value)
        return _ALL & ~mask | _HIGH if negate else mask

    def _literal(self, code: int) -> int:
        return self._folded(_between(code, code))

    def _folded(self, mask: int) -> int:
        if not self._ignore_case:
            return mask
        chars = {char for index, char in enumerate(_SAMPLE) if mask >> index & 1}
        both = {other for char in chars for other in (char.lower(), char.upper(), char)}
        return mask | sum(1 << index for index, char in enumerate(_SAMPLE) if char in both)
