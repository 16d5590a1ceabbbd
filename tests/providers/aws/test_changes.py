from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nodegx.compiler.targets.aws.plan import (
    EventTrigger,
    FileTrigger,
    Function,
    HttpTrigger,
    ManualTrigger,
    Plan,
    QueueTrigger,
    RecordTrigger,
    ScheduleTrigger,
    Trigger,
)
from nodegx.providers.aws.changes import (
    CODE,
    compare,
    plan_data,
    trigger_text,
    variables_changed,
)
from nodegx.providers.aws.stackfiles import StackFile

HTTP = HttpTrigger(node="order", name="order", routes=("POST /orders", "OPTIONS /orders"))
NIGHTLY = ScheduleTrigger(
    node="nightly", name="nightly", expression="cron(0 2 * * ? *)", timezone="UTC", pause=86_400
)


def plan(*functions: Function, vars: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
    file = StackFile(Path("x"), "shop", {f"shop:{key}": value for key, value in config.items()})
    return plan_data(Plan(project="shop", functions=functions, vars=vars or {}), file)


def function(slug: str = "orders", **settings: Any) -> Function:
    given: dict[str, Any] = {"timeout": 35, "triggers": (HTTP,), **settings}
    return Function(slug=slug, workflow=f"/#__cloud__/{slug.title()}", **given)


def details(old: Function, new: Function, code: bool = False) -> list[str]:
    (found,) = compare(plan(old), plan(new), {new.slug: code})
    assert found.kind == ("changed" if found.changes else "same")
    return [f"{each.sign} {each.text}" for each in found.changes]


def test_the_first_time() -> None:
    (found,) = compare(None, plan(function(secrets=("KEY",), calls={"/x/B": "b"})))
    assert (found.kind, found.workflow) == ("added", "/#__cloud__/Orders")
    assert [each.text for each in found.changes] == [
        "POST /orders, OPTIONS /orders",
        "memory 256 MiB, timeout 35 s",
        "calls /x/B",
        "reads secret KEY",
    ]


def test_added_removed_and_the_same() -> None:
    found = compare(plan(function("a"), function("b")), plan(function("b"), function("c")))
    assert [(each.slug, each.kind) for each in found] == [
        ("a", "removed"),
        ("b", "same"),
        ("c", "added"),
    ]


def test_settings() -> None:
    new = function(memory=512, timeout=65, concurrency=5, history=False, retention_days=7)
    assert details(function(), new) == [
        "~ memory 256 MiB → 512 MiB",
        "~ timeout 35 s → 65 s",
        "~ concurrency shared → 5",
        "~ history on → off",
        "~ history kept as the project says → 7 days",
    ]


def test_lists() -> None:
    old = function(secrets=("A", "B"), emits=("x",), packages=("mangum",))
    new = function(secrets=("B", "C"), emits=("x",), packages=("mangum", "numpy"))
    assert details(old, new) == ["+ reads secret C", "- reads secret A", "+ package numpy"]


def test_triggers() -> None:
    rate = ScheduleTrigger(node="nightly", name="nightly", expression="rate(1 hour)", pause=3600)
    assert details(function(), function(triggers=(HTTP, NIGHTLY))) == [
        "+ schedule cron(0 2 * * ? *) UTC"
    ]
    assert details(function(triggers=(HTTP, NIGHTLY)), function(triggers=(HTTP, rate))) == [
        "~ schedule cron(0 2 * * ? *) UTC → schedule rate(1 hour)"
    ]
    assert details(function(triggers=(NIGHTLY,)), function(triggers=(HTTP,))) == [
        "+ POST /orders, OPTIONS /orders",
        "- schedule cron(0 2 * * ? *) UTC",
    ]
    slow = HttpTrigger(node="order", name="order", routes=HTTP.routes, rate=2.0, burst=120)
    assert details(function(), function(triggers=(slow,))) == [
        "~ POST /orders, OPTIONS /orders: burst None → 120, rate None → 2.0"
    ]


def test_what_follows_from_the_rest_is_not_told_twice() -> None:
    moved = ScheduleTrigger(**{**vars(NIGHTLY), "pause": 90_000})
    assert details(function(triggers=(NIGHTLY,)), function(triggers=(moved,))) == []


def test_code_alone() -> None:
    (found,) = compare(plan(function()), plan(function()), {"orders": True})
    assert found.is_code_only
    assert found.changes == (CODE,)
    (found,) = compare(plan(function()), plan(function(memory=512)), {"orders": True})
    assert not found.is_code_only


def test_stacks_set_things_differently() -> None:
    functions = {"orders": {"memory": 1024, "concurrency": 3}}
    (found,) = compare(plan(function()), plan(function(), functions=functions))
    assert [each.text for each in found.changes] == [
        "memory 256 MiB → 1024 MiB",
        "concurrency shared → 3",
    ]
    shared = {"orders": {"shared": True}}
    data = plan(function(concurrency=9), functions=shared)
    assert data["functions"][0]["concurrency"] is None


def test_variables_show_no_values() -> None:
    old, new = plan(vars={"a": 1, "b": "x", "c": 0}), plan(vars={"a": 1, "b": "secret", "d": 0})
    assert [each.text for each in variables_changed(old, new)] == ["variable b"]
    assert variables_changed(None, new) == []


@pytest.mark.parametrize(
    ("trigger", "text"),
    [
        (QueueTrigger(node="q", name="q", queue="jobs", visibility_timeout=60), "queue jobs"),
        (FileTrigger(node="f", name="f", bucket="in", notification="f"), "files of in"),
        (
            FileTrigger(node="f", name="f", bucket="in", prefix="a/", notification="f"),
            "files of in/a/",
        ),
        (RecordTrigger(node="r", name="r", table="orders"), "changes of table orders"),
        (EventTrigger(node="e", name="e", pattern={"detail-type": ["a.b"]}), "event a.b"),
        (
            EventTrigger(node="e", name="e", pattern={"detail-type": [{"prefix": "a."}]}),
            "event a.*",
        ),
        (EventTrigger(node="e", name="e", pattern={}), "event *"),
        (ManualTrigger(node="m", name="m"), "manual start"),
    ],
)
def test_triggers_in_a_few_words(trigger: Trigger, text: str) -> None:
    (data,) = plan(function(triggers=(trigger,)))["functions"]
    assert trigger_text(data["triggers"][0]) == text
