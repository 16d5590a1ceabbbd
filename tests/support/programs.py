"""Programs for AWS that the compiler has written, with bundles that stand for real ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nodegx.compiler.project import Project
from nodegx.compiler.targets.aws.emit import Emitted, emit_aws

from tests.support.manifests import EXAMPLES, compiled, drawn, manifests_of, write_project
from tests.support.pulumi_program import Deployed, run_program

Deploy = Callable[..., Deployed]
"""Runs a program: `deploy(stack="prod", config={"production": "true"})`."""

EVERYTHING = (
    drawn(
        "/Web",
        ("trigger.webhook", {"path": "/orders/{id}", "method": ["GET", "POST"]}),
        (
            "trigger.webhook",
            {"path": "/slow", "rateLimit": {"requests": 60, "per": "1m", "by": "all"}},
        ),
        nodes=[
            ("workflow.call", {"workflow": "/Manual"}),
            ("workflow.emit", {"event": "order.created"}),
            (
                "http.request",
                {
                    "url": "{{ vars.base }}",
                    "headers": {"K": "{{ secrets.KEY }}", "S": "{{ env.STAGE }}"},
                },
            ),
        ],
        concurrency=5,
        timeout=20,
        onError="/Manual",
    ),
    drawn("/Manual", ("trigger.manual", {})),
    drawn(
        "/Nightly",
        ("trigger.schedule", {"cron": "30 2 * * *", "timezone": "Europe/Berlin"}),
        ("trigger.schedule", {"every": "1h", "catchUp": True}),
    ),
    drawn(
        "/Listener",
        ("trigger.event", {"event": "order.*", "filter": [{"path": "tier", "value": "gold"}]}),
    ),
    drawn(
        "/Consumer",
        ("trigger.queue", {"queue": "jobs", "batchSize": 5, "maxReceives": 4}),
        ("trigger.queue", {"queue": "strict.fifo"}),
        concurrency=1,
        timeout=10,
    ),
    drawn("/Ingest", ("trigger.file", {"bucket": "uploads", "prefix": "in/", "suffix": ".csv"})),
    drawn("/Tidy", ("trigger.file", {"bucket": "uploads", "events": "removed"})),
    drawn(
        "/Audit",
        ("trigger.record", {"table": "orders", "events": ["insert"], "startFrom": "earliest"}),
    ),
)
"""A project that has one of everything."""

SPEC = {"vars": {"base": "https://x.example"}, "env": ["STAGE"]}


class Programs:
    """The programs of examples and of other projects, each written once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known: dict[str, Emitted] = {}

    def example(self, name: str) -> Emitted:
        """The program of an example."""
        return self._once(name, lambda target: _copy(EXAMPLES / name, target))

    def project(self, name: str, *drawings: dict[str, Any], **spec: Any) -> Emitted:
        """The program of some workflows, by a name of the test's own."""
        return self._once(name, lambda target: write_project(target, *drawings, **spec))

    def everything(self) -> Emitted:
        """The program of a project that has one of everything."""
        return self.project("everything", *EVERYTHING, **SPEC)

    def _once(self, name: str, make: Callable[[Path], Project]) -> Emitted:
        if name not in self._known:
            self._known[name] = program_of(make(self._directory / name))
        return self._known[name]


def _copy(source: Path, target: Path) -> Project:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("build", ".nodegx"))
    return compiled(target)


def program_of(project: Project) -> Emitted:
    """The program of a compiled project, with a bundle for each function."""
    emitted = emit_aws(project, manifests_of(project))
    assert emitted.ok, [each.message for each in emitted.diagnostics]
    bundles = emitted.directory / "bundles"
    bundles.mkdir()
    for function in emitted.plan.functions:
        (bundles / f"{function.slug}.zip").write_bytes(f"zip of {function.slug}".encode())
    return emitted


def deploy(
    emitted: Emitted, stack: str = "dev", config: Mapping[str, str] | None = None, **given: Any
) -> Deployed:
    """Runs a program; see `run_program`."""
    return run_program(
        emitted.directory / "__main__.py",
        project=emitted.plan.project,
        stack=stack,
        config=config,
        **given,
    )
