from __future__ import annotations

import asyncio

import pytest
from nodegx.runtime.durable.journal import START, Journal, place
from nodegx.runtime.durable.state import Entry, Kind
from nodegx.runtime.durable.suspension import Mismatch


def done(key: str, after: str, number: int, digest: str = "d") -> Entry:
    return Entry(key, Kind.RESULT, "1", number, digest, after)


class Written:
    def __init__(self) -> None:
        self.batches: list[list[tuple[str, int]]] = []

    async def __call__(self, entries: list[Entry]) -> None:
        await asyncio.sleep(0)
        self.batches.append([(entry.key, entry.number) for entry in entries])


@pytest.fixture(autouse=True)
def at_the_start() -> None:
    place.set(START)


async def test_entries_are_numbered_on() -> None:
    written = Written()
    journal = Journal([done("a", START, 7), Entry("w!answer", Kind.ANSWER, "{}")], written)
    await journal.keep(done("b", "a", 0))
    journal.hold_back(Entry("c!now", Kind.DRAW, "1"))
    await journal.keep(done("c", "b", 0))
    assert written.batches == [[("b", 8)], [("c!now", 9), ("c", 10)]]


async def test_what_is_held_back_is_known_at_once_and_written_when_asked() -> None:
    written = Written()
    journal = Journal([], written)
    journal.hold_back(Entry("a!now", Kind.DRAW, "1"))
    assert journal.find("a!now") is not None
    assert not written.batches
    await journal.flush()
    await journal.flush()
    assert written.batches == [[("a!now", 1)]]
    assert journal.rest() == []


async def test_a_step_is_found_again() -> None:
    journal = Journal([done("a", START, 1)], Written())
    found = journal.recall("a", "d")
    assert found is not None
    assert journal.unreached() is None


async def test_a_step_with_another_input_is_a_mismatch() -> None:
    journal = Journal([done("a", START, 1)], Written())
    with pytest.raises(Mismatch) as caught:
        journal.recall("a", "other")
    assert "`a`" in caught.value.message
    assert "other" in caught.value.message


async def test_an_input_that_was_edited_on_purpose_is_none() -> None:
    journal = Journal([done("a", START, 1, digest="")], Written())
    assert journal.recall("a", "other") is not None


async def test_another_step_in_its_place_is_a_mismatch_that_names_both() -> None:
    journal = Journal([done("a", START, 1), done("b", "a", 2)], Written())
    journal.recall("a", "d")
    place.set("a")
    with pytest.raises(Mismatch) as caught:
        journal.recall("c", "d")
    assert caught.value.message == "The code runs `c` after `a`, where the journal has `b`"
    assert journal.unreached() == "b"


async def test_a_new_step_beside_another_branch_is_none() -> None:
    journal = Journal([done("a", f"{START}/0", 1)], Written())
    place.set(f"{START}/1")
    assert journal.recall("b", "d") is None
    place.set(f"{START}/0")
    assert journal.recall("a", "d") is not None
