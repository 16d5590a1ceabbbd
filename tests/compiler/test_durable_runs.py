"""What is compiled is what the durable runtime expects: waits, their URLs, their outcomes.

The executions are real; only what keeps them is memory in place of a database.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from nodegx.runtime.durable import tokens
from nodegx.runtime.durable.codec import Codec
from nodegx.runtime.durable.execution import DurableExecution
from nodegx.runtime.durable.resumption import Resumption
from nodegx.runtime.history.record import Status
from nodegx.runtime.loader import load
from nodegx.runtime.values import Trigger
from nodegx.runtime.workflow import Workflow

from tests.support.durable_memory import DurableLocalHost, MemoryRuns, run_to_the_end
from tests.support.graphs import Document, compiled, document, node, put


def workflow(drawn: Document, directory: Path) -> Workflow:
    folder = directory / drawn["name"].rpartition("/")[2]
    folder.mkdir()
    for name, content in compiled(drawn).files().items():
        (folder / name).write_bytes(content)
    return load(folder)


class Story:
    """One execution, pass after pass, and the requests that come in between."""

    def __init__(self, drawn: Document, directory: Path, value: Any = None) -> None:
        self.workflow = workflow(drawn, directory)
        assert self.workflow.settings.durable
        self.host = DurableLocalHost(MemoryRuns())
        self.execution = DurableExecution(
            self.workflow, Trigger("start", "trigger.manual", value), self.host
        )
        self.id = self.execution.id
        self.passes = 0

    async def go(self) -> Status:
        """The next pass."""
        if self.passes:
            kept = self.host.runs.claim(self.id)
            self.execution = Resumption(self.workflow, kept, self.host).durable()
        self.passes += 1
        await self.execution.start()
        await self.execution.finish()
        return self.execution.record.status

    def request(self, url: str, body: Any, action: str | None = None) -> None:
        """Somebody opens a URL that the workflow has sent."""
        assert url.startswith(f"{self.host.url}/_nodegx/resume/{self.id}/")
        step, token = map(unquote, url.split("/")[-2:])
        assert tokens.is_token(self.host.runs.states[self.id].secret, step, token)
        value = {"body": body, "query": {}, "headers": {}, "action": action}
        text = Codec({}, {}).encode(value)
        assert self.host.runs.answer(self.id, tokens.answer_key(step), text)

    def output(self, step: str) -> Any:
        """What the history says that a step gave."""
        (found,) = (each for each in self.execution.record.steps if each.id == step)
        return json.loads(found.output or "null")


async def test_a_form_that_is_sent(tmp_path: Path) -> None:
    drawn = document(
        "start > mail > ask; ask.done > end; ask.timeout > late",
        put("mail", "{{ resumeUrl('ask') }}"),
        node("ask", "logic.wait", webhook={"form": {"title": "{{ start.title }}"}}, timeout="1h"),
        put("end", {"body": "{{ ask.body.note }}", "action": "{{ ask.action }}"}),
    )
    story = Story(drawn, tmp_path, {"title": "Really?"})
    assert await story.go() is Status.WAITING
    (wait,) = story.host.runs.states[story.id].waits
    assert wait.spec is not None
    assert wait.spec["webhook"] == {"form": {"title": "Really?"}}
    story.request(story.output("mail"), {"note": "fine"}, "approve")
    assert await story.go() is Status.SUCCESS
    assert story.output("end") == {"body": "fine", "action": "approve"}
    assert "late" not in {step.node for step in story.execution.record.steps}


async def test_every_turn_of_a_loop_has_a_url_and_so_has_what_is_around(tmp_path: Path) -> None:
    drawn = document(
        "start > each > again > all > end; each.iteration > mail > ask; again.attempt > tell",
        node("each", "logic.forEach", items="{{ start }}", concurrency=3, result="{{ ask.body }}"),
        put("mail", ["{{ resumeUrl('ask') }}", "{{ resumeUrl('all') }}"]),
        node("ask", "logic.wait", webhook={}),
        node("again", "logic.retry"),
        put("tell", "{{ resumeUrl('all') }}"),
        node("all", "logic.wait", webhook={}),
        put("end", ["{{ each.results }}", "{{ all.body }}"]),
    )
    story = Story(drawn, tmp_path, ["a", "b", "c"])
    assert await story.go() is Status.WAITING
    links = [story.output(f"mail[{turn}]") for turn in range(3)]
    assert len({own for own, _ in links}) == 3
    assert len({common for _, common in links}) == 1
    for turn in (2, 0, 1):
        story.request(links[turn][0], turn)
    assert await story.go() is Status.WAITING
    assert story.output("tell") == links[0][1]
    story.request(story.output("tell"), "all of them")
    assert await story.go() is Status.SUCCESS
    assert story.output("end") == [[0, 1, 2], "all of them"]


async def test_urls_in_front_of_loops_that_run_at_the_same_time(tmp_path: Path) -> None:
    """Which loop comes first may be another one when the handler runs again."""
    drawn = document(
        "start > hold x; hold > one; x > two; one.iteration > a; two.iteration > b; one two > m;"
        "m > first > second > end",
        node("hold", "logic.wait", duration="0.01s"),
        node("m", "logic.merge"),
        node("one", "logic.forEach", items=[1]),
        node("two", "logic.forEach", items=[1]),
        put("a", "{{ resumeUrl('first') }}"),
        put("b", "{{ resumeUrl('second') }}"),
        node("first", "logic.wait", webhook={}),
        node("second", "logic.wait", webhook={}),
        put("end", ["{{ first.body }}", "{{ second.body }}"]),
        settings={"durable": True},
    )
    story = Story(drawn, tmp_path)
    while (status := await story.go()) is Status.WAITING:
        by_key = {wait.key for wait in story.host.runs.states[story.id].waits}
        for step, output in (("first", "a[0]"), ("second", "b[0]")):
            if tokens.answer_key(step) in by_key:
                story.request(story.output(output), step)
    assert status is Status.SUCCESS
    assert story.output("end") == ["first", "second"]


@pytest.mark.parametrize("wired", [True, False])
async def test_nobody_answers(tmp_path: Path, wired: bool) -> None:
    wires = "start > ask > end" + ("; ask.timeout > late" if wired else "; ask.failure > late")
    ask = node("ask", "logic.wait", webhook={}, timeout="10ms")
    late = put("late", "{{ ask.action }}" if wired else "{{ ask.error.code }}")
    code = workflow(document(wires, ask, late), tmp_path)
    host = DurableLocalHost(MemoryRuns())
    done = await run_to_the_end(code, Trigger("start", "trigger.manual", None), host)
    outputs = {step.id: json.loads(step.output or "null") for step in done.record.steps}
    assert done.record.status is Status.SUCCESS
    assert outputs["late"] == (None if wired else "wait.timeout")
    assert "end" not in outputs


async def test_a_condition_over_a_workflow(tmp_path: Path) -> None:
    double = document(
        "start > answer", node("answer", "cloud.response", body={"twice": "{{ start.n * 2 }}"})
    )
    drawn = document(
        "start > w > end",
        node(
            "w",
            "logic.wait",
            condition="{{ response.twice == 14 and attempt >= start.least }}",
            poll={"workflow": "/Double", "input": {"n": "{{ start.n }}"}, "interval": 0.1},
        ),
        put("end", "{{ w }}"),
    )
    code = workflow(drawn, tmp_path)
    callee = workflow({**double, "name": "/Double"}, tmp_path)
    host = DurableLocalHost(MemoryRuns(), workflows={"/Double": callee})
    trigger = Trigger("start", "trigger.manual", {"n": 7, "least": 2})
    done = await run_to_the_end(code, trigger, host)
    (end,) = (step for step in done.record.steps if step.id == "end")
    assert json.loads(end.output or "null")["response"] == {"twice": 14}
