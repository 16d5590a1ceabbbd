"""`resumeUrl("id")`: of which wait, of which iteration, and where it cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.graphs import Document, body, compiled, document, findings, node, put, when

WAIT = node("ask", "logic.wait", webhook={})
URL = put("mail", "{{ resumeUrl('ask') }}")
LOOP = node("each", "logic.forEach", items="{{ start }}")
AGAIN = node("again", "logic.retry")


def loop(id: str) -> Document:
    return node(id, "logic.forEach", items=[1])


def lines(drawn: Document, *words: str) -> list[str]:
    """The lines of a handler that hold one of some words, without their indentation."""
    return [line.strip() for line in body(drawn).splitlines() if any(w in line for w in words)]


def test_before_the_wait() -> None:
    assert body(document("start > mail > ask", WAIT, URL)) == (
        "    await run.step(MAIL, data.set, run.resume_url(ASK))\n"
        "    await run.wait(ASK, webhook={})"
    )


def test_a_wait_whose_url_is_asked_for_elsewhere_is_declared() -> None:
    """Even where the wait itself would be declared anyway, once is enough."""
    text = compiled(document("start > mail > ask", WAIT, URL)).handler
    assert text.count('ASK = Node("ask", "logic.wait")') == 1


def test_in_text_and_in_both_spellings() -> None:
    mail = put("mail", "Go to {{ resume_url('ask') }}?a={{ start.a }}")
    text = body(document("start > mail > ask", WAIT, mail))
    assert "f\"Go to {run.resume_url(ASK)}?a={fx.text(start['a'])}\"" in text


def test_of_the_same_iteration() -> None:
    drawn = document("start > each; each.iteration > mail > ask", LOOP, WAIT, URL)
    assert lines(drawn, "resume_url") == ["await run.step(MAIL, data.set, run.resume_url(ASK))"]


def test_of_the_same_attempt() -> None:
    drawn = document("start > again; again.attempt > mail > ask", AGAIN, WAIT, URL)
    assert lines(drawn, "resume_url") == ["await run.step(MAIL, data.set, run.resume_url(ASK))"]


@pytest.mark.parametrize(
    "wires",
    [
        "start > each > ask; each.iteration > mail",
        "start > again > ask; again.attempt > mail",
        "start > each > ask; each.iteration > again; again.attempt > mail",
        "start > other > ask; other.iteration > each; each.iteration > mail",
    ],
)
def test_of_a_wait_around_a_body(wires: str) -> None:
    """The body has a `run` of its own, whose steps carry the iteration; the wait's does not."""
    known = {"each": LOOP, "again": AGAIN, "other": loop("other")}
    nodes = [known[name] for name in known if name in wires]
    drawn = document(wires, *nodes, WAIT, URL)
    assert lines(drawn, "ask_url", "resume_url") == [
        "ask_url = run.resume_url(ASK)",
        "mail = await run.step(MAIL, data.set, ask_url)"
        if "return mail" in body(drawn)
        else "await run.step(MAIL, data.set, ask_url)",
    ]


def test_of_a_wait_in_the_outer_of_two_loops() -> None:
    drawn = document(
        "start > outer; outer.iteration > each > ask; each.iteration > mail",
        loop("outer"),
        LOOP,
        WAIT,
        URL,
    )
    assert body(drawn) == (
        "    start = run.trigger\n"
        "\n"
        "    async def outer_item(run: Run, item: Any, index: int) -> Any:\n"
        "        ask_url = run.resume_url(ASK)\n"
        "\n"
        "        async def mail_item(run: Run, each_item: Any, each_index: int) -> Any:\n"
        "            mail = await run.step(MAIL, data.set, ask_url)\n"
        "            return mail\n"
        "\n"
        "        await run.for_each(EACH, start, mail_item)\n"
        "        await run.wait(ASK, webhook={})\n"
        "        return None\n"
        "\n"
        "    await run.for_each(OUTER, [1], outer_item)"
    )


def test_a_url_in_front_of_a_loop_belongs_to_the_loop() -> None:
    """A run that is resumed tells by the node what was asked where."""
    one = compiled(document("start > each > ask; each.iteration > mail", LOOP, WAIT, URL))
    number = 1 + next(
        at for at, line in enumerate(one.handler.splitlines()) if "run.resume_url" in line
    )
    assert [node for first, last, node in one.source_map if first <= number <= last] == ["each"]


