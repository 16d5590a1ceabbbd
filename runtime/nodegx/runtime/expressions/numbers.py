"""Arithmetic that stays arithmetic, and stays small."""

from __future__ import annotations

import builtins
import math
from typing import Any

from .kinds import array, number, type_of, whole
from .limits import MAX_BITS, too_large, wrong

_MAX_DIGITS = 300
_MAX_DECIMALS = 20


def _operand(value: Any, sign: str) -> int | float:
    if isinstance(value, int | float):
        return value
    hint = "; use repeat() for text and arrays" if sign == "*" else ""
    raise wrong(f"`{sign}` takes numbers, one of them is {type_of(value)}{hint}")


def multiply(left: Any, right: Any) -> int | float:
    """The product of two numbers."""
    a, b = _operand(left, "*"), _operand(right, "*")
    if isinstance(a, int) and isinstance(b, int) and a.bit_length() + b.bit_length() > MAX_BITS:
        raise too_large("the product has too many digits")
    return a * b


def modulo(left: Any, right: Any) -> int | float:
    """The remainder, with the sign of the divisor."""
    return _operand(left, "%") % _operand(right, "%")


def power(base: Any, exponent: Any) -> int | float:
    """A number to a power."""
    a, b = _operand(base, "**"), _operand(exponent, "**")
    if isinstance(a, int) and isinstance(b, int) and b > 0 and a.bit_length() * b > MAX_BITS:
        raise too_large("the power has too many digits")
    result = a**b
    if isinstance(result, complex):
        raise wrong("a negative number has no such root")
    return result


def round(value: Any, digits: Any = None) -> int | float:
    """Rounds half to even, to whole numbers or to decimal digits (300 either way at most)."""
    if digits is None:
        return builtins.round(_operand(value, "round"))
    places = max(-_MAX_DIGITS, min(whole(digits, "round"), _MAX_DIGITS))
    return builtins.round(_operand(value, "round"), places)


def floor(value: Any) -> int:
    """The next whole number below."""
    return math.floor(_operand(value, "floor"))


def ceil(value: Any) -> int:
    """The next whole number above."""
    return math.ceil(_operand(value, "ceil"))


def average(items: Any) -> float:
    """The mean of an array of numbers."""
    values = array(items, "average")
    if not values:
        raise wrong("average() of an empty array")
    return sum(number(value) for value in values) / len(values)


def format_number(value: Any, decimals: Any = 2, thousands: str = ",", point: str = ".") -> str:
    """Fixed decimals, with separators between thousands.

    Raises:
        FatalError: the value is no number, or there are more than 20 decimals.
    """
    places = whole(decimals, "formatNumber")
    if not 0 <= places <= _MAX_DECIMALS:
        raise wrong(f"formatNumber() takes 0 to {_MAX_DECIMALS} decimals")
    plain = f"{number(value):,.{places}f}"
    return plain.translate({ord(","): thousands, ord("."): point})
