"""The table of functions is what the runtime has."""

from __future__ import annotations

import builtins
import inspect
import subprocess
import sys

import pytest
from nodegx.compiler.expressions import foreign
from nodegx.compiler.expressions.functions import (
    FUNCTIONS,
    METHODS,
    Function,
    find_function,
    snake,
)
from nodegx.runtime import expressions as fx
from nodegx.runtime.run import Run


def implementation(function: Function) -> object:
    """What a function's target names."""
    place, _, name = function.target.rpartition(".")
    return getattr({"fx": fx, "run": Run, "": builtins}[place], name)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda function: function.name)
def test_functions_exist_and_take_what_their_signature_says(function: Function) -> None:
    target = implementation(function)
    assert callable(target)
    if not function.target.startswith("fx."):
        return
    params = list(inspect.signature(target).parameters.values())
    assert len(params) >= len(function.params)
    for declared, param in zip(function.params, params, strict=False):
        assert declared.rest == (param.kind is param.VAR_POSITIONAL)
        assert declared.optional == (param.default is not param.empty)
        assert not declared.optional or param.name == snake(declared.name)


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_methods_exist_on_their_values(method: Function) -> None:
    if method.target == "native":
        kinds = {"text": (str,), "objects": (dict,), "arrays and text": (str, list)}
        assert all(hasattr(kind, method.name) for kind in kinds[method.group])
    else:
        assert len(inspect.signature(implementation(method)).parameters) == len(method.params) + 1


def test_every_function_is_documented_and_can_be_spelled_both_ways() -> None:
    for function in (*FUNCTIONS.values(), *METHODS.values()):
        assert function.doc.endswith(".")
        assert function.signature.startswith(f"{function.name}(")
    assert find_function("formatDate") is find_function("format_date") is FUNCTIONS["formatDate"]
    assert find_function("__class__") is None


def test_hints_are_only_given_for_what_does_not_exist() -> None:
    assert not set(foreign.FOREIGN_FUNCTIONS) & set(FUNCTIONS)
    assert not set(foreign.FOREIGN_METHODS) & set(METHODS)


def test_the_runtime_has_nothing_that_no_expression_can_call() -> None:
    targets = {f.target for f in (*FUNCTIONS.values(), *METHODS.values())}
    emitted = {"concat", "counted", "formatted", "loop", "modulo", "multiply", "nested", "power"}
    assert {f"fx.{name}" for name in fx.__all__} - targets == {
        f"fx.{name}" for name in emitted | {"scanned"}
    }


def test_the_table_does_not_import_the_implementations() -> None:
    code = (
        "import sys, nodegx.compiler.expressions.functions\n"
        "print('nodegx.runtime.expressions.dates' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "False"
