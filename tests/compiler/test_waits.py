"""Waits for requests and conditions: what they compile to, and what is said of those that cannot."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from nodegx.compiler.diagnostics import Diagnostic

from tests.support.graphs import Document, body, compiled, document, findings, node, put, when


def wait(id: str = "w", **parameters: Any) -> Document:
    return node(id, "logic.wait", **parameters)


def flat(drawn: Document) -> str:
    """The handler's body as Python spells it, each statement on one line."""
    function = ast.parse(f"async def drawn(run):\n{body(drawn)}").body[0]
    assert isinstance(function, ast.AsyncFunctionDef)
    return "\n".join(map(ast.unparse, function.body))


def told(drawn: Document) -> list[tuple[str, str]]:
    return [(found.code, found.message) for found in findings(drawn)]


# ------------------------------------------------------------------------------ plain waits


@pytest.mark.parametrize(
    ("parameters", "call"),
    [
        ({"duration": "5s"}, "run.wait(W, seconds=5.0)"),
        ({"duration": "{{ start.pause }}"}, 'run.wait(W, seconds=start["pause"])'),
        ({"until": "2030-01-01T00:00:00Z"}, 'run.wait(W, until="2030-01-01T00:00:00Z")'),
    ],
)
def test_waits_for_a_time_have_no_value(parameters: dict[str, Any], call: str) -> None:
    assert f"await {call}" in body(document("start > w > end", wait(**parameters)))
    for expression in ("{{ w }}", "{{ w.body }}", "{{ nodes['w'].response }}"):
        drawn = document("start > w > end", wait(**parameters), put("end", expression))
        assert told(drawn) == [("NX404", "`w` has no value")]


@pytest.mark.parametrize("last", [wait("last", duration=1), node("last", "cloud.response")])
def test_an_iteration_that_ends_with_nothing_gives_nothing(last: Document) -> None:
    loop = node("each", "logic.forEach", items=[1])
    text = body(document("start > each; each.iteration > last", loop, last))
    assert "return None" in text
    assert "_asdict" not in text


# ------------------------------------------------------------------------------ webhooks


def test_a_webhook_is_handed_on_as_it_is_written() -> None:
    assert flat(document("start > w", wait(webhook={}))) == "await run.wait(W, webhook={})"
    many = document("start > w", wait(webhook={"method": ["PUT", "GET"]}, timeout="{{ start.t }}"))
    assert "run.wait(W, webhook={'method': ['PUT', 'GET']}, timeout=start['t'])" in flat(many)


def test_credentials_of_callers_stay_names() -> None:
    hmac = {"type": "hmac", "secret": ["{{ secrets.OLD }}", "{{ secrets['NEW'] }}"]}
    one = compiled(document("start > w", wait(webhook={"auth": hmac})))
    assert '[{"$secret": "OLD"}, {"$secret": "NEW"}]' in one.handler
    assert "run.secrets" not in one.handler
    assert one.manifest.secrets == ["NEW", "OLD"]


def test_an_unwired_timeout_fails_the_node() -> None:
    text = body(document("start > w > end", wait(webhook={}, timeout="1h")))
    assert "on_timeout" not in text
    assert "run.switch" not in text


def test_a_wired_timeout_is_a_way_of_its_own() -> None:
    drawn = document(
        "start > w; w.done > yes; w.timeout > late; yes late > end",
        wait(webhook={}, timeout="1h"),
        put("yes", "{{ w.body }}"),
        put("end", "{{ w.query }}"),
    )
    assert body(drawn) == (
        '    w = await run.wait(W, webhook={}, timeout=3600.0, on_timeout="branch")\n'
        "    match run.switch(W, w.port):\n"
        '        case "done":\n'
        "            await run.step(YES, data.set, w.body)\n"
        '        case "timeout":\n'
        "            await run.step(LATE, data.set, 0)\n"
        "    await run.step(END, data.set, w.query)"
    )


def test_a_timeout_alone_that_is_wired() -> None:
    text = body(document("start > w; w.timeout > late", wait(webhook={}, timeout="1h")))
    assert text.endswith('        case "timeout":\n            await run.step(LATE, data.set, 0)')


def test_timeout_and_failure() -> None:
    drawn = document(
        "start > w; w.done > yes; w.timeout > late; w.failure > bad",
        wait(webhook={}, timeout="1h"),
        put("bad", "{{ w.error.code }}"),
    )
    text = body(drawn)
    assert "        w_error = run.caught(W, exc)\n" in text
    assert 'case "timeout":' in text
    assert "await run.step(BAD, data.set, w_error.code)" in text


