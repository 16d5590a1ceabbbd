"""Whether workflows go on after their answers."""

from __future__ import annotations

import pytest
from nodegx.compiler.continuing import continues

from tests.support.graphs import compiled, document, graph, node, when

ANSWERS = [node(name, "cloud.response") for name in ("answer", "answer2")]
BLOCKS = [
    node("each", "logic.forEach", items=[1, 2]),
    node("guard", "logic.try"),
    node("again", "logic.retry"),
    node("stop", "logic.stop"),
    when("large"),
]

ENDS = {
    "nothing follows": "start > work > answer",
    "another answer beside it": "start > answer answer2",
    "an exclusive branch": "start > large; large.true > answer; large.false > work",
    "what failed to answer": "start > answer; answer.failure > work",
    "nothing but answers in a loop": "start > each; each.iteration > answer",
    "a try that ends there": "start > guard; guard.try > work > answer",
    "a repeated block that ends there": "start > again; again.attempt > work > answer",
    "an answer in a catch": "start > guard; guard.try > work; guard.catch > answer",
    "stopping is nothing": "start > answer > stop",
}
GOES_ON = {
    "work behind the answer": "start > answer > work",
    "work behind one of two": "start > large; large.true > answer > work; large.false > answer2",
    "a branch beside the answer": "start > answer work",
    "a longer branch beside it": "start > work other; work > answer; other > more",
    "work in the next iteration": "start > each; each.iteration > work > answer",
    "what follows a loop": "start > each; each.iteration > answer; each.completed > work",
    "a try that cleans up": "start > guard; guard.try > answer; guard.finally > work",
    "what follows a try": "start > guard; guard.try > answer; guard.done > work",
    "what follows a repeated block": "start > again; again.attempt > answer; again.done > work",
}


def drawn(wires: str) -> bool:
    nodes = [each for each in (*ANSWERS, *BLOCKS) if each["id"] in wires]
    return continues(graph(document(wires, *nodes)))


@pytest.mark.parametrize("wires", ENDS.values(), ids=ENDS.keys())
def test_an_answer_is_the_end_where_nothing_is_left_to_do(wires: str) -> None:
    assert drawn(wires) is False


@pytest.mark.parametrize("wires", GOES_ON.values(), ids=GOES_ON.keys())
def test_work_after_an_answer_is_found(wires: str) -> None:
    assert drawn(wires) is True


def test_manifests_say_so_and_whether_requests_are_waited_for() -> None:
    ask = node("ask", "logic.wait", webhook={"method": "POST"})
    made = compiled(document("start > answer > ask", ANSWERS[0], ask)).manifest
    assert (made.continues, made.awaits_requests) == (True, True)
    pause = node("pause", "logic.wait", duration="2h")
    made = compiled(document("start > pause > answer", ANSWERS[0], pause)).manifest
    assert (made.continues, made.awaits_requests) == (False, False)
