"""Patterns are judged rightly: those that pass are fast on the worst text of the length they may
be used on."""

from __future__ import annotations

import re
import time

import pytest
from nodegx.runtime.expressions.backtracking import Ambiguous, exponent


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("abc", 1),
        ("^abc$", 0),
        (r"^\d{4}-\d{2}-\d{2}$", 0),
        (r"^\d+$", 1),
        (r"\d+", 2),
        (r"^[^@\s]+@[^@\s]+\.[^@\s]+$", 2),
        (r"^https?://[^/]+/(.*)$", 1),
        (r"^([a-z]+,)*[a-z]+$", 2),
        (r"^(?:\d{1,3}\.){3}\d{1,3}$", 1),
        (r"^(foo|bar)+$", 1),
        (r"^-?\d+(\.\d+)?$", 2),
        (r"^\w+\s+\w+\s+\w+$", 1),
        (r"^.*,.*,.*$", 3),
        (r"(?i)^[a-f]+G", 1),
        (r"^(?=.*\d)(?=.*[a-z]).{8,}$", 1),
        (r"^[^ж]*ж", 1),
    ],
)
def test_exponents(pattern: str, expected: int) -> None:
    assert exponent(pattern, re.compile(pattern).flags) == expected


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a*)*",
        "(a|aa)+$",
        "(a|a?)+",
        "(.*)*",
        r"(\w+\s?)*$",
        r"(\w*\d?)*x",
        "((a+)b?)+c",
        "(a{1,5}){1,5}b",
        "(x+x+)+y",
        "(?i)(k+K+)+",
        "(a|b|ab)*c",
        "([^ж]*.)*",
        r"(?:(?=.*a)b)*",
        r"(\d+|\w+)+:",
    ],
)
def test_exponential_patterns_are_recognized(pattern: str) -> None:
    with pytest.raises(Ambiguous):
        exponent(pattern, re.compile(pattern).flags)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^([a-z]+,)*[a-z]+$", "a" * 10_000 + "!"),
        (r"^(foo|bar)+$", "foo" * 100_000 + "!"),
        (r"^[^@\s]+@[^@\s]+\.[^@\s]+$", "a" * 9_000 + "@" + "a." * 5_000 + "@"),
        (r"\s+$", " " * 19_999 + "x"),
        (r"^.*,.*,.*$", "," * 699 + "\n"),
        (r"^(?:[a-z]+-[a-z]+;)+$", "a-b;" * 4_000 + "!"),
    ],
)
def test_patterns_that_pass_are_fast(pattern: str, text: str) -> None:
    from nodegx.runtime import expressions as fx

    started = time.process_time()
    fx.matches(text, pattern)
    assert time.process_time() - started < 10  # of which slow machines take a third
