"""One operation of the engine, in a process of its own: the engine's settings are global to a
process, and so is the program it runs.

Reads a request as JSON from standard input; writes what happens as lines of JSON to standard
output. Whatever the program prints goes to standard error.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from . import adoption
from .cloud import Cloud
from .steps import Phase, Step, shortened

Request = Mapping[str, Any]
ASSUMED = (3, 200, 0)
SEVERITIES = {"info": "info", "info#err": "info", "warning": "warning", "error": "error"}
"""Severities that are passed on, and as what."""


def main() -> int:
    """Does what standard input asks for."""
    # Ctrl-C reaches the engine, which finishes what is under way; this process waits for it.
    signal.signal(signal.SIGINT, _go_on)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    reporter = Reporter(out)
    try:
        reporter.result(run(json.load(sys.stdin), reporter))
    except Exception as error:
        reporter.failure(error)
        return 1
    return 0


def _go_on(number: int, frame: object) -> None:
    """Handles a signal by nothing; ignoring it would make the engine ignore it, too."""


class Reporter:
    """Writes what happens."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def event(self, event: Any) -> None:
        """Told of every event of the engine."""
        for name, phase in _PHASES.items():
            found = getattr(event, name, None)
            if found is not None:
                self._line("step", _step(phase, found.metadata).to_json())
        if event.diagnostic_event is not None:
            self._diagnostic(event.diagnostic_event)
        if event.summary_event is not None:
            changes = {str(op): n for op, n in event.summary_event.resource_changes.items()}
            seconds = event.summary_event.duration_seconds
            self._line("summary", {"changes": changes, "seconds": seconds})

    def result(self, outputs: dict[str, Any]) -> None:
        """The operation has succeeded."""
        self._line("result", {"outputs": outputs})

    def failure(self, error: Exception) -> None:
        """It has not."""
        self._line("failure", {"type": type(error).__name__, "text": str(error)})

    def _diagnostic(self, found: Any) -> None:
        text = _plain(str(found.message)).strip()
        severity = SEVERITIES.get(found.severity)
        if severity is not None and text and not found.ephemeral:
            self._line("message", {"severity": severity, "text": text, "urn": found.urn or ""})

    def _line(self, kind: str, data: Any) -> None:
        self._out.write(f"{json.dumps({kind: data}, default=str)}\n")


def run(request: Request, reporter: Reporter) -> dict[str, Any]:
    """Does one operation; returns the stack's outputs, secrets masked."""
    from pulumi import automation

    program = Path(request["home"]) / "__main__.py"
    settings: Any = automation.LocalWorkspaceOptions(
        work_dir=str(request["home"]),
        secrets_provider=request["secretsProvider"],
        pulumi_command=_command(),
    )
    stack = automation.select_stack(
        stack_name=request["stack"],
        project_name=request["project"],
        program=lambda: _run_program(program, request.get("config") or {}),
        opts=settings,
    )
    _OPERATIONS[request["operation"]](stack, reporter.event, request)
    if request["operation"] in ("destroy", "preview_destroy"):
        return {}
    found: Mapping[str, Any] = stack.outputs()
    return {name: "[secret]" if each.secret else each.value for name, each in found.items()}


def _command() -> Any:
    """The command on the PATH. One that was built without a version counts as new enough."""
    import semver
    from pulumi import automation

    command = automation.PulumiCommand()
    if command.version is None:
        command.version = semver.VersionInfo(*ASSUMED)
    return command


def _run_program(path: Path, config: Mapping[str, str]) -> None:
    """Runs a program, with values that its stack's file does not have."""
    from pulumi.runtime import set_config

    for key, value in config.items():
        set_config(key, value)
    runpy.run_path(str(path), run_name="__main__")


def _preview(stack: Any, on_event: Any, request: Request) -> None:
    stack.preview(on_event=on_event, diff=True, refresh=bool(request.get("refresh")) or None)


def _up(stack: Any, on_event: Any, request: Request) -> None:
    exported = stack.export_stack()
    if exported.deployment.get("pending_operations"):
        # A deployment was cut off: ask the cloud what became of what it had begun.
        _adopt(stack, exported)
        stack.refresh(clear_pending_creates=True)
    stack.up(on_event=on_event, refresh=bool(request.get("refresh")) or None)


def _adopt(stack: Any, exported: Any) -> None:
    """Puts into the state what there is of the resources that were being made."""
    begun = adoption.begun(exported.deployment)
    found = adoption.adoptable(Cloud(), begun) if begun else {}
    if found:
        adoption.adopt(exported.deployment, found)
        stack.import_stack(exported)


def _drift(stack: Any, on_event: Any, request: Request) -> None:
    stack.preview_refresh(on_event=on_event)


def _refresh(stack: Any, on_event: Any, request: Request) -> None:
    stack.refresh(on_event=on_event, target=request.get("targets"))


def _destroy(stack: Any, on_event: Any, request: Request) -> None:
    stack.destroy(on_event=on_event)


def _preview_destroy(stack: Any, on_event: Any, request: Request) -> None:
    stack.preview_destroy(on_event=on_event)


_OPERATIONS: Mapping[str, Callable[[Any, Any, Request], None]] = {
    "preview": _preview,
    "up": _up,
    "drift": _drift,
    "refresh": _refresh,
    "destroy": _destroy,
    "preview_destroy": _preview_destroy,
}
_PHASES: Mapping[str, Phase] = {
    "resource_pre_event": "start",
    "res_outputs_event": "done",
    "res_op_failed_event": "failed",
}


def _step(phase: Phase, metadata: Any) -> Step:
    state = metadata.new or metadata.old
    detailed: Mapping[str, Any] = metadata.detailed_diff or {}
    diffs = tuple(sorted(detailed)) or tuple(metadata.diffs or ())
    keys = {_top(name) for name in diffs}
    return Step(
        phase,
        str(getattr(metadata.op, "value", metadata.op)),
        str(metadata.urn),
        str(metadata.type),
        id=str((metadata.old and metadata.old.id) or (metadata.new and metadata.new.id) or ""),
        parent=str((state and state.parent) or ""),
        protect=bool(metadata.old and metadata.old.protect),
        diffs=diffs,
        old=_values(metadata.old, keys),
        new=_values(metadata.new, keys),
    )


def _top(path: str) -> str:
    return path.split(".")[0].split("[")[0]


def _values(state: Any, keys: set[str]) -> dict[str, Any]:
    """Values of some properties: as inputs, or what the cloud has where they are none."""
    if state is None:
        return {}
    known: dict[str, Any] = {**(state.outputs or {}), **(state.inputs or {})}
    return {key: shortened(known[key]) for key in sorted(keys) if key in known}


def _plain(text: str) -> str:
    """A message of the engine without its marks of colour: `<{%reset%}>`."""
    while (begin := text.find("<{%")) >= 0 and (end := text.find("%}>", begin)) >= 0:
        text = text[:begin] + text[end + 3 :]
    return text


if __name__ == "__main__":
    sys.exit(main())
