"""Which failures of a journal led to the end, told from those that the workflow handled."""

from __future__ import annotations

import json

import pytest
from nodegx.runtime.durable.operations.failures import decisive, redone
from nodegx.runtime.durable.state import Entry, Kind, RunState
from nodegx.runtime.errors import ErrorInfo

from tests.support.operated import CODEC


def failed(key: str, node: str = "pay") -> Entry:
    info = ErrorInfo("The service is down", "http.status", "retriable", node, 1, None)
    return Entry(key, Kind.FAILURE, CODEC.encode(info))


def tried(key: str) -> Entry:
    return Entry(key, Kind.ATTEMPT, "1.0")


def won(key: str) -> Entry:
    return Entry(f"{key}!winner", Kind.WINNER, "0")


def done(key: str) -> Entry:
    return Entry(key, Kind.RESULT, "null")


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([failed("pay")], ["pay"]),
        ([failed("other", "other"), done("save"), failed("pay")], ["pay"]),
        # iterations of a loop that failed together
        ([failed("pay[3]"), done("pay[4]"), failed("pay[30]")], ["pay[3]", "pay[30]"]),
        # attempts at a block
        ([failed("pay"), tried("again!1"), failed("pay#2")], ["pay#2"]),
        ([failed("pay[2]"), failed("pay[2]#2"), failed("pay[4]")], ["pay[2]#2", "pay[4]"]),
        ([failed("pay[3]"), failed("pay#2[5]")], ["pay#2[5]"]),
        ([failed("pay#2[1]"), failed("pay#2[1]#2"), failed("pay#3[0]")], ["pay#3[0]"]),
        # attempts at the whole workflow
        ([failed("pay[3]"), tried("!1"), failed("pay[5]#2")], ["pay[5]#2"]),
        # races: another branch won in the first iteration, none in the second
        ([failed("pay[0]"), won("first[0]"), failed("pay[1]")], ["pay[1]"]),
        ([failed("pay[0]"), won("first[1]")], ["pay[0]"]),
        # what looks handled is still the best guess if there is nothing else
        ([failed("pay"), won("first")], ["pay"]),
        # the failure of no step
        ([done("pay")], []),
    ],
)
def test_decisive_failures(entries: list[Entry], expected: list[str]) -> None:
    for number, entry in enumerate(entries, start=1):
        entry.number = number
    error = json.dumps({"message": "down", "node": "pay"})
    assert [entry.key for entry in decisive(state(error), entries)] == expected


def state(error: str | None) -> RunState:
    return RunState("1", "/Pay", "r", "start", "trigger.manual", "null", 0.0, error=error)


@pytest.mark.parametrize("error", [None, "", "null", "cut {", '{"node": null}', '{"node": [1]}'])
def test_without_a_node_no_step_is_to_blame(error: str | None) -> None:
    assert decisive(state(error), [failed("pay")]) == []


@pytest.mark.parametrize("value", ["", "{}", "[]", '{"$":["record","x"]}', '{"$":7}'])
def test_unreadable_failures_are_nobodys(value: str) -> None:
    error = json.dumps({"node": "pay"})
    assert decisive(state(error), [Entry("pay", Kind.FAILURE, value)]) == []


def test_what_goes_with_a_failure() -> None:
    entries = [
        tried("pay!1"),
        Entry("pay!wait", Kind.WAIT, "1.0"),
        Entry("pay!answer", Kind.ANSWER, "null"),
        Entry("pay!uuid", Kind.DRAW, '"u"'),
        Entry("pay2!1", Kind.ATTEMPT, "1.0"),
        Entry("pay[1]!1", Kind.ATTEMPT, "1.0"),
    ]
    assert list(redone(failed("pay"), entries, child=True)) == ["pay", "pay!1", "pay!wait"]
    called = [*entries, Entry("pay!child", Kind.DRAW, "02")]
    assert list(redone(failed("pay"), called, child=False)) == [
        "pay",
        "pay!1",
        "pay!wait",
        "pay!answer",
    ]
    assert "pay!child" in list(redone(failed("pay"), called, child=True))
