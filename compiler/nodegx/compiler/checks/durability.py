"""What a workflow cannot do that is not to be durable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nodegx.compiler import durability
from nodegx.compiler.checked import CheckedNode, CheckedWorkflow
from nodegx.compiler.diagnostics import Pointer, quoted

from .findings import Findings

LONGEST: Final = 900.0
"""Seconds that a workflow which is not durable may wait; it loses them in a crash."""


def check_durability(workflow: CheckedWorkflow, findings: Findings) -> None:
    """Notes the waits that need a durable workflow, in one that says it is none."""
    if workflow.settings.durable is not False:
        return
    for node in durability.reached(workflow):
        findings.node = node.id
        for message, pointer, hint in _faults(node):
            hint = f'remove "durable": false from the settings{hint}'
            findings.error("NX322", message, pointer, hint=hint)
    findings.node = None


def _faults(node: CheckedNode) -> Iterator[tuple[str, Pointer, str]]:
    if node.type.type != "logic.wait":
        return
    kind = durability.open_ended(node)
    seconds = durability.wait_seconds(node)
    if kind is not None:
        message = f"{quoted(node.id)} waits for a {kind}, which only a durable workflow can"
        yield message, node.param_pointer(kind), ""
    elif seconds is not None and seconds > LONGEST:
        message = (
            f"{quoted(node.id)} waits for {seconds:,.0f} s, and a workflow that is not durable"
            f" for {LONGEST:.0f} s at most"
        )
        yield message, node.param_pointer("duration"), ", or wait for 15 minutes at most"
