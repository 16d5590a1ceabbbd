"""`nodegx versions`: what was deployed, and which of it has the traffic."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.deployments import open_deployment, stack_option, workflow_slug
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.output import clean, json_document, line, size, style, table
from nodegx.cli.projects import complete_workflow
from nodegx.cli.when import local

if TYPE_CHECKING:
    from nodegx.providers.aws.deployment import Deployment


@click.command(cls=Command)
@click.argument("workflow", required=False, shell_complete=complete_workflow)
@stack_option
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@pass_state
def versions(state: State, workflow: str | None, stack: str | None, limit: int) -> int:
    """List deployments, or the versions of one workflow.

    The latest come first; ▸ marks what has the traffic.
    """
    deployment = open_deployment(state, stack)
    if workflow is None:
        return _deployments(state, deployment, limit)
    return _versions(state, deployment, workflow_slug(deployment.project, workflow), limit)


def _deployments(state: State, deployment: Deployment, limit: int) -> int:
    from nodegx.providers.aws.journal import read_journal

    journal = read_journal(deployment.cloud, deployment.place.data_bucket_name)
    entries = list(reversed(journal.entries))[:limit]
    if state.json:
        json_document([asdict(entry) for entry in entries])
        return ExitCode.OK
    if not entries:
        line(f"nothing has been deployed to {deployment.stack}", err=True)
        return ExitCode.OK
    rows: list[tuple[str, ...]] = []
    for index, entry in enumerate(entries):
        position = len(journal.entries) - 1 - index
        before = journal.entries[position - 1].versions if position else dict[str, str]()
        changed = [
            f"{slug} {version}"
            for slug, version in sorted(entry.versions.items())
            if before.get(slug) != version
        ]
        mark = style("▸", "green") if index == 0 else ""
        caller = clean(entry.caller.rpartition("/")[2] or entry.caller)
        rows.append(
            (mark, str(entry.number), local(entry.time), entry.kind, caller, ", ".join(changed))
        )
    headings = ("", "deployment", "time", "kind", "by", "new versions")
    table(headings, rows, right=(1,), whole=(0, 1, 2, 3))
    return ExitCode.OK


def _versions(state: State, deployment: Deployment, slug: str, limit: int) -> int:
    from nodegx.providers.aws.versions import versions as read_versions

    found = read_versions(deployment.cloud, deployment.function(slug).name)[:limit]
    if state.json:
        json_document([asdict(version) for version in found])
        return ExitCode.OK
    rows = [
        (
            style(f"{version.share:.0%}", "green", bold=True) if version.share else "",
            version.number,
            local(version.published),
            version.revision[:12],
            size(version.size),
            clean(version.description),
        )
        for version in found
    ]
    headings = ("traffic", "version", "published", "revision", "zip", "description")
    table(headings, rows, right=(0, 1, 4), whole=(0, 1, 2, 3, 4))
    return ExitCode.OK
