"""`entry.py`: binds a handler to what invokes its function, when it is compiled."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from nodegx.compiler.manifest import Manifest, TriggerEntry
from nodegx.compiler.printer import print_module

from .plan import Function

MODULE = "nodegx.runtime.aws.entry"
REPEATS_MODULE = "nodegx.runtime.aws.idempotent"
ONCE = "once"
"""Binds triggers that tell repeats. What it takes is in the bundles of their functions only."""
WOKEN_MODULE = "nodegx.runtime.aws.durable"
DURABLE, CONTINUED = "durable", "continued"
"""Bind workflows whose executions may go on in another invocation; likewise."""


def entry(manifest: Manifest, function: Function) -> str:
    """The text of a workflow's `entry.py`."""
    bound = [_binding(manifest, trigger) for trigger in manifest.triggers]
    binder = _binder(function, len(bound))
    adapters = sorted({name for name, _ in bound} | ({"bound"} & {binder}))
    name = manifest.handler.function
    imported = name if _local(manifest) == name else f"{name} as {_local(manifest)}"
    calls = [call for _, call in bound]
    if function.durable and (labels := _labels(manifest, function)):
        calls.append(f"labels={labels!r}")
    handler = calls[0] if binder is None else f"{binder}({', '.join(calls)})"
    last = manifest.name.rpartition("/")[2]
    doc = (
        f"AWS Lambda entry of {last}: `{function.handler}`.\n\n"
        f"Compiled by nodegx from {manifest.source}. Edit the workflow, not this file.\n"
        "Nothing that a cold start makes is garbage, and its bytecode could be written nowhere.\n"
    )
    text = [
        repr(doc),
        "import gc",
        "import sys",
        "gc.disable()",
        "sys.dont_write_bytecode = True",
        f"from {manifest.handler.module} import {imported}",
        f"from {MODULE} import {', '.join(adapters)}",
        *([f"from {WOKEN_MODULE} import {binder}"] if function.is_woken else []),
        *([f"from {REPEATS_MODULE} import {ONCE}"] if function.keys else []),
        f"handler = {handler}",
        "gc.freeze()",
        "gc.enable()",
    ]
    return print_module(ast.parse("\n".join(text))).text


def _binder(function: Function, triggers: int) -> str | None:
    """What makes one handler of several triggers; None where one trigger is the handler."""
    if function.is_woken:
        return DURABLE if function.durable else CONTINUED
    return "bound" if triggers > 1 else None


def _labels(manifest: Manifest, function: Function) -> dict[str, str]:
    """Labels of the nodes that forms may stand for."""
    if function.resume_route is None:
        return {}
    return {node.id: node.label for node in manifest.nodes if node.type == WAIT and node.label}


def _binding(manifest: Manifest, entry: TriggerEntry) -> tuple[str, str]:
    """The adapter of a trigger, and the call that makes it."""
    adapter, keys = _ADAPTERS[entry.type]
    config = {
        name: value
        for name, value in entry.config.items()
        if value is not None and (keys is None or name in keys)
    }
    if adapter == "event" and "filter" not in config:
        config.pop("event")  # the rule knows the name, and lets nothing else through
    arguments = [_local(manifest), repr(entry.node), *([repr(config)] if config else [])]
    if adapter in ("http", "request") and not manifest.responds:
        arguments.append("responds=False")
    call = f"{adapter}({', '.join(arguments)})"
    return adapter, f"{ONCE}({call})" if _REPEATS in config else call


def _local(manifest: Manifest) -> str:
    """The handler's name in `entry.py`, where some names are taken."""
    name = manifest.handler.function
    taken = {
        "bound",
        "gc",
        "handler",
        "sys",
        ONCE,
        DURABLE,
        CONTINUED,
        *(adapter for adapter, _ in _ADAPTERS.values()),
    }
    return "workflow" if name in taken else name


WAIT = "logic.wait"
_REPEATS = "idempotency"
_ADAPTERS: Mapping[str, tuple[str, tuple[str, ...] | None]] = {
    "trigger.webhook": ("http", None),
    "cloud.request": ("request", None),
    "trigger.schedule": ("schedule", ("timezone",)),
    "trigger.event": ("event", ("event", "filter", _REPEATS)),
    "trigger.queue": ("queue", (_REPEATS,)),
    "trigger.file": ("file", (_REPEATS,)),
    "trigger.record": ("record", ("events", "filter", _REPEATS)),
    "trigger.manual": ("manual", ("inputs", _REPEATS)),
}
"""The adapter of each type of trigger, and the parameters that it needs; None is all."""
