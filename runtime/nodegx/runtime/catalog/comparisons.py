"""Filters: lists of comparisons, as triggers that watch something take them."""

from __future__ import annotations

from .types import Param, Type

OPERATORS = (
    "equals",
    "notEquals",
    "gt",
    "gte",
    "lt",
    "lte",
    "in",
    "contains",
    "startsWith",
    "endsWith",
    "exists",
    "notExists",
)


def filter_param(doc: str, path_doc: str) -> Param:
    """A parameter `filter`.

    Args:
        doc: what the comparisons decide.
        path_doc: what their paths lead to.
    """
    return Param(
        "filter",
        Type.ARRAY,
        doc,
        literal=True,
        items=Param(
            "comparison",
            Type.OBJECT,
            "One comparison.",
            fields=(
                Param(
                    "path",
                    Type.STRING,
                    path_doc,
                    required=True,
                    pattern=r"[^.\s]+(\.[^.\s]+)*",
                ),
                Param(
                    "op",
                    Type.STRING,
                    "How it is compared with `value`. `exists` and `notExists` need no value. "
                    "Default `equals`.",
                    default="equals",
                    choices=OPERATORS,
                ),
                Param("value", Type.ANY, "What it is compared with. Default null."),
            ),
        ),
    )
