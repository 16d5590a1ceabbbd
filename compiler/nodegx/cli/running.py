"""Runs one compiled workflow in this process, with the workflows it may call or wake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from .errors import CliError
from .exit_codes import ExitCode
from .projects import BuiltWorkflow

if TYPE_CHECKING:
    from nodegx.compiler.project import Project
    from nodegx.runtime.host import HistorySink
    from nodegx.server.host import ServerHost
    from nodegx.server.workflows import LoadedWorkflow

MANUAL = "trigger.manual"


def choose_trigger(workflow: BuiltWorkflow, wanted: str | None) -> dict[str, Any]:
    """The trigger to start a workflow by: the one asked for, the only one, or the manual one.

    Raises:
        CliError: there is none such, or several to choose from.
    """
    triggers = workflow.triggers
    ids = [str(trigger["node"]) for trigger in triggers]
    if wanted is not None:
        if wanted in ids:
            return triggers[ids.index(wanted)]
        raise CliError(
            f"{workflow.name} has no trigger {wanted!r}",
            ExitCode.NOT_FOUND,
            hint=f"its triggers: {', '.join(ids)}",
        )
    manual = [trigger for trigger in triggers if trigger["type"] == MANUAL]
    for candidates in (triggers, manual):
        if len(candidates) == 1:
            return candidates[0]
    raise CliError(
        f"{workflow.name} has several triggers",
        ExitCode.USAGE,
        hint=f"choose one with --trigger: {', '.join(ids)}",
    )


def within_reach(start: BuiltWorkflow, known: Iterable[BuiltWorkflow]) -> list[BuiltWorkflow]:
    """`start` and every workflow that it may call or wake with an event, directly or not."""
    by_name = {workflow.name: workflow for workflow in known}
    found: dict[str, BuiltWorkflow] = {}
    queue = [start]
    while queue:
        workflow = queue.pop()
        if workflow.name in found:
            continue
        found[workflow.name] = workflow
        queue += [by_name[name] for name in _reached(workflow, by_name) if name in by_name]
    return list(found.values())


def _reached(workflow: BuiltWorkflow, known: Mapping[str, BuiltWorkflow]) -> set[str]:
    manifest = workflow.manifest
    settings = cast("dict[str, Any]", manifest.get("settings") or {})
    calls = {str(name) for name in manifest.get("calls") or ()}
    if settings.get("onError"):
        calls.add(str(settings["onError"]))
    if "*" in calls:  # which one is only known at run time
        return set(known)
    if manifest.get("emits"):
        calls.update(name for name, other in known.items() if other.manifest.get("listens"))
    return calls


def load(workflow: BuiltWorkflow) -> LoadedWorkflow:
    """Imports a workflow's handler.

    Raises:
        CliError: it cannot be imported.
    """
    from nodegx.runtime import loader
    from nodegx.server.workflows import LoadedWorkflow, TriggerEntry

    try:
        handler = loader.load(workflow.directory / "handler.py")
    except ImportError as error:
        raise CliError(
            str(error),
            ExitCode.ENVIRONMENT,
            hint="is a package that the workflow needs not installed?",
        ) from None
    triggers = (
        TriggerEntry(t["node"], t["type"], t.get("config") or {}) for t in workflow.triggers
    )
    return LoadedWorkflow(
        handler.name, workflow.slug, handler, workflow.manifest, tuple(triggers), ()
    )


def local_host(
    project: Project,
    workflows: Iterable[LoadedWorkflow],
    variables: Mapping[str, Any],
    history: HistorySink | None,
) -> ServerHost:
    """A host with the project's variables, environment and secrets.

    Args:
        project: the project.
        workflows: what can be called or woken.
        variables: override the project's variables.
        history: where executions are recorded.
    """
    from nodegx.runtime.logs import Log
    from nodegx.server import registry
    from nodegx.server.environment import EnvironmentSecrets, environment
    from nodegx.server.host import ServerHost

    outside = environment(project.root)
    secrets = EnvironmentSecrets(outside)
    return ServerHost(
        registry.build(workflows, secrets),
        vars={**project.vars, **variables},
        env={name: outside[name] for name in project.env if name in outside},
        secrets=secrets,
        history=history,
        queue=1000,
        log=Log("error"),
    )
