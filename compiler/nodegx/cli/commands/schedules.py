"""`nodegx schedules`: when workflows start by themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, cast

import click
from nodegx.cli.base import Group, State, pass_state
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.output import clean, json_document, line, style, table
from nodegx.cli.projects import BuiltWorkflow, built_workflows, project_root, short_name
from nodegx.cli.when import until


class Entry(NamedTuple):
    """One schedule: its workflow and trigger, the schedule in words, its next moments."""

    workflow: str
    node: str
    description: str
    moments: list[datetime]


@click.group(cls=Group)
def schedules() -> None:
    """See when workflows start."""


@schedules.command("list")
@click.option("--count", type=click.IntRange(1, 100), default=3, show_default=True)
@pass_state
def list_(state: State, count: int) -> int:
    """List schedules with their next times, the soonest first.

    Compiles the project first, if it has changed; needs no running server.
    """
    from nodegx.cli.findings import report as show_findings
    from nodegx.compiler.build.project import build_project

    report = build_project(project_root(state))
    if not report.ok:
        show_findings(report.diagnostics, err=True)
    entries = [
        entry for workflow in built_workflows(report.out) for entry in _entries(workflow, count)
    ]
    entries.sort(key=lambda entry: [moment.timestamp() for moment in entry.moments[:1]])
    if state.json:
        json_document([_data(entry) for entry in entries])
    elif not entries:
        line("no workflow has a schedule", err=True)
    else:
        table(("workflow", "schedule", "next", ""), [row for e in entries for row in _rows(e)])
    return ExitCode.OK if report.ok else ExitCode.DIAGNOSTICS


def _entries(workflow: BuiltWorkflow, count: int) -> list[Entry]:
    from nodegx.runtime.triggers import timetable

    settings = cast("dict[str, Any]", workflow.manifest.get("settings") or {})
    zone = settings.get("timezone") or "UTC"
    found: list[Entry] = []
    for trigger in workflow.triggers:
        if trigger["type"] == "trigger.schedule":
            config = {"timezone": zone, **trigger["config"]}
            table_ = timetable.timetable(config, zone)
            moments = timetable.upcoming(table_, count)
            words = timetable.describe(config)
            found.append(Entry(workflow.name, trigger["node"], words, moments))
    return found


def _rows(entry: Entry) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for index, moment in enumerate(entry.moments):
        first = index == 0
        rows.append(
            (
                clean(short_name(entry.workflow)) if first else "",
                clean(entry.description) if first else "",
                moment.strftime("%a %Y-%m-%d %H:%M:%S %Z"),
                style(until(moment), dim=True),
            )
        )
    return rows


def _data(entry: Entry) -> dict[str, Any]:
    return {
        "workflow": entry.workflow,
        "node": entry.node,
        "description": entry.description,
        "next": [moment.isoformat() for moment in entry.moments],
    }
