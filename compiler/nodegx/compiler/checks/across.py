"""What workflows share: names, HTTP addresses, and calls of one another."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from nodegx.compiler.checked import Checked, CheckedWorkflow
from nodegx.compiler.diagnostics import Diagnostic, Pointer, Severity, quoted, suggestion
from nodegx.compiler.durability import awaited, durable_names, reached, suspends
from nodegx.compiler.graph import Literal, member

_PARAMETER: Final = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Route:
    """An address that a trigger answers: a method and a path with the names of its parameters
    taken out, since they do not tell addresses apart."""

    method: str
    path: str
    node: str
    pointer: Pointer


@dataclass(frozen=True, slots=True)
class Call:
    """A mention of another workflow. `waits` holds where the run stays until that has ended."""

    workflow: str
    node: str | None
    pointer: Pointer
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Interface:
    """What other workflows, and the rest of the world, see of a workflow. `durable` is what its
    settings say of it, `suspends` whether one of its own nodes may wait for long."""

    name: str
    slug: str
    file: Path | None
    pointer: Pointer
    callable: bool
    routes: tuple[Route, ...]
    calls: tuple[Call, ...]
    durable: bool | None = None
    suspends: bool = False


def interface_of(workflow: CheckedWorkflow, file: Path | None) -> Interface:
    """The interface of a checked workflow."""
    return Interface(
        name=workflow.name,
        slug=workflow.slug,
        file=file,
        pointer=workflow.pointer,
        callable=any(node.type.type == "trigger.manual" for node in workflow.nodes.values()),
        routes=tuple(_routes(workflow)),
        calls=tuple(_calls(workflow)),
        durable=workflow.settings.durable,
        suspends=suspends(workflow),
    )


def check_across(interfaces: Sequence[Interface], *, whole: bool) -> list[Diagnostic]:
    """Findings between workflows, with `file` and `pointer` but without line and column.

    Args:
        interfaces: all workflows that are looked at together, in the order of their files.
        whole: whether these are all there are; otherwise unknown workflows are only warned of.
    """
    return [
        *_same_names(interfaces),
        *_same_routes(interfaces),
        *_wrong_calls(interfaces, whole),
        *_lasting_calls(interfaces),
    ]


def place_findings(found: Iterable[Diagnostic], checked: Iterable[Checked]) -> list[Diagnostic]:
    """The findings of `check_across` with line and column, file by file."""
    by_file: dict[Path | None, list[Diagnostic]] = defaultdict(list)
    for diagnostic in found:
        by_file[diagnostic.file].append(diagnostic)
    return [
        placed for one in checked for placed in one.source.resolve(by_file.pop(one.source.path, []))
    ]


def _routes(workflow: CheckedWorkflow) -> Iterable[Route]:
    for node in workflow.nodes.values():
        if node.type.type == "cloud.request":
            path = f"/functions/{workflow.name.rsplit('/', 1)[-1]}"
            yield Route("POST", path, node.id, (*node.pointer, "type"))
        elif node.type.type == "trigger.webhook":
            path = _literal(node.params.get("path"), "")
            method = _literal(node.params.get("method"), "POST")
            methods = cast("list[str]", method) if isinstance(method, list) else [str(method)]
            shape = _PARAMETER.sub(_shape, str(path).rstrip("/") or "/")
            for name in dict.fromkeys(methods):
                yield Route(name, shape, node.id, node.param_pointer("path"))


def _shape(match: re.Match[str]) -> str:
    return "{*}" if match[0].endswith(":path}") else "{}"


def _calls(workflow: CheckedWorkflow) -> Iterable[Call]:
    if (handler := workflow.settings.on_error) is not None:
        yield Call(handler, None, (*workflow.pointer, "settings", "onError"))
    running = {node.id for node in reached(workflow)}
    for node in workflow.nodes.values():
        if node.type.type == "workflow.call":
            name = _literal(node.params.get("workflow"), None)
            if isinstance(name, str):
                waits = awaited(node) is not None and node.id in running
                yield Call(name, node.id, node.param_pointer("workflow"), waits)
        polled = member(node.params.get("poll"), "workflow")
        if isinstance(polled, Literal) and isinstance(polled.value, str):
            yield Call(polled.value, node.id, (*node.param_pointer("poll"), "workflow"))


def _literal(value: object, default: Any) -> Any:
    return value.value if isinstance(value, Literal) else default


def _same_names(interfaces: Sequence[Interface]) -> Iterable[Diagnostic]:
    names: dict[str, Interface] = {}
    slugs: dict[str, Interface] = {}
    for one in interfaces:
        pointer = (*one.pointer, "name")
        if (other := names.setdefault(one.name, one)) is not one:
            message = f"{quoted(one.name)} is the name of another workflow too{_in(other, one)}"
            hint = "names must be different in a project"
        elif (other := slugs.setdefault(one.slug, one)) is not one:
            message = f"{quoted(one.name)} and {quoted(other.name)} are both compiled to {one.slug}"
            hint = "choose names whose last parts differ by more than case and punctuation"
        else:
            continue
        yield Diagnostic("NX604", message, pointer, hint, file=one.file)


def _same_routes(interfaces: Sequence[Interface]) -> Iterable[Diagnostic]:
    taken: dict[tuple[str, str], tuple[Interface, Route]] = {}
    for one in interfaces:
        for route in one.routes:
            other, first = taken.setdefault((route.method, route.path), (one, route))
            if first is route:
                continue
            owner = f"node {quoted(first.node)}" if other is one else quoted(other.name)
            message = f"{route.method} {route.path} is answered by {owner} already"
            hint = "give one of the two another path or method"
            yield Diagnostic("NX602", message, route.pointer, hint, route.node, file=one.file)


def _wrong_calls(interfaces: Sequence[Interface], whole: bool) -> Iterable[Diagnostic]:
    known = {one.name: one for one in interfaces}
    short: dict[str, list[str]] = defaultdict(list)
    for name in known:
        short[name.rsplit("/", 1)[-1]].append(name)
    for one in interfaces:
        for call in one.calls:
            callee = known.get(call.workflow)
            if callee is not None and callee.callable:
                continue
            hint = "add a trigger.manual to it: that is where calls start"
            message = f"{quoted(call.workflow)} cannot be called"
            if callee is None:
                message = f"there is no workflow {quoted(call.workflow)}"
                full = short.get(call.workflow.rsplit("/", 1)[-1])
                hint = f'did you mean "{full[0]}"?' if full else ""
                hint = hint or suggestion(call.workflow, sorted(known), "workflows")
            severity = Severity.ERROR if whole or callee is not None else Severity.WARNING
            yield Diagnostic(
                "NX603", message, call.pointer, hint, call.node, severity=severity, file=one.file
            )


def _lasting_calls(interfaces: Sequence[Interface]) -> Iterable[Diagnostic]:
    """Calls that wait for durable workflows, in workflows that do not want to be durable."""
    durable = durable_names(interfaces)
    for one in interfaces:
        for call in one.calls if one.durable is False else ():
            if call.waits and call.workflow in durable:
                message = (
                    f"{quoted(call.workflow)} is durable and may take long; {quoted(one.name)} is"
                    " not, stays in memory as long, and is lost in a crash"
                )
                hint = 'remove "durable": false from the settings, or set `wait` to false'
                severity = Severity.WARNING
                yield Diagnostic(
                    "NX607", message, call.pointer, hint, call.node, None, severity, one.file
                )


def _in(other: Interface, one: Interface) -> str:
    return "" if other.file == one.file or other.file is None else f" (in {other.file.name})"
