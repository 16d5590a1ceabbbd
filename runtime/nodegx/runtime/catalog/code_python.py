"""code.python: code of the workflow's author."""

from __future__ import annotations

from . import checks
from .types import Kind, NodeType, Output, Param, Type

NODE = NodeType(
    "code.python",
    Kind.ACTION,
    "Python",
    "Runs Python code. It is the body of a function whose arguments are `inputs`; what it returns is "
    "the node's value. Code that awaits runs on the event loop, other code in a thread.",
    params=(
        Param(
            "code",
            Type.PYTHON,
            "The body of the function; `return` ends it, `await` is allowed.",
            required=True,
            literal=True,
            runtime=False,
        ),
        Param(
            "inputs",
            Type.OBJECT,
            "Values for the code, by the name of the argument. Default: none.",
            check=checks.argument_names,
        ),
        Param(
            "outputs",
            Type.ARRAY,
            "Signal outputs that replace `done`; the code then returns `(output, value)`. "
            "Default: `done` alone.",
            literal=True,
            runtime=False,
            items=Param("output", Type.STRING, "Name of an output.", check=checks.identifier),
        ),
        Param(
            "packages",
            Type.ARRAY,
            "Distributions that the code imports, with versions where they matter. Default: none.",
            literal=True,
            runtime=False,
            items=Param(
                "package",
                Type.STRING,
                "A requirement, such as `numpy>=2`.",
                check=checks.requirement,
            ),
        ),
    ),
    outputs=(Output("value", Type.ANY, "What the code returned.", whole=True),),
    dynamic_outputs="outputs",
    category="code",
    example={
        "inputs": {"lines": "{{ order.body.lines }}"},
        "code": "return sum(line['price'] * line['quantity'] for line in lines)",
    },
)
