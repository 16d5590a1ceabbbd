"""Finds where an expression ends, before Python's parser sees it.

The scanner knows strings, brackets and the operators of other languages. It guarantees to the
parser: brackets are balanced and not deep, there is one line, no comment, no control character,
and every identifier is what it looks like.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from .errors import ExpressionError

MAX_LENGTH = 8_000
"""Characters in one expression."""
MAX_BRACKETS = 40
"""Brackets open at one time."""

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<string>(?P<prefix>[^\W\d]{0,3})(?P<quote>'{3}|"{3}|'|"))
  | (?P<word>[^\W\d]\w*)
  | (?P<number>\d[\w.]*)
  | (?P<compare>[=!<>]=(?!=))
  | (?P<habit>===|!==|&&|\|\||\?\?|\?\.|=>|:=|->|/\*|\.\.\.|<>|!(?!=)|[?;`\#@$\\])
  | (?P<bracket>[()\[\]{}])
  | (?P<other>[\s\S])
    """,
    re.VERBOSE,
)
_PAIRS = {")": "(", "]": "[", "}": "{"}
_PREFIXES = frozenset({"", "r", "f", "rf", "fr"})

_HABITS: dict[str, tuple[str, str]] = {
    "=": ("`=` does not compare", "write `==`"),
    "===": ("`===` is not an operator here", "write `==`"),
    "!==": ("`!==` is not an operator here", "write `!=`"),
    "&&": ("`&&` is not an operator here", "write `and`"),
    "||": ("`||` is not an operator here", "write `or`, or coalesce(a, b) for a default"),
    "??": ("`??` is not an operator here", "write coalesce(a, b)"),
    "?.": ("`?.` is not an operator here", 'write get(value, "path.to.key")'),
    "?": ("`?` is not an operator here", "write `a if condition else b`"),
    "!": ("`!` is not an operator here", "write `not`"),
    "=>": ("functions cannot be written here", "write a comprehension: [x.name for x in items]"),
    "->": ("`->` is not an operator here", "read keys with a dot: order.body"),
    ":=": ("names cannot be assigned here", "use a data.value node for intermediate values"),
    "<>": ("`<>` is not an operator here", "write `!=`"),
    "/*": ("comments are not allowed in expressions", "use the node's notes"),
    "#": ("comments are not allowed in expressions", "use the node's notes"),
    "...": ("`...` is not allowed here", "write a + b for arrays, merge(a, b) for objects"),
    ";": ("one parameter holds one expression", "remove the `;`"),
    "`": ("text cannot be quoted with backticks", 'write f"… {value} …"'),
    "@": ("`@` is not an operator here", 'write get(value, "@key") for a key with an @'),
    "$": ("names do not start with `$`", "write the node's id, as in order.body.total"),
    "\\": ("a backslash is only allowed inside quotes", "remove it"),
}


@dataclass(frozen=True, slots=True)
class Scanned:
    """`source` is the expression with every line break outside strings replaced by a space, so
    that offsets stay; it ends at `end`, where the closing braces or the end of the text are."""

    source: str
    end: int