def test_only_where_it_is_needed() -> None:
    """Elsewhere nobody asks, such as where no request could ever come."""
    drawn = document(
        "start > big; big.true > each > ask; big.false > again > ask; each.iteration > mail;"
        "again.attempt > note",
        when("big"),
        LOOP,
        AGAIN,
        WAIT,
        URL,
        put("note", "{{ resumeUrl('ask') }}"),
    )
    assert lines(drawn, "if ", "else", "ask_url") == [
        'if run.branch(BIG, start["n"] > 1):',
        "ask_url = run.resume_url(ASK)",
        "mail = await run.step(MAIL, data.set, ask_url)",
        "else:",
        "ask_url_2 = run.resume_url(ASK)",
        "await run.step(NOTE, data.set, ask_url_2)",
    ]


def test_by_a_variable_of_a_comprehension_that_hides_the_name() -> None:
    mail = put("mail", "{{ [resumeUrl('ask') + ASK for ASK in start] }}")
    assert "for ASK_2 in" in body(document("start > mail > ask", WAIT, mail))
    drawn = document(
        "start > each > ask; each.iteration > mail",
        LOOP,
        WAIT,
        put("mail", "{{ [ask_url + resumeUrl('ask') for ask_url in start] }}"),
    )
    assert "for ask_url_2 in" in body(drawn)


def test_from_a_pure_node() -> None:
    link = node("link", "data.value", value="{{ resumeUrl('ask') }}?lang={{ start.lang }}")
    mail = put("mail", ["{{ link }}", "{{ link }}"])
    drawn = document("start > each > ask; each.iteration > mail", LOOP, WAIT, link, mail)
    assert "ask_url = run.resume_url(ASK)" in body(drawn)


def test_from_the_result_of_a_loop() -> None:
    listed = node("each", "logic.forEach", items=[1], result="{{ resumeUrl('ask') }}")
    assert "return run.resume_url(ASK)" in body(
        document("start > each; each.iteration > ask", listed, WAIT)
    )


def test_from_a_finally_and_from_branches() -> None:
    drawn = document(
        "start > guard > ask; guard.try > a b; guard.finally > mail",
        node("guard", "logic.try"),
        put("b", "{{ resumeUrl('ask') }}"),
        WAIT,
        URL,
    )
    assert len(lines(drawn, "run.resume_url(ASK)")) == 2


def said(wires: str, *nodes: Any) -> tuple[str, str, int | None]:
    (found,) = (found for found in findings(document(wires, *nodes)) if found.code != "NX316")
    assert found.code == "NX401"
    assert found.hint
    return found.message, found.hint, found.offset


def test_of_a_wait_inside_a_loop_from_outside() -> None:
    message, hint, offset = said("start > mail > each; each.iteration > ask", URL, LOOP, WAIT)
    assert message == "`ask` runs inside of `each`, once for each turn, each with its URL"
    assert "inside of each" in hint
    assert offset == 13


def test_of_a_wait_in_another_loop() -> None:
    message, _, _ = said(
        "start > each > other; each.iteration > mail; other.iteration > ask",
        LOOP,
        loop("other"),
        URL,
        WAIT,
    )
    assert "inside of `other`" in message


def test_of_a_wait_in_an_inner_loop() -> None:
    message, _, _ = said(
        "start > each; each.iteration > mail > inner; inner.iteration > ask",
        LOOP,
        loop("inner"),
        URL,
        WAIT,
    )
    assert "inside of `inner`" in message


def test_of_nothing() -> None:
    message, hint, _ = said("start > mail > ask", put("mail", "{{ resumeUrl('aks') }}"), WAIT)
    assert message == "there is no node with the id 'aks'"
    assert hint == 'did you mean "ask"?'
    message, hint, _ = said("start > mail", put("mail", "{{ resumeUrl('x') }}"))
    assert hint == "there are no waits for a webhook"


def test_of_another_kind_of_node() -> None:
    message, hint, _ = said(
        "start > mail > end > ask", put("mail", "{{ resumeUrl('end') }}"), put("end"), WAIT
    )
    assert message == "`end` is a data.set: nothing ends it from outside"
    assert hint == "waits for a webhook: ask"


def test_of_a_wait_for_a_time() -> None:
    message, hint, _ = said("start > mail > ask", URL, node("ask", "logic.wait", duration=5))
    assert message == "`ask` does not wait for a webhook, so it has no URL"
    assert "webhook" in hint


def test_of_a_wait_that_never_comes() -> None:
    message, _, _ = said("start > mail", URL, WAIT)
    assert message == "`ask` never runs"
