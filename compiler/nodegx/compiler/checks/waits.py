"""Waits for a webhook or a condition: what can only be told with their wires and settings."""

from __future__ import annotations

from collections.abc import Mapping

from nodegx.compiler.diagnostics import quoted
from nodegx.compiler.durability import OPEN_ENDED

from .findings import Findings
from .nodes import NodeDraft
from .wires import Wires


def check_waits(nodes: Mapping[str, NodeDraft], wires: Wires, findings: Findings) -> None:
    """Notes time limits and tries that a wait cannot have, and an output `timeout` that it never
    sends."""
    for key, node in nodes.items():
        if node.type.type != "logic.wait":
            continue
        findings.node = key
        kind = next((name for name in OPEN_ENDED if name in node.spec.parameters), None)
        if kind is not None:
            _refuse_step_settings(node, kind, findings)
        if "timeout" in node.params:
            continue
        for target in wires.signals.get(key, {}).get("timeout", ()):
            pointer = (*wires.pointers[key, "timeout", target], "sourcePort")
            message = f'{quoted(key)} never sends "timeout": it has no time limit'
            hint = 'add `timeout` to it, such as "2d"'
            if kind is None:
                message = (
                    f'{quoted(key)} never sends "timeout": it waits for a time, not for an answer'
                )
                hint = "wire `done`: it follows when the time has come"
            findings.error("NX321", message, pointer, hint=hint)
    findings.node = None


def _refuse_step_settings(node: NodeDraft, kind: str, findings: Findings) -> None:
    remedies = {
        "retry": "wire `timeout` or `failure` to what is to be done instead",
        "timeout": "set the parameter `timeout`",
    }
    for key, value in (("retry", node.spec.retry), ("timeout", node.spec.timeout)):
        if value is not None:
            message = f"a wait for a {kind} has no `{key}` of its own: it may last for days"
            findings.error("NX309", message, (*node.pointer, key), hint=remedies[key], key=True)
