"""Runs a compiled handler once: `python -m nodegx.runtime handler.py --input order.json`.

Needs nothing but Python and the files beside the handler. The answer goes to standard output as
JSON, log lines to standard error; the exit code is 0, 1 if the run failed, 2 if it was not asked
for properly.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from nodegx.runtime import logs
from nodegx.runtime.errors import FatalError, NodegxError
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.masking import masked_output
from nodegx.runtime.history.record import Status, StepRecord
from nodegx.runtime.loader import load
from nodegx.runtime.local import LocalHost
from nodegx.runtime.triggers.given import trigger_value
from nodegx.runtime.values import Trigger

SECRET_PREFIX = "NODEGX_SECRET_"  # noqa: S105  # a prefix of names, no secret


class UsageError(Exception):
    """The command line does not fit; the message says how."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m nodegx.runtime",
        description="Runs a compiled handler once and prints its answer as JSON.",
        epilog="Environment variables that the workflow reads are taken from the environment, "
        f"secrets from {SECRET_PREFIX}<NAME>.",
    )
    parser.add_argument("handler", help="handler.py, or the directory with it")
    parser.add_argument("--input", metavar="FILE", help="JSON input; - reads standard input")
    parser.add_argument("--trigger", metavar="ID", help="the trigger, where there are several")
    parser.add_argument(
        "--vars", metavar="FILE", help="JSON object of variables, or a nodegx.json that has them"
    )
    parser.add_argument("--steps", action="store_true", help="report each step on standard error")
    options = parser.parse_args(arguments)
    try:
        return asyncio.run(_run(options))
    except (UsageError, ImportError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


async def _run(options: argparse.Namespace) -> int:
    workflow = load(options.handler)
    path = Path(workflow.source.filename)
    manifest = _object(path.with_name("manifest.json"))
    entry = _choose(manifest["triggers"], options.trigger)
    data = None if options.input is None else _read(options.input)
    variables = {} if options.vars is None else _object(Path(options.vars))
    host = LocalHost(
        vars=variables["vars"] if isinstance(variables.get("vars"), dict) else variables,
        env={name: os.environ[name] for name in manifest["env"] if name in os.environ},
        secrets=_secrets(),
        publish=_publish,
    )
    try:
        value = trigger_value(entry["type"], entry["config"], data)
    except NodegxError as error:
        raise UsageError(f"the input does not fit: {error.message}") from None
    execution = Execution(
        workflow,
        Trigger(entry["node"], entry["type"], value),
        host,
        on_step=_report if options.steps else None,
        log=logs.Log("warning"),
    )
    with masked_output(host.secrets):
        await execution.start()
        record = await execution.finish()
    answer = execution.answer
    if answer is not None:
        shown = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
        print(json.dumps(shown, ensure_ascii=False, indent=2, default=str))
    return 0 if record.status == Status.SUCCESS else 1


def _choose(triggers: list[dict[str, Any]], wanted: str | None) -> dict[str, Any]:
    found = [trigger for trigger in triggers if wanted in (None, trigger["node"])]
    if len(found) == 1:
        return found[0]
    names = ", ".join(trigger["node"] for trigger in triggers)
    raise UsageError(f"choose one of its triggers with --trigger: {names}")


def _read(source: str) -> Any:
    name = "standard input" if source == "-" else source
    try:
        return json.loads(sys.stdin.read() if source == "-" else Path(source).read_text("utf-8"))
    except ValueError as error:
        raise UsageError(f"{name} is not JSON: {error}") from None


def _object(path: Path) -> dict[str, Any]:
    found = _read(str(path))
    if not isinstance(found, dict):
        raise UsageError(f"{path} is not a JSON object")
    return cast("dict[str, Any]", found)


def _secrets() -> Mapping[str, str]:
    return {
        name.removeprefix(SECRET_PREFIX): value
        for name, value in os.environ.items()
        if name.startswith(SECRET_PREFIX)
    }


def _report(step: StepRecord, phase: str) -> None:
    if phase == "end":
        port = f" -> {step.port}" if step.port not in (None, "done") else ""
        took = f"{step.duration * 1000:.1f} ms"
        print(f"{step.status.value:<9} {step.id} ({step.type}) {took}{port}", file=sys.stderr)


async def _publish(event: str, data: Any, id: str, source: str, depth: int) -> None:
    del data, source, depth
    if not event:
        raise FatalError("An event needs a name", code="emit.name")
    logs.default.write("info", f"event {event} goes nowhere: one handler runs alone", event=id)


if __name__ == "__main__":
    sys.exit(main())
