"""What a project and other workflows know, and a single workflow cannot."""

import json
from pathlib import Path
from typing import Any

import pytest
from nodegx.compiler.check import check, check_together
from nodegx.compiler.checked import Checked
from nodegx.compiler.project import Project, ProjectSpec
from nodegx.compiler.read import parse

from tests.support.checking import START, Json, checked, refused, wire, workflow


def project(**settings: Any) -> Project:
    return Project(Path("/project"), ProjectSpec.model_validate({"name": "p", **settings}))


def test_variables_of_the_project() -> None:
    data = workflow(
        START,
        {
            "id": "x",
            "type": "data.set",
            "parameters": {
                "value": ["{{ vars.baseUrl }}", {"a": "b {{ env.HOME + vars.bseUrl }}"}]
            },
        },
        wires=[wire("start.started", "x")],
    )
    assert checked(data)
    assert checked(data, project(vars={"baseUrl": "", "bseUrl": ""}, env=["HOME"]))
    found = refused(data, project(vars={"baseUrl": ""}))
    assert [(d.code, d.offset) for d in found] == [("NX403", 5), ("NX403", 16)]
    assert "nodegx.json" in found[0].hint
    assert "baseUrl" in found[1].hint


def hook(name: str, path: str, **parameters: Any) -> Json:
    node = {"id": "h", "type": "trigger.webhook", "parameters": {"path": path, **parameters}}
    return workflow(node, name=name)


def together(*workflows: Json, whole: bool = True) -> list[str]:
    files: list[Checked] = [
        check(parse(json.dumps(data), Path(f"{index}.json")))
        for index, data in enumerate(workflows)
    ]
    found = check_together(files, whole=whole)
    assert all(d.line == 1 and d.file is not None for d in found)
    return [f"{d.severity[0]} {d.code} {d.file}" for d in found]


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        (hook("/A", "/x"), hook("/B", "/x"), True),
        (hook("/A", "/x"), hook("/B", "/x/"), True),
        (hook("/A", "/{a}"), hook("/B", "/{b}"), True),
        (hook("/A", "/{a}"), hook("/B", "/{b:path}"), False),
        (hook("/A", "/x"), hook("/B", "/{b}"), False),
        (hook("/A", "/x"), hook("/B", "/x", method="GET"), False),
        (hook("/A", "/x", method=["GET", "PUT"]), hook("/B", "/x", method=["PUT"]), True),
        (
            workflow({"id": "r", "type": "cloud.request"}, name="/A"),
            hook("/B", "/functions/A"),
            True,
        ),
    ],
)
def test_addresses(first: Json, second: Json, clash: bool) -> None:
    assert together(first, second) == (["e NX602 1.json"] if clash else [])


def test_names_are_different_in_a_project() -> None:
    one, two = workflow(START, name="/a/Order"), workflow(START, name="/b/order")
    assert together(one, one) == ["e NX604 1.json"]
    assert together(one, two) == ["e NX604 1.json"]


def test_calls() -> None:
    def caller(target: str) -> Json:
        call = {"id": "c", "type": "workflow.call", "parameters": {"workflow": target}}
        wires = [wire("start.started", "c")]
        return workflow(START, call, wires=wires, name="/Caller", settings={"onError": target})

    callee = workflow(START, name="/dir/Callee")
    assert together(caller("/dir/Callee"), callee) == []
    assert together(caller("Callee"), callee) == ["e NX603 0.json"] * 2
    assert together(caller("Callee"), callee, whole=False) == ["w NX603 0.json"] * 2
    assert together(caller("/H"), hook("/H", "/x"), whole=False) == ["e NX603 0.json"] * 2


def test_the_hint_for_a_call_by_its_short_name() -> None:
    files = [
        check(parse(json.dumps(workflow(START, name="/Caller", settings={"onError": "Ops"})))),
        check(parse(json.dumps(workflow(START, name="/dir/Ops")), Path("ops.json"))),
    ]
    (found,) = check_together(files)
    assert found.hint == 'did you mean "/dir/Ops"?'
