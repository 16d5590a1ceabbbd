"""The second stage: is this a workflow that makes sense? Everything that is wrong is told at once.

The work is done by the passes in `checks`. A pass never stops at a fault: it notes it, puts a
stand-in where the faulty part was, and later passes keep quiet about that part.
"""

from __future__ import annotations

from collections.abc import Sequence

from .checked import Checked, CheckedWorkflow
from .checks.across import check_across, interface_of, place_findings
from .checks.draft import Draft, read_drafts
from .checks.durability import check_durability
from .checks.findings import Findings
from .checks.flow import check_flow
from .checks.names_read import check_names_read
from .checks.nodes import check_parameters, resolve_nodes
from .checks.project_names import check_project_names
from .checks.settings import check_settings
from .checks.waits import check_waits
from .checks.wires import connect_data, connect_signals
from .diagnostics import Diagnostic, DiagnosticError
from .names import workflow_slug
from .project import Project
from .source import Source


def check(source: Source, project: Project | None = None) -> Checked:
    """Checks every workflow of a file.

    Args:
        source: the file, read.
        project: the project it belongs to; with it, unknown variables are found as well.

    Raises:
        DiagnosticError: with all findings, warnings too, if any of them is an error.
    """
    findings = Findings()
    drafts = read_drafts(source.data, findings)
    workflows = [_check_workflow(draft, project, findings) for draft in drafts]
    complete = [workflow for workflow in workflows if workflow is not None]
    if not findings.errors:
        interfaces = [interface_of(workflow, source.path) for workflow in complete]
        for found in check_across(interfaces, whole=False):
            if found.code != "NX603":  # other files may hold the workflow that is called
                findings.add(found)
    diagnostics = source.resolve(findings.all())
    if findings.errors:
        raise DiagnosticError(diagnostics)
    return Checked(source, tuple(complete), tuple(diagnostics))


def check_together(checked: Sequence[Checked], *, whole: bool = True) -> list[Diagnostic]:
    """What is wrong between workflows of different files: equal names, addresses that two
    triggers answer, calls of workflows that do not exist.

    Args:
        checked: the files, each checked by itself.
        whole: whether they are the whole project; otherwise unknown workflows are only warned of.

    Returns:
        The findings, errors and warnings, with their places.
    """
    interfaces = [
        interface_of(workflow, one.source.path) for one in checked for workflow in one.workflows
    ]
    return place_findings(check_across(interfaces, whole=whole), checked)


def _check_workflow(
    draft: Draft, project: Project | None, findings: Findings
) -> CheckedWorkflow | None:
    """One workflow; None if anything in it is wrong."""
    before = findings.error_count
    check_settings(draft, findings)
    nodes = resolve_nodes(draft, findings)
    wires = connect_data(draft, nodes, findings)
    for node in nodes.values():
        check_parameters(node, findings)
    connect_signals(wires, nodes, findings)
    check_waits(nodes, wires, findings)
    findings.node = None
    complete = draft.spec is not None and findings.error_count == before
    check_flow(nodes, wires, draft.pointer, findings, complete=complete)
    checked = {key: node.finish() for key, node in nodes.items()}
    if project is not None:
        check_project_names(checked, project, findings)
    if findings.error_count > before:
        check_names_read(checked, draft.broken, findings)
    if draft.spec is None:
        return None
    workflow = CheckedWorkflow(
        name=draft.spec.name,
        slug=workflow_slug(draft.spec.name),
        spec=draft.spec,
        pointer=draft.pointer,
        nodes=checked,
        triggers=tuple(
            key for key, node in checked.items() if not node.type.signals_in and node.signals
        ),
        wires={
            source: {port: tuple(targets) for port, targets in ports.items()}
            for source, ports in wires.signals.items()
        },
        wire_pointers=wires.pointers,
    )
    check_durability(workflow, findings)
    return workflow
