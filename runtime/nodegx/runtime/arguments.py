"""The names under which a step's arguments are shown."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType
from typing import Any

_FUNCTIONS = (FunctionType, MethodType, BuiltinFunctionType, type)


def named_arguments(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of a call by parameter name, as it was written: without defaults.

    Functions among the arguments are represented by what they are, never called.
    """
    named: dict[str, Any] = {}
    if args:
        names = _positional(fn)
        if len(names) >= len(args):
            named = dict(zip(names, args, strict=False))
        else:
            named = {str(index): value for index, value in enumerate(args)}
            named.update(zip(names, args, strict=False))
            for index in range(len(names)):
                del named[str(index)]
    if kwargs:
        named.update(kwargs)
    for name, value in named.items():
        if isinstance(value, _FUNCTIONS):
            named[name] = _role(value)
    return named


def _positional(fn: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the positional parameters of `fn`; of the function it wraps, if it says so."""
    inner: Any = fn
    while (wrapped := getattr(inner, "__wrapped__", None)) is not None:
        inner = wrapped
    bound = isinstance(inner, MethodType)
    code: CodeType | None = getattr(inner, "__code__", None)
    if code is not None:
        names = _of_code(code)
        return names[1:] if bound else names
    try:
        parameters = inspect.signature(inner).parameters.values()
    except (TypeError, ValueError):
        return ()
    return tuple(
        parameter.name
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    )


@lru_cache(maxsize=4096)
def _of_code(code: CodeType) -> tuple[str, ...]:
    return code.co_varnames[: code.co_argcount]


def _role(value: Any) -> str:
    """What stands for a function: `<expression of item, index>`, `<function charge_total>`."""
    name = getattr(value, "__name__", "function")
    if name != "<lambda>":
        return f"<function {name}>"
    return f"<expression of {', '.join(_positional(value))}>"
