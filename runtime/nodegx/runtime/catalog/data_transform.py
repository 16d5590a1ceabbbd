"""data.transform: lists and documents reshaped."""

from __future__ import annotations

from . import checks
from .types import Kind, NodeType, Output, Param, Type, When

_OPERATIONS = ("map", "filter", "reduce", "sort", "group", "unique", "flatten", "query", "path")

NODE = NodeType(
    "data.transform",
    Kind.ACTION,
    "Transform",
    "Makes a new value out of a list or document: element by element with expressions, or with a "
    "JMESPath or JSONPath query.",
    params=(
        Param(
            "operation",
            Type.STRING,
            "`map` replaces each element, `filter` keeps some, `reduce` folds all into one value, "
            "`sort` orders, `group` collects by key, `unique` drops repetitions, `flatten` opens lists "
            "inside the list, `query` evaluates JMESPath, `path` JSONPath.",
            required=True,
            choices=_OPERATIONS,
            literal=True,
            runtime=False,
        ),
        Param(
            "input",
            Type.ANY,
            "What to transform: a list, or any JSON for `query` and `path`.",
            required=True,
        ),
        Param(
            "expression",
            Type.ITEM_EXPRESSION,
            "What becomes of each element: an expression over `item` and `index`.",
            required=True,
            when=When("operation", ("map",)),
        ),
        Param(
            "condition",
            Type.ITEM_EXPRESSION,
            "Which elements stay: an expression over `item` and `index` that is true for them.",
            required=True,
            when=When("operation", ("filter",)),
        ),
        Param(
            "reducer",
            Type.ITEM_EXPRESSION,
            "What the accumulator becomes with each element: an expression over `accumulator`, "
            "`item` and `index`.",
            required=True,
            scope=("accumulator", "item", "index"),
            when=When("operation", ("reduce",)),
        ),
        Param(
            "initial",
            Type.ANY,
            "The accumulator before the first element. Default null.",
            when=When("operation", ("reduce",)),
        ),
        Param(
            "key",
            Type.ITEM_EXPRESSION,
            "What is compared: an expression over `item` and `index`; a list compares by several "
            "values in order. Default: the element itself.",
            when=When("operation", ("sort", "group", "unique")),
        ),
        Param(
            "descending",
            Type.BOOLEAN,
            "Whether the greatest comes first. Nulls are last either way. Default false.",
            default=False,
            when=When("operation", ("sort",)),
        ),
        Param(
            "form",
            Type.STRING,
            "`object` gives the groups' elements by key, `list` a list of `key` and `items`, which "
            "keeps keys that are no text. Default `object`.",
            default="object",
            choices=("object", "list"),
            literal=True,
            when=When("operation", ("group",)),
        ),
        Param(
            "depth",
            Type.INTEGER,
            "How many levels of lists are opened. Default 1.",
            default=1,
            minimum=1,
            maximum=100,
            when=When("operation", ("flatten",)),
        ),
        Param(
            "query",
            Type.STRING,
            "The JMESPath expression.",
            required=True,
            check=checks.jmespath,
            when=When("operation", ("query",)),
            examples=("lines[?price > `10`].sku",),
        ),
        Param(
            "path",
            Type.STRING,
            "The JSONPath; the result is the list of all values it finds.",
            required=True,
            check=checks.jsonpath,
            when=When("operation", ("path",)),
            examples=("$.lines[*].sku",),
        ),
    ),
    outputs=(Output("result", Type.ANY, "The new value.", whole=True),),
    call={operation: f"transform.{operation}" for operation in _OPERATIONS},
    variant="operation",
    positional=("input", "expression", "condition", "reducer", "query", "path"),
    packages={"query": ("jmespath",), "path": ("python-jsonpath",)},
    category="data",
    example={
        "operation": "map",
        "input": "{{ order.body.lines }}",
        "expression": "{{ item.price * item.quantity }}",
    },
)
