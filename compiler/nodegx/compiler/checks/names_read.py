"""Names that expressions read, in a workflow that has other mistakes.

A workflow without mistakes is compiled, and `emit` tells exactly which names exist where. One with
mistakes never gets that far; so that its author hears of everything at once, this pass finds the
names and ports that exist nowhere in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from nodegx.compiler.checked import CheckedNode
from nodegx.compiler.diagnostics import Pointer, listing, quoted, suggestion
from nodegx.compiler.expressions import references
from nodegx.compiler.expressions.names import ROOTS, Reference, suggest

from .findings import Findings
from .project_names import templates

LOOP_PORTS = ("item", "index")


def check_names_read(
    nodes: Mapping[str, CheckedNode], broken: Collection[str], findings: Findings
) -> None:
    """Notes every unknown name, and every unknown port of a known node.

    Args:
        nodes: the nodes whose types are known.
        broken: ids of the others; what is read of them is not looked at.
    """
    named = {node.name: node for node in nodes.values()}
    for key, node in nodes.items():
        findings.node = key
        local = {name for param in node.type.params for name in param.scope}
        names = sorted({*named, *broken})
        known = {*names, *ROOTS, *local}
        for param, value in node.params.items():
            for template, pointer in templates(value, node.param_pointer(param)):
                for found in references(template):
                    if found.root not in known:
                        _unknown_name(found, names, pointer, findings)
                    elif found.root in named and found.root not in local:
                        _check_port(found, named[found.root], pointer, findings)
    findings.node = None


def _unknown_name(found: Reference, names: list[str], pointer: Pointer, findings: Findings) -> None:
    hint = suggest(found.root, (*names, *ROOTS)) or f"names: {listing(names)}"
    findings.error("NX402", f"unknown name `{found.root}`", pointer, hint=hint, offset=found.offset)


def _check_port(found: Reference, node: CheckedNode, pointer: Pointer, findings: Findings) -> None:
    ports = [output.name for output in node.type.outputs]
    if not found.path or node.type.whole is not None or not ports:
        return
    port = found.path[0]
    if port not in (*ports, *LOOP_PORTS, "error"):
        message = f"`{node.name}` has no output {quoted(port)}"
        hint = suggestion(str(port), ports, "outputs")
        findings.error("NX401", message, pointer, hint=hint, offset=found.offsets[0])
