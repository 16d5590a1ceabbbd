"""workflow.call: another workflow as a step of this one."""

from __future__ import annotations

from .types import Kind, NodeType, Output, Param, Type

NODE = NodeType(
    "workflow.call",
    Kind.ACTION,
    "Call workflow",
    "Runs another workflow, which starts at its Manual start node, and gives what it answered.",
    params=(
        Param(
            "workflow",
            Type.STRING,
            "Name of the workflow.",
            required=True,
            literal=True,
            examples=("/#__cloud__/ChargeCard",),
        ),
        Param("input", Type.ANY, "Its input. Default null."),
        Param(
            "wait",
            Type.BOOLEAN,
            "Whether to wait for its end; if not, the result is `{execution: id}` at once. Default true.",
            default=True,
            literal=True,
        ),
    ),
    outputs=(Output("result", Type.ANY, "Body of the callee's response.", whole=True),),
    call="run.call",
    positional=("workflow", "input"),
    category="workflow",
    example={"workflow": "/#__cloud__/ChargeCard", "input": {"order": "{{ order.body.id }}"}},
)
