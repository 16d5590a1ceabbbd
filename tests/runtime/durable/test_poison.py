from __future__ import annotations

from nodegx.runtime.durable.poison import KEY, MOST, suspicion
from nodegx.runtime.durable.state import Entry, Kind, RunState
from nodegx.runtime.durable.store import Kept


def kept(*entries: Entry) -> Kept:
    state = RunState("01", "/w", "r", "start", "trigger.manual", "{}", 0.0)
    return Kept(state, list(entries))


def result(number: int) -> Entry:
    return Entry(f"step{number}", Kind.RESULT, "1", number)


def test_an_execution_that_goes_on_is_not_held_up() -> None:
    entries = [result(1)]
    for number in range(2, 20):
        found = suspicion(kept(*entries))
        assert found.delay is None
        assert found.reason is None
        entries = [*(each for each in entries if each.key != KEY), found.entry, result(number)]


def test_one_that_does_not_is_put_off_longer_and_longer_and_given_up() -> None:
    marks: list[Entry] = []
    delays: list[float] = []
    passes = 0
    while (found := suspicion(kept(result(1), *marks))).reason is None:
        marks = [found.entry]
        if found.delay is None:
            passes += 1  # its host dies
        else:
            delays.append(found.delay)
    assert passes == MOST
    assert len(delays) == MOST - 1
    assert all(0 < delay <= 60 for delay in delays)
    assert delays[-1] > delays[0]
    assert found.reason.code == "execution.poison"


def test_an_answer_is_progress() -> None:
    first = suspicion(kept(result(1)))
    answer = Entry("wait!answer", Kind.ANSWER, "{}", 0)
    again = suspicion(kept(result(1), first.entry, answer))
    assert again.delay is None
    assert again.reason is None
