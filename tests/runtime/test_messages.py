"""What an expression's failure says, in handlers as the compiler writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime.errors import FatalError
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.record import StepRecord
from nodegx.runtime.loader import load
from nodegx.runtime.local import LocalHost
from nodegx.runtime.logs import Log
from nodegx.runtime.messages import code_of, describe, describe_type, is_retriable
from nodegx.runtime.values import Trigger

HANDLER = """\
from typing import Any, NamedTuple

from nodegx.runtime import Node, Run, workflow

FIRST = Node("first", "data.set")
WORK = Node("work it", "data.set")


def echo(value: Any) -> Any:
    return value


async def code(value: Any) -> Any:
    return value["gone"]


class Response(NamedTuple):
    status: int
    body: Any


@workflow("/Words")
async def words(run: Run) -> None:
    order = run.trigger
    charge = None
    await run.step(FIRST, echo, 1)
    await run.step(
        WORK,
        {function},
        {expression},
    )
"""


class Order(tuple[Any, ...]):  # stands for the NamedTuple of a webhook
    body: Any


def ignore(step: StepRecord, when: str) -> None:
    """An observer, so that steps are recorded."""


async def failure_of(
    folder: Path, expression: str, function: str = "echo", body: Any = None
) -> dict[str, Any]:
    """The recorded error of a handler with this expression."""
    text = HANDLER.replace("{function}", function).replace("{expression}", expression)
    path = folder / "handler.py"
    path.write_text(text, "utf-8")
    line = text[: text.index(expression)].count("\n") + 1
    lines = [[line - 2, line + 1, "work it"], [line - 3, line - 3, "first"]]
    (folder / "handler.map.json").write_text(json.dumps({"version": 1, "lines": lines}))
    order = Order()
    order.body = body
    run = Execution(
        load(path),
        Trigger("order", "trigger.webhook", order),
        LocalHost(vars={"url": "x"}),
        on_step=ignore,
        log=Log("error", (folder / "log").open("w")),
    )
    await run.start()
    record = await run.finish()
    assert [step.node for step in record.steps] == ["first", "work it"]
    assert record.steps[1].status == "error"
    return json.loads(record.error or "")


BODY: dict[str, Any] = {
    "total": 5,
    "name": "Ada",
    "items": [1, 2],
    "none": None,
    "deep": {"a b": {}},
    "zero": 0,
}


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ('order.body["gone"]', "`order.body` has no key 'gone'"),
        ('order.body["deep"]["a b"]["x"]', "`order.body.deep['a b']` has no key 'x'"),
        ('{"a": order.body["deep"]["gone"]}', "`order.body.deep` has no key 'gone'"),
        ("f\"Hi {order.body['gone']}!\"", "`order.body` has no key 'gone'"),
        ('run.vars["gone"]', "`vars` has no key 'gone'"),
        ('order.body["items"][7]', "`order.body.items` has no element 7"),
        ('order.body["items"][-7]', "`order.body.items` has no element -7"),
        (
            'order.body["items"][order.body["total"]]',
            "`order.body.items` has no element at `order.body.total`",
        ),
        ('order.body["total"] / order.body["zero"]', "division by zero in `order.body.total / order.body.zero`"),
        ('7 % order.body["zero"]', "division by zero in `7 % order.body.zero`"),
        ('order.body["none"]["x"]', "`order.body.none` is null, so it has no `x`"),
        ('order.body["none"].upper()', "`order.body.none` is null, so it has no `upper`"),
        ("charge.body", "`charge` did not run in this execution, or has no value"),
        ('charge.body["id"]', "`charge` did not run in this execution, or has no value"),
        ('charge["id"]', "`charge` did not run in this execution, or has no value"),
        ('order.body["total"]["x"]', "`order.body.total` is a number, so it has no `x`"),
        ('order.body["name"]["x"]', "`order.body.name` is text, so it has no `x`"),
        ('order.body["items"]["x"]', "`order.body.items` is a list, so it has no `x`"),
        ('order.body["total"].upper()', "`order.body.total` is a number, without `upper`"),
        ('order.body["name"] > 3', "cannot compare text with a number in `order.body.name > 3`"),
        ('order.body["name"] - 3', "cannot apply `-` to text and a number in `order.body.name - 3`"),
        ('order.body["none"] + 3', "cannot apply `+` to null and a number in `order.body.none + 3`"),
        ('order.body["name"] + 3', "cannot join text and a number in `order.body.name + 3`"),
        ('order.body["items"] + "x"', "cannot join a list and text in `order.body.items + 'x'`"),
        ('"a" in order.body["total"]', "`order.body.total` needs a list, not a number"),
        ('[x for x in order.body["total"]]', "`order.body.total` needs a list, not a number"),
        ('max(order.body["total"])', "`max(order.body.total)` needs a list, not a number"),
        ('int(order.body["name"])', "ValueError: invalid literal for int() with base 10: 'Ada'"),
    ],
)  # fmt: skip
async def test_an_expression_that_fails_is_quoted_as_its_author_wrote_it(
    tmp_path: Path, expression: str, message: str
) -> None:
    error = await failure_of(tmp_path, expression, body=BODY)
    assert error["message"] == message
    assert error["node"] == "work it"
    assert error["category"] == "fatal"


async def test_failures_inside_user_code_stay_pythons(tmp_path: Path) -> None:
    error = await failure_of(tmp_path, "{}", function="code")
    assert error["message"] == "KeyError: 'gone'"
    assert error["code"] == "python.KeyError"
    assert error["node"] == "work it"


async def test_lambdas_of_a_node_are_the_workflows_own_words(tmp_path: Path) -> None:
    function = "lambda items: [(lambda item, index: item['x'])(item, 0) for item in items]"
    error = await failure_of(tmp_path, "[{}]", function=function)
    assert error["message"] == "`item` has no key 'x'"


async def test_the_log_names_nodes_not_frames(tmp_path: Path) -> None:
    await failure_of(tmp_path, 'order.body["gone"]', body={})
    line = json.loads((tmp_path / "log").read_text().splitlines()[0])
    assert line["node"] == "work it"
    assert len(line["trace"]) == 1
    assert line["trace"][0].startswith("node work it (handler.py:")
    assert line["trace"][0].endswith('order.body["gone"],')


def test_errors_without_a_handler_are_still_described() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert describe(KeyError("x")) == "KeyError: 'x'"
    assert describe(ValueError()) == "ValueError"
    assert describe(Mute()) == "Mute"
    assert describe(FatalError("plain words")) == "plain words"
    missing = ModuleNotFoundError("No module named 'numpy'", name="numpy")
    assert describe(missing).startswith("the module `numpy` is not installed")
    assert code_of(KeyError()) == "python.KeyError"
    assert is_retriable(ConnectionRefusedError())
    assert not is_retriable(OSError())


def test_types_have_the_names_of_json() -> None:
    values: list[Any] = [None, True, 1, 1.5, "", [], (), {}, b""]
    named = [describe_type(value) for value in values]
    assert named == [
        "null", "a boolean", "a number", "a number", "text", "a list", "a list", "an object",
        "binary data",
    ]  # fmt: skip


def test_long_expressions_are_cut(tmp_path: Path) -> None:
    namespace: dict[str, Any] = {}
    text = "def handler(a):\n    return a / 0 + " + " + ".join(["a"] * 100) + "\n"
    path = tmp_path / "handler.py"
    path.write_text(text)
    exec(compile(text, str(path), "exec"), namespace)
    from nodegx.runtime.sourcemap import SourceMap

    with pytest.raises(ZeroDivisionError) as caught:
        namespace["handler"](1)
    assert describe(caught.value, SourceMap(str(path), "handler")) == "division by zero in `a / 0`"
    missing = SourceMap(str(tmp_path / "gone.py"), "handler")
    assert describe(caught.value, missing) == "ZeroDivisionError: division by zero"