def scan(text: str, start: int, *, braces: bool) -> Scanned:
    """Reads one expression.

    Args:
        text: the whole parameter.
        start: where the expression starts.
        braces: whether it ends at `}}`, otherwise at the end of the text.

    Raises:
        ExpressionError: with an offset into `text`.
    """
    pieces: list[str] = []
    open_brackets: list[tuple[str, int]] = []
    at = start
    while at < len(text):
        if braces and not open_brackets and text.startswith("}}", at):
            return Scanned("".join(pieces), at)
        match = _TOKEN.match(text, at)
        assert match is not None, "the last alternative matches any character"
        end = match.end()
        kind, piece = match.lastgroup, match.group()
        if kind == "string":
            end = _string(text, match)
            pieces.append(text[at:end])
        elif kind == "space":
            pieces.append(" " * len(piece))
        elif kind == "bracket":
            _bracket(piece, at, open_brackets)
            pieces.append(piece)
        elif kind == "habit" or (piece == "=" and not open_brackets):
            message, hint = _HABITS[piece]
            raise ExpressionError(message, at, hint)
        else:
            _plain(piece, at)
            pieces.append(piece)
        at = end
        if at - start > MAX_LENGTH:
            raise ExpressionError(
                f"the expression is longer than {MAX_LENGTH} characters",
                start,
                "move the logic to a code.python node",
            )
    if open_brackets:
        bracket, where = open_brackets[-1]
        raise ExpressionError(f"`{bracket}` is never closed", where)
    if braces:
        raise ExpressionError(
            "`{{` is never closed", max(start - 2, 0), r"close it with }}, or write \{{ for braces"
        )
    return Scanned("".join(pieces), at)


def _bracket(piece: str, at: int, open_brackets: list[tuple[str, int]]) -> None:
    if piece in "([{":
        open_brackets.append((piece, at))
        if len(open_brackets) > MAX_BRACKETS:
            raise ExpressionError(f"more than {MAX_BRACKETS} brackets are open at once", at)
        return
    if not open_brackets:
        raise ExpressionError(f"`{piece}` closes nothing", at)
    opened, where = open_brackets.pop()
    if opened != _PAIRS[piece]:
        raise ExpressionError(f"`{opened}` is never closed", where)


def _plain(piece: str, at: int) -> None:
    if unicodedata.normalize("NFKC", piece) != piece:
        raise ExpressionError(
            f"`{piece}` is not written in its plain form",
            at,
            f'write `{unicodedata.normalize("NFKC", piece)}`, or read the key as value["…"]',
        )
    category = unicodedata.category(piece[0])
    if category[0] == "C":
        raise ExpressionError(f"the character U+{ord(piece[0]):04X} is not allowed here", at)
    if category in {"Pi", "Pf"}:
        raise ExpressionError(f"`{piece}` is not a quote", at, "write \" or '")


def _string(text: str, match: re.Match[str]) -> int:
    """The end of the string that `match` opens."""
    quote, start = match.group("quote"), match.start()
    prefix = match.group("prefix").lower()
    if prefix not in _PREFIXES:
        raise ExpressionError(
            f"`{match.group('prefix')}` is not a string prefix here", start, "remove the prefix"
        )
    at = match.end()
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 2
        elif text.startswith(quote, at):
            if "f" in prefix:
                _fields(text[match.end() : at], match.end(), quote)
            return at + len(quote)
        elif char == "\n" and len(quote) == 1:
            raise ExpressionError("a quoted text ends on its line", at, r"write \n in it")
        elif char in "\0\r" or "\ud800" <= char <= "\udfff":
            raise ExpressionError(f"the character U+{ord(char):04X} is not allowed here", at)
        else:
            at += 1
    raise ExpressionError(
        f"the text that starts with {quote} is never closed", start, f"close it with {quote}"
    )


def _fields(body: str, start: int, quote: str) -> None:
    """Checks the `{…}` of an f-string: since Python 3.12 they may hold more than the 3.11 grammar
    allows, and a handler must read the same everywhere."""
    depth = 0
    at = 0
    while at < len(body):
        char = body[at]
        if depth == 0 and body[at : at + 2] in {"{{", "}}"}:
            at += 2
            continue
        if char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
        elif depth and char in "\\#":
            raise ExpressionError(f"`{char}` is not allowed inside the braces", start + at)
        elif depth and char in "'\"":
            end = max(body.find(char, at + 1), at)
            if "\\" in body[at:end]:
                raise ExpressionError("`\\` is not allowed inside the braces", start + at)
            at = end
        at += 1
    if depth:
        other = "'" if '"' in quote else '"'
        raise ExpressionError(
            "the braces of this f-string do not match", start, f"use {other} inside the braces"
        )
