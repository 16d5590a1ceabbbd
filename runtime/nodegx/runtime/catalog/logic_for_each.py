"""logic.forEach: the same steps for every element of a list."""

from __future__ import annotations

from .types import FAILURE, Kind, NodeType, Output, Param, Signal, Type

NODE = NodeType(
    "logic.forEach",
    Kind.FOR_EACH,
    "For each",
    "Runs the nodes behind `iteration` once for every element of a list (`item`, `index`), then "
    "goes on at `completed`.",
    params=(
        Param("items", Type.ARRAY, "The list to go through.", required=True),
        Param(
            "batchSize",
            Type.INTEGER,
            "Elements each iteration gets, as a list in `item`. Default: one, and `item` is the "
            "element itself.",
            minimum=1,
            maximum=100_000,
        ),
        Param(
            "concurrency",
            Type.INTEGER,
            "Iterations that may run at the same time. Default 1, one after the other.",
            default=1,
            minimum=1,
            maximum=1000,
        ),
        Param(
            "result",
            Type.ANY,
            "What an iteration contributes to `results`, evaluated at its end. Default: the output "
            "of the body's last action if there is one last action, else null.",
        ),
        Param(
            "onItemError",
            Type.STRING,
            "What an error in one iteration does: `fail` cancels the others and fails the node, "
            "`continue` notes it in `errors` and goes on. Default `fail`.",
            default="fail",
            choices=("fail", "continue"),
            literal=True,
        ),
    ),
    outputs=(
        Output("results", Type.ARRAY, "Each iteration's result, in the order of `items`."),
        Output(
            "errors", Type.ARRAY, "With `continue`: `index`, `message` and `code` of each failure."
        ),
    ),
    signals_out=(
        Signal("iteration", "Starts the body, once for each element or batch."),
        Signal("completed", "All iterations have ended."),
        FAILURE,
    ),
    scope=("item", "index"),
    category="logic",
    example={
        "items": "{{ order.body.lines }}",
        "concurrency": 5,
        "result": "{{ item.price * item.quantity }}",
    },
)