def test_an_output_of_code_may_be_called_as_the_optional_ones() -> None:
    """Without a wire it ends the flow; it is not left out."""
    code = node("c", "code.python", code="return 'timeout', 1", outputs=["ok", "timeout", "catch"])
    text = body(document("start > c; c.ok > end", code))
    assert text.endswith('        case "ok":\n            await run.step(END, data.set, 0)')


# ------------------------------------------------------------------------------ conditions

POLL = {"url": "https://x.example/job"}


def condition(text: str, poll: Any = None, *others: Document) -> Document:
    given = {} if poll is None else {"poll": poll}
    return document("start > w > end", wait(condition=text, **given), *others)


@pytest.mark.parametrize(
    ("text", "poll", "code"),
    [
        ("{{ response.body.ok }}", POLL, "response.body['ok']"),
        ("{{ response['status'] == 200 }}", POLL, "response.status == 200"),
        ("{{ response }}", POLL, "response._asdict()"),
        ("{{ response.body.ok }}", {"workflow": "/A"}, "response['body']['ok']"),
        ("{{ response == null }}", {"workflow": "/A"}, "response is None"),
        ("{{ attempt * 2 > start.n }}", None, "attempt * 2 > start['n']"),
        ("{{ now() > start.at }}", {"interval": 60}, "run.now() > start['at']"),
    ],
)
def test_what_a_condition_reads(text: str, poll: Any, code: str) -> None:
    assert f"condition=lambda response, attempt: {code}" in flat(condition(text, poll))


def one(drawn: Document) -> Diagnostic:
    (found,) = findings(drawn)
    return found


def test_parts_that_no_response_has() -> None:
    found = one(condition("{{ response.bdy.ok }}", POLL))
    assert (found.code, found.message) == ("NX401", "`response` has no port 'bdy'")
    assert "body" in found.hint
    assert found.offset == 12
    found = one(condition("{{ true }}", POLL, put("end", "{{ w.response.stat }}")))
    assert found.message == "`w.response` has no port 'stat'"


def test_the_last_response_is_there_afterwards() -> None:
    drawn = condition("{{ response.body.ok }}", POLL, put("end", "{{ w.response.body.url }}"))
    assert 'data.set, w.response.body["url"])' in body(drawn)
    drawn = condition("{{ response.ok }}", {"workflow": "/A"}, put("end", "{{ w.response.url }}"))
    assert 'data.set, w.response["url"])' in body(drawn)


def test_whole_values_are_plain_json() -> None:
    drawn = condition("{{ true }}", POLL, put("end", ["{{ w }}", "{{ w.response }}"]))
    assert (
        "[w._asdict() | {'response': w.response and w.response._asdict()},"
        " w.response and w.response._asdict()]"
    ) in flat(drawn)


def test_nodes_that_are_called_as_the_arguments_are() -> None:
    """The argument is meant inside; a node's value that is put there keeps its own."""
    drawn = document(
        "start > response > attempt > w > end",
        put("attempt"),
        node("total", "data.value", value="{{ [response, attempt] }}"),
        wait(condition="{{ response.ok and total[1] > attempt }}", poll={"workflow": "/A"}),
    )
    assert (
        "condition=lambda response_2, attempt_2: response_2['ok']"
        " and [response, attempt][1] > attempt_2"
    ) in flat(drawn)


def test_handlers_bring_what_is_asked_with() -> None:
    text = compiled(condition("{{ response.body }}", POLL)).handler
    assert "from nodegx.runtime.nodes import data, http\n" in text
    assert "# ruff: noqa: F401" in text
    plain = compiled(condition("{{ attempt > 3 }}")).handler
    assert "http" not in plain
    assert "noqa" not in plain


def test_workflows_that_are_asked_count_as_called() -> None:
    drawn = condition("{{ response }}", {"workflow": "/#__cloud__/IsPaid"})
    assert compiled(drawn).manifest.calls == ["/#__cloud__/IsPaid"]


def test_a_condition_sees_only_what_has_run() -> None:
    drawn = document("start > w > end", wait(condition="{{ end == 1 }}"), put("end"))
    assert one(drawn).code == "NX404"


def test_what_conditions_call_their_arguments_exists_nowhere_else() -> None:
    assert one(condition("{{ true }}", POLL, put("end", "{{ response.body }}"))).code == "NX402"


def test_credentials_of_polls_are_read_when_the_step_begins() -> None:
    poll = {**POLL, "auth": {"type": "bearer", "token": "{{ secrets.T }}"}}
    assert '"token": run.secrets["T"]' in body(condition("{{ response.body }}", poll))


def test_waits_in_branches_that_exclude_one_another() -> None:
    drawn = document(
        "start > big; big.true > w > end; big.false > end",
        when("big"),
        wait(webhook={}),
        put("end", "{{ w.body.note if w else null }}"),
    )
    assert 'w.body["note"] if w else None' in body(drawn)
