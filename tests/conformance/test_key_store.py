"""What every store of idempotency keys must do, whatever it stores in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime.errors import StoreUnavailable
from nodegx.runtime.history.dynamodb_table import table_definition
from nodegx.runtime.idempotency.dynamodb import DynamoKeys
from nodegx.runtime.idempotency.postgres import PostgresKeys
from nodegx.runtime.idempotency.sqlite import SqliteKeys
from nodegx.runtime.idempotency.store import Claim, Held, KeyStore, Release, Settlement
from nodegx.runtime.idempotency.stores import open_keys

from tests.support.moto import moto_server
from tests.support.postgres import postgres as server
from tests.support.until import until

pytestmark = pytest.mark.slow

Open = Callable[[], KeyStore]

NOW = 1_800_000_000.0
DAY = 86_400.0


def sqlite(folder: Path) -> Iterator[Open]:
    yield lambda: SqliteKeys(folder / "keys.sqlite3")


def postgres(folder: Path) -> Iterator[Open]:
    with server().schema() as url:
        yield lambda: PostgresKeys(url)


def dynamodb(folder: Path) -> Iterator[Open]:
    name = f"k-{os.urandom(6).hex()}"
    moto_server().client("dynamodb").call("CreateTable", table_definition(name))
    yield lambda: DynamoKeys(name, dynamodb=moto_server().client("dynamodb"))
    moto_server().client("dynamodb").call("DeleteTable", {"TableName": name})


SQL: dict[str, Callable[[Path], Iterator[Open]]] = {"sqlite": sqlite, "postgres": postgres}
STORES = {**SQL, "dynamodb": dynamodb}


def opened(make: Callable[[Path], Iterator[Open]], folder: Path) -> Iterator[Open]:
    """Opens one and the same store, again with every call; closes all of them."""
    stores: list[KeyStore] = []
    making = make(folder)
    open_one = next(making)

    def open_store() -> KeyStore:
        stores.append(open_one())
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()
    for _ in making:
        pass


@pytest.fixture(params=STORES)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    yield from opened(STORES[request.param], tmp_path)


@pytest.fixture
def store(open_store: Open) -> KeyStore:
    return open_store()


@pytest.fixture(params=SQL)
def open_sql(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    yield from opened(SQL[request.param], tmp_path)


def claim(
    store: KeyStore, execution: str, key: str = "k", now: float = NOW, **fields: Any
) -> Held | None:
    values = {"fingerprint": f"print of {execution}", "expires": now + DAY, **fields}
    return store.claim([Claim(key, execution, **values)], now=now)[0]


def settle(store: KeyStore, execution: str, answer: bytes | None = b"ok", key: str = "k") -> bool:
    return store.settle([Settlement(key, execution, answer)])[0]


def release(store: KeyStore, execution: str, key: str = "k") -> bool:
    return store.release([Release(key, execution)])[0]


# --- claims ---------------------------------------------------------------------------------------


def test_a_key_goes_to_whoever_claims_it_first(store: KeyStore) -> None:
    assert store.find("k", now=NOW) is None
    assert claim(store, "a") is None
    under_way = Held("a", "print of a", done=False)
    assert claim(store, "b") == under_way
    assert store.find("k", now=NOW) == under_way
    assert claim(store, "b", key="other") is None


def test_several_keys_are_claimed_one_by_one(store: KeyStore) -> None:
    claim(store, "a", key="k2")
    claims = [
        Claim(key, execution, "", NOW + DAY)
        for key, execution in (("k3", "b"), ("k2", "c"), ("k1", "d"), ("k3", "e"))
    ]
    answers = store.claim(claims, now=NOW)
    assert [held and held.execution for held in answers] == [None, "a", None, "b"]


def test_a_key_is_free_again_once_its_time_is_over(store: KeyStore) -> None:
    claim(store, "a")
    settle(store, "a")
    assert claim(store, "b", now=NOW + DAY - 1) == Held("a", "print of a", True, b"ok")
    assert store.find("k", now=NOW + DAY) is None
    assert claim(store, "c", now=NOW + DAY) is None
    assert store.find("k", now=NOW + DAY) == Held("c", "print of c", done=False)
    assert not settle(store, "a")


def test_of_many_claims_at_the_same_time_one_succeeds(open_store: Open) -> None:
    stores = [open_store() for _ in range(4)]
    answers: dict[str, Held | None] = {}
    start = threading.Barrier(16)

    def attempt(number: int) -> None:
        start.wait(20)
        answers[f"e{number}"] = claim(stores[number % 4], f"e{number}")

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    [winner] = [execution for execution, held in answers.items() if held is None]
    others = [held.execution for held in answers.values() if held is not None]
    assert others == [winner] * 15


# --- answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [b"", b"ok", bytes(range(256)) * 1000, None])
def test_an_answer_is_kept_as_it_is(store: KeyStore, answer: bytes | None) -> None:
    claim(store, "a")
    assert settle(store, "a", answer)
    assert claim(store, "b") == store.find("k", now=NOW) == Held("a", "print of a", True, answer)


def test_the_first_answer_counts(store: KeyStore) -> None:
    claim(store, "a")
    assert not settle(store, "b", b"wrong")
    assert settle(store, "a", b"right")
    assert not settle(store, "a", b"late")
    assert not settle(store, "a", b"nobody's", key="other")
    held = store.find("k", now=NOW)
    assert held is not None
    assert held.answer == b"right"


def test_a_key_that_was_given_back_is_free(store: KeyStore) -> None:
    claim(store, "a")
    assert not release(store, "b")
    assert release(store, "a")
    assert not release(store, "a")
    assert claim(store, "b") is None
    settle(store, "b")
    assert not release(store, "b"), "it is settled"
    assert claim(store, "c") == Held("b", "print of b", True, b"ok")


# --- the dead -------------------------------------------------------------------------------------


def test_a_key_may_be_taken_from_the_dead(store: KeyStore) -> None:
    claim(store, "a")
    assert claim(store, "c", dead="b") == Held("a", "print of a", done=False)
    assert claim(store, "b", dead="a") is None
    assert not settle(store, "a")
    assert not release(store, "a")
    assert claim(store, "c", dead="a") == Held("b", "print of b", done=False)
    assert settle(store, "b")
    assert claim(store, "d", dead="b") == Held("b", "print of b", True, b"ok"), "it is settled"


def test_one_alone_takes_a_key_from_the_dead(open_store: Open) -> None:
    first, second = open_store(), open_store()
    claim(first, "dead")
    answers = [claim(first, "a", dead="dead"), claim(second, "b", dead="dead")]
    assert answers == [None, Held("a", "print of a", done=False)]


def test_an_execution_is_dead_when_its_time_is_over(store: KeyStore) -> None:
    claim(store, "a", until=NOW + 10)
    assert claim(store, "b", now=NOW + 9) == Held("a", "print of a", done=False)
    dead = Held("a", "print of a", done=False, dead=True)
    assert claim(store, "b", now=NOW + 10) == store.find("k", now=NOW + 10) == dead
    assert claim(store, "b", now=NOW + 10, until=NOW + 20, dead="a") is None
    assert settle(store, "b")
    assert claim(store, "c", now=NOW + 30) == Held("b", "print of b", True, b"ok")


def test_what_a_process_left_behind_is_dead(open_sql: Open) -> None:
    first, second = open_sql(), open_sql()
    claim(first, "a")
    claim(first, "b", key="settled")
    settle(first, "b", key="settled")
    assert claim(second, "c") == Held("a", "print of a", done=False)
    first.close()
    assert claim(second, "c") == Held("a", "print of a", done=False, dead=True)
    assert second.find("k", now=NOW) == Held("a", "print of a", done=False, dead=True)
    assert claim(second, "c", key="settled") == Held("b", "print of b", True, b"ok")
    assert claim(second, "c", dead="a") is None


DIES = """
import os, sys
from nodegx.runtime.idempotency.store import Claim
from nodegx.runtime.idempotency.stores import open_keys

