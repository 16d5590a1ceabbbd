"""What a deployment would change, in terms of workflows: from one plan to another."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from nodegx.compiler.targets.aws.plan import Plan

from .stackfiles import StackFile

Kind = Literal["added", "removed", "changed", "same"]
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing about a workflow that changes. `sign` is `+`, `-` or `~`."""

    sign: Literal["+", "-", "~"]
    text: str


@dataclass(frozen=True, slots=True)
class WorkflowChange:
    """What happens to a workflow.

    Args:
        slug: its directory's name.
        workflow: its name.
        kind: whether it is new, goes, changes or stays.
        changes: what about it; of a new one, what it consists of.
    """

    slug: str
    workflow: str
    kind: Kind
    changes: tuple[Change, ...] = ()

    @property
    def is_code_only(self) -> bool:
        """Whether nothing but its code changes."""
        return self.kind == "changed" and self.changes == (CODE,)


CODE = Change("~", "code")

_Unit = Callable[[Any], str]

_FIELDS: Mapping[str, tuple[str, _Unit]] = {
    "memory": ("memory", lambda value: f"{value} MiB"),
    "timeout": ("timeout", lambda value: f"{value} s"),
    "concurrency": ("concurrency", lambda value: "shared" if value is None else str(value)),
    "architecture": ("architecture", str),
    "runtime": ("runtime", str),
    "history": ("history", lambda value: "on" if value else "off"),
    "retentionDays": (
        "history kept",
        lambda value: "as the project says" if value is None else f"{value} days",
    ),
}
"""Settings that have a value: how they are called, and how a value is shown."""

_LISTS: Mapping[str, str] = {
    "calls": "calls",
    "emits": "emits",
    "secrets": "reads secret",
    "vars": "reads variable",
    "env": "reads environment variable",
    "packages": "package",
}
"""Settings that are lists, and how one item is called."""


def plan_data(plan: Plan, file: StackFile) -> dict[str, Any]:
    """A plan as JSON data, as its stack wants it."""
    data: dict[str, Any] = json.loads(json.dumps(plan.to_json()))
    for function in data["functions"]:
        given = file.overrides(function["slug"])
        for name in ("memory", "concurrency"):
            if given.get(name) is not None:
                function[name] = given[name]
        if given.get("shared"):
            function["concurrency"] = None
    return data


def compare(
    old: Json | None, new: Json, new_code: Mapping[str, bool] | None = None
) -> list[WorkflowChange]:
    """What happens to each workflow, by slug.

    Args:
        old: the plan that is in place, as `plan_data` gives it; None for nothing.
        new: the plan that shall be, likewise.
        new_code: whether the code of a function differs from what is in place, by slug.
    """
    before, after = _by_slug(old), _by_slug(new)
    found: list[WorkflowChange] = []
    for slug in sorted(before.keys() | after.keys()):
        one, other = before.get(slug), after.get(slug)
        if other is None:
            found.append(WorkflowChange(slug, str((one or {})["workflow"]), "removed"))
        elif one is None:
            name = str(other["workflow"])
            found.append(WorkflowChange(slug, name, "added", tuple(_contents(other))))
        else:
            changes = list(_differences(one, other))
            if (new_code or {}).get(slug):
                changes.append(CODE)
            kind: Kind = "changed" if changes else "same"
            found.append(WorkflowChange(slug, str(other["workflow"]), kind, tuple(changes)))
    return found


def variables_changed(old: Json | None, new: Json) -> list[Change]:
    """Changes of the project's variables; values are not shown, they may be long or private."""
    before: Json = (old or {}).get("vars") or {}
    after: Json = new.get("vars") or {}
    names = sorted(name for name in before.keys() & after.keys() if before[name] != after[name])
    return [Change("~", f"variable {name}") for name in names]


def trigger_text(trigger: Json) -> str:
    """A trigger in a few words: `POST /orders`, `schedule cron(0 7 * * ? *) UTC`."""
    return _TRIGGERS[trigger["kind"]](trigger)


def _by_slug(plan: Json | None) -> dict[str, Json]:
    return {each["slug"]: each for each in (plan or {}).get("functions", ())}


def _contents(function: Json) -> Iterator[Change]:
    for trigger in function["triggers"]:
        yield Change("+", trigger_text(trigger))
    yield Change("+", f"memory {function['memory']} MiB, timeout {function['timeout']} s")
    for name, text in _LISTS.items():
        for item in sorted(function.get(name) or ()):
            if name in ("calls", "emits", "secrets"):
                yield Change("+", f"{text} {item}")


def _differences(old: Json, new: Json) -> Iterator[Change]:
    for name, (text, unit) in _FIELDS.items():
        if old.get(name) != new.get(name):
            yield Change("~", f"{text} {unit(old.get(name))} → {unit(new.get(name))}")
    yield from _trigger_differences(old["triggers"], new["triggers"])
    for name, text in _LISTS.items():
        before: set[str] = set(old.get(name) or ())
        after: set[str] = set(new.get(name) or ())
        yield from (Change("+", f"{text} {item}") for item in sorted(after - before))
        yield from (Change("-", f"{text} {item}") for item in sorted(before - after))


def _trigger_differences(old: Iterable[Json], new: Iterable[Json]) -> Iterator[Change]:
    before = {trigger["node"]: trigger for trigger in old}
    after = {trigger["node"]: trigger for trigger in new}
    for node, trigger in after.items():
        if node not in before:
            yield Change("+", trigger_text(trigger))
        elif _essence(before[node]) != _essence(trigger):
            one, other = trigger_text(before[node]), trigger_text(trigger)
            what = (
                f"{one} → {other}" if one != other else f"{other}: {_what(before[node], trigger)}"
            )
            yield Change("~", what)
    for node, trigger in before.items():
        if node not in after:
            yield Change("-", trigger_text(trigger))


def _essence(trigger: Json) -> dict[str, Any]:
    """What of a trigger matters to the cloud."""
    return {name: value for name, value in trigger.items() if name not in ("name", "pause")}


def _what(old: Json, new: Json) -> str:
    one, other = _essence(old), _essence(new)
    names = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    return ", ".join(f"{name} {one.get(name)} → {other.get(name)}" for name in names)


def _event(trigger: Json) -> str:
    names: list[Any] = trigger["pattern"].get("detail-type", ["*"])
    shown: list[str] = [n if isinstance(n, str) else f"{n['prefix']}*" for n in names]
    return f"event {', '.join(shown)}"


_TRIGGERS: Mapping[str, Callable[[Json], str]] = {
    "http": lambda t: ", ".join(t["routes"]),
    "schedule": lambda t: (
        f"schedule {t['expression']}"
        + (f" {t['timezone']}" if t["expression"].startswith("cron") else "")
    ),
    "event": _event,
    "queue": lambda t: f"queue {t['queue']}",
    "file": lambda t: f"files of {t['bucket']}" + (f"/{t['prefix']}" if t.get("prefix") else ""),
    "record": lambda t: f"changes of table {t['table']}",
    "manual": lambda t: "manual start",
}