store = open_keys(sys.argv[1])
print(store.claim([Claim("k", "a", "", 2e9)], now=1.8e9), flush=True)
sys.stdin.read()
"""


def test_the_death_of_a_process_shows_at_once_beside_a_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.sqlite3"
    process = subprocess.Popen(
        [sys.executable, "-c", DIES, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    store = open_keys(file)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "[None]\n"
        assert claim(store, "b") == Held("a", "", done=False)
        process.send_signal(signal.SIGKILL)
    assert claim(store, "b") == Held("a", "", done=False, dead=True)
    store.close()


async def test_a_process_is_dead_once_its_lease_is_over() -> None:
    with server().schema() as url:
        silent, other = PostgresKeys(url, lease=0.5), PostgresKeys(url)
        claim(silent, "a")

        def is_dead() -> bool:
            held = other.find("k", now=NOW)
            return held is not None and held.dead

        def lives() -> bool:
            silent.beat()
            return not is_dead()

        await until(is_dead)
        await until(lives)  # it only slept
        silent.close()
        assert is_dead()
        other.close()


# --- housekeeping ---------------------------------------------------------------------------------


def test_old_keys_are_removed(open_sql: Open) -> None:
    store = open_sql()
    for number in range(1201):
        claim(store, f"e{number}", key=f"k{number}", expires=NOW + (100 if number % 2 else 10))
    assert store.prune(NOW + 50) == 601
    assert store.find("k1", now=NOW) is not None
    assert store.find("k0", now=NOW) is None
    assert store.prune(NOW + 50) == 0


def test_a_closed_store_says_so(open_sql: Open) -> None:
    store = open_sql()
    claim(store, "a")
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        claim(store, "b")


def test_targets_name_stores(tmp_path: Path) -> None:
    with server().schema() as url:
        for target, kind in ((tmp_path / "keys.sqlite3", SqliteKeys), (url, PostgresKeys)):
            store = open_keys(target)
            assert isinstance(store, kind)
            store.close()
