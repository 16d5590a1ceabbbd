"""What the DynamoDB store of executions does beyond what all stores must: small items, large
values beside them, functions that take executions and are told whom to wake."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from nodegx.runtime.aws.client import AwsClient, AwsError
from nodegx.runtime.aws.credentials import CredentialChain
from nodegx.runtime.durable.dynamodb import DynamoRuns
from nodegx.runtime.durable.dynamodb_items import run_key
from nodegx.runtime.durable.state import Entry, Kind, RunState, RunStatus, Wait
from nodegx.runtime.durable.store import Append, Fail, Finish, Kept, Suspend
from nodegx.runtime.errors import StoreUnavailable
from nodegx.runtime.history.dynamodb import DynamoHistory
from nodegx.runtime.history.dynamodb_table import table_definition
from nodegx.runtime.history.store import Query

from tests.support.moto import KEYS, REGION, Moto, moto_server

pytestmark = pytest.mark.slow

ITEM_LIMIT = 400_000
FUTURE = 4_000_000_000.0

Open = Callable[..., DynamoRuns]


@pytest.fixture(scope="module")
def cloud() -> Moto:
    return moto_server()


@pytest.fixture(scope="module")
def table(cloud: Moto) -> Iterator[str]:
    name = f"d-{os.urandom(6).hex()}"
    cloud.client("dynamodb").call("CreateTable", table_definition(name))
    cloud.make_bucket(name)
    yield name
    cloud.client("dynamodb").call("DeleteTable", {"TableName": name})


@pytest.fixture
def open_runs(cloud: Moto, table: str) -> Open:
    def open_runs(host: str = "me", **options: Any) -> DynamoRuns:
        return DynamoRuns(
            table,
            **{
                "dynamodb": cloud.client("dynamodb"),
                "s3": cloud.client("s3"),
                "bucket": table,
                "host": host,
                "target": f"version-of-{host}",
                **options,
            },
        )

    return open_runs


@pytest.fixture
def runs(open_runs: Open) -> DynamoRuns:
    return open_runs()


@pytest.fixture
def item(cloud: Moto, table: str) -> Callable[[str], dict[str, Any]]:
    """An execution's item, as it is in the table."""

    def item(id: str) -> dict[str, Any]:
        key = {"pk": {"S": run_key(id)}}
        return cloud.client("dynamodb").call("GetItem", {"TableName": table, "Key": key})["Item"]

    return item


@pytest.fixture
def objects(cloud: Moto, table: str) -> Callable[[str], int]:
    """How many objects an execution has."""

    def objects(id: str) -> int:
        query = {"list-type": "2", "prefix": f"runs/{id}/"}
        return cloud.client("s3").request("GET", f"/{table}", query=query).body.count(b"<Key>")

    return objects


def state(**fields: Any) -> RunState:
    values: dict[str, Any] = {
        "id": f"01T{os.urandom(8).hex()}",
        "workflow": f"/W{os.urandom(4).hex()}",
        "revision": "r1",
        "trigger": "start",
        "trigger_type": "trigger.manual",
        "input": "null",
        "started": time.time(),
        "secret": "secret",
    }
    return RunState(**{**values, **fields})


def mine(runs: DynamoRuns, **fields: Any) -> RunState:
    """An execution that runs here."""
    made = state(status=RunStatus.RUNNING, owner=runs.host, fence=1, **fields)
    assert runs.create([made]) == [True]
    return made


def entry(key: str, number: int, value: str = '"v"') -> Entry:
    return Entry(key, Kind.RESULT, value, number, "d" * 16, "^", 1.5, 0.25)


def loaded(runs: DynamoRuns, id: str) -> Kept:
    kept = runs.load(id)
    assert kept is not None
    return kept


# --- size -----------------------------------------------------------------------------------------


def test_a_long_journal_goes_to_the_bucket_in_pieces_and_away_with_the_execution(
    runs: DynamoRuns, item: Callable[[str], dict[str, Any]], objects: Callable[[str], int]
) -> None:
    run = mine(runs)
    for number in range(1, 101):
        written = entry(f"step[{number}]", number, f'"{"x" * 1200}{number}"')
        assert runs.change([Append(run.id, 1, [written])]) == [True]
    found = item(run.id)
    assert len(found["chunks"]["L"]) >= 2
    assert len(str(found)) < 100_000
    entries = loaded(runs, run.id).entries
    assert [each.number for each in entries] == list(range(1, 101))
    assert entries[17] == entry("step[18]", 18, f'"{"x" * 1200}18"')
    assert objects(run.id) == len(found["chunks"]["L"])
    assert runs.change([Finish(run.id, 1)]) == [True]
    assert objects(run.id) == 0


def test_a_key_that_is_written_again_counts_as_it_was_last(runs: DynamoRuns) -> None:
    run = mine(runs)
    many = [entry(f"s{number}", number, f'"{"x" * 900}"') for number in range(1, 90)]
    assert runs.change([Append(run.id, 1, many)]) == [True]
    assert runs.change([Append(run.id, 1, [entry("s5", 100, '"new"')])]) == [True]
    found = {each.key: each.value for each in loaded(runs, run.id).entries}
    assert found["s5"] == '"new"'
    assert len(found) == 89


def test_a_whole_journal_is_kept_with_a_new_execution(runs: DynamoRuns) -> None:
    entries = [entry(f"s[{number}]", number) for number in range(1, 251)]
    made = state(status=RunStatus.WAITING, due=FUTURE, waits=(Wait("w!answer", "webhook"),))
    assert runs.keep(Kept(made, entries)) is True
    assert loaded(runs, made.id).entries == entries
    assert runs.keep(Kept(made, [])) is False
    answered = runs.answered(made.id, "w!answer", "1")
    assert answered is not None
    assert answered.due is not None
    assert answered.due <= time.time()


def test_thousands_of_waits_fit_an_item(
    runs: DynamoRuns, item: Callable[[str], dict[str, Any]]
) -> None:
    run = mine(runs)
    spec = {"webhook": {"method": "POST", "form": {"title": "x" * 200}}}
    waits = tuple(Wait(f"ask[{n}]!answer", "webhook", FUTURE, spec) for n in range(5000))
    assert runs.change([Suspend(run.id, 1, waits)]) == [True]
    assert loaded(runs, run.id).state.waits == waits
    assert len(str(item(run.id))) < ITEM_LIMIT / 2
    assert runs.answer(run.id, "ask[4321]!answer", '"yes"')
    taken = runs.take(run.id, revision="r1")
    assert taken is not None


def test_crowds_of_answers_fit_an_item(
    runs: DynamoRuns,
    item: Callable[[str], dict[str, Any]],
    objects: Callable[[str], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nodegx.runtime.durable.dynamodb_answers.CROWDED", 10_000)
    run = mine(runs)
    value = f'"{"x" * 900}"'
    for number in range(30):
        assert runs.answer(run.id, f"ask[{number}]!answer", value)
    assert objects(run.id) > 10
    assert len(str(item(run.id))) < 40_000
    # What has been put away still counts as answered.
    many = [entry(f"s{number}", number) for number in range(150)]
    assert runs.change([Append(run.id, 1, many)]) == [True]
    assert item(run.id)["answers"]["M"] == {}
    assert not runs.answer(run.id, "ask[7]!answer", '"again"')
    found = [each for each in loaded(runs, run.id).entries if each.kind is Kind.ANSWER]
    assert {each.value for each in found} == {value}
    assert len(found) == 30


def test_without_a_bucket_what_fits_no_item_is_refused(open_runs: Open) -> None:
    runs = open_runs(s3=None, bucket=None)
    run = mine(runs)
    with pytest.raises(AwsError, match="there is no bucket"):
        runs.change([Append(run.id, 1, [entry("a", 1, "x" * 20_000)])])


# --- functions ------------------------------------------------------------------------------------


def test_a_function_takes_what_may_go_on_and_nothing_else(open_runs: Open) -> None:
    one, other = open_runs("one"), open_runs("other")
    one.beat(60)
    run = mine(one)
    assert other.take(run.id, revision="r1") is None  # it runs
    waits = (Wait("a!answer", "webhook", FUTURE), Wait("b!answer", "time", FUTURE - 5))
    assert one.change([Suspend(run.id, 1, waits, [entry("s", 1)])]) == [True]
    assert one.alarms[run.id] == FUTURE - 5
    assert other.take(run.id, revision="r1") is None  # it is not due
    sleeper = other.sleeper(run.id)
    assert sleeper is not None
    assert (sleeper.target, sleeper.due) == ("version-of-one", FUTURE - 5)
    assert one.answer(run.id, "a!answer", "1")
    assert other.take(run.id, revision="r2") is None  # it was begun by other code
    taken = other.take(run.id, revision="r1")
    assert taken is not None
    assert (taken.kept.state.fence, taken.alarm, taken.claims) == (2, FUTURE - 5, 1)
    assert [each.key for each in taken.kept.entries] == ["a!answer", "s"]
    assert one.take(run.id, revision="r1") is None
    assert other.sleeper(run.id) is None


def test_a_function_takes_what_is_queued_whatever_its_code(runs: DynamoRuns) -> None:
    made = state()
    runs.create([made])
    assert [each.id for each in runs.overdue(made.workflow, late=-1)] == [made.id]
    taken = runs.take(made.id, revision="r9")
    assert taken is not None
    assert taken.kept.state.revision == loaded(runs, made.id).state.revision == "r9"


def test_claims_without_progress_are_counted(open_runs: Open) -> None:
    run = mine(open_runs("first"), revision="r1")
    for number in range(2, 5):
        before = open_runs("dead")
        before.beat(-1)
        if number == 2:
            _expire(open_runs("first"), run.id)
        taken = before.take(run.id, revision="r1")
        assert taken is not None
        assert taken.claims == number
    before.change([Append(run.id, taken.kept.state.fence, [entry("s", 1)])])
    again = open_runs("next").take(run.id, revision="r1")
    assert again is not None
    assert again.claims == 1


def _expire(runs: DynamoRuns, id: str) -> None:
    """Ends the lease of whoever has an execution, as time does."""
    runs._held[id] = 0
    runs.leave()


def test_a_sweep_finds_the_due_and_the_orphaned_of_its_workflow(open_runs: Open) -> None:
    one, other = open_runs("one"), open_runs("other")
    workflow = f"/W{os.urandom(4).hex()}"
    late, recent, orphan, alive, idle = (mine(one, workflow=workflow) for _ in range(5))
    foreign = mine(one)
    now = time.time()
    one.change([Suspend(late.id, 1, (Wait("w", "time", now - 100),))])
    one.change([Suspend(foreign.id, 1, (Wait("w", "time", now - 100),))])
    one.change([Suspend(recent.id, 1, (Wait("w", "time", now - 10),))])
    one.change([Suspend(idle.id, 1, (Wait("w", "webhook"),))])
    other.beat(60)
    one._held = {orphan.id: 0}
    one.leave()
    found = {each.id: each.target for each in other.overdue(workflow, late=30)}
    assert found == {late.id: "version-of-one", orphan.id: "version-of-one"}
    assert alive.id not in found


def test_a_host_learns_of_a_cancellation_when_it_writes(open_runs: Open) -> None:
    one, operator = open_runs("one"), open_runs("operator")
    run = mine(one)
    assert operator.request_cancel(run.id, "enough", {"by": "me"})
    assert one.wanted == {}
    assert one.change([Append(run.id, 1, [entry("s", 1)])]) == [True]
    assert one.wanted == {run.id: "enough"}
    # If it comes to wait, it does so only to be cancelled.
    assert one.change([Suspend(run.id, 1, (Wait("w", "time", FUTURE),))]) == [True]
    due = one.alarms[run.id]
    assert due is not None
    assert due <= time.time()


def test_operators_leave_the_code_alone_unless_they_change_it(open_runs: Open) -> None:
    one = open_runs("one")
    operator = open_runs("operator", target=None)
    run = mine(one)
    one.change([Fail(run.id, 1, "{}")])
    taken = operator.claim_one(run.id, statuses=[RunStatus.FAILED])
    assert taken is not None
    taken.status, taken.owner, taken.due = RunStatus.WAITING, None, time.time()
    assert operator.update(taken)
    assert _target(operator, run.id) == "version-of-one"
    taken = operator.claim_one(run.id, statuses=[RunStatus.WAITING])
    assert taken is not None
    taken.status, taken.owner, taken.revision = RunStatus.WAITING, None, "r2"
    assert operator.update(taken)
    assert _target(operator, run.id) is None


def _target(runs: DynamoRuns, id: str) -> str | None:
    sleeper = runs.sleeper(id)
    assert sleeper is not None
    return sleeper.target


# --- requests that are sent twice -------------------------------------------------------------------


class Forgetful:
    """A client whose answers get lost once: it makes each call again, as it would then."""

    def __init__(self, client: AwsClient) -> None:
        self._client = client
        self.twice = False

    def call(self, operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        if self.twice and operation != "GetItem":
            self._client.call(operation, payload)
        return self._client.call(operation, payload)

    def close(self) -> None:
        self._client.close()


def test_what_was_done_by_a_request_that_is_repeated_counts_as_done(
    open_runs: Open, cloud: Moto
) -> None:
    client = Forgetful(cloud.client("dynamodb"))
    runs = open_runs(dynamodb=client)
    client.twice = True
    run = mine(runs)
    assert runs.change([Append(run.id, 1, [entry("s", 1)])]) == [True]
    assert runs.change([Suspend(run.id, 1, (Wait("w", "webhook"),))]) == [True]
    assert runs.alarms[run.id] is None
    assert runs.answer(run.id, "w", "1")
    client.twice = False
    assert not runs.answer(run.id, "w", "1")
    assert not runs.create([run])[0]


def test_a_service_that_is_away_may_come_back(open_runs: Open) -> None:
    nowhere = AwsClient(
        "dynamodb",
        region=REGION,
        endpoint="http://127.0.0.1:9",
        credentials=CredentialChain(KEYS),
    )
    with pytest.raises(StoreUnavailable):
        open_runs(dynamodb=nowhere).load("x")


# --- the table ------------------------------------------------------------------------------------


def test_unfinished_executions_are_no_part_of_the_history(
    runs: DynamoRuns, cloud: Moto, table: str
) -> None:
    run = mine(runs, parent="01P", parent_step="call!answer")
    history = DynamoHistory(table, dynamodb=cloud.client("dynamodb"))
    assert history.get(run.id) is None
    for query in (Query(), Query(workflow=run.workflow), Query(parent="01P")):
        assert history.list(query).records == []
    assert history.running_hosts() == []
    history.close()


def test_dead_letters_expire_and_what_is_revived_does_not(
    open_runs: Open, item: Callable[[str], dict[str, Any]]
) -> None:
    runs = open_runs(retention_days=10)
    run = mine(runs)
    assert "expires" not in item(run.id)
    runs.change([Fail(run.id, 1, '{"message":"no"}')])
    expires = int(item(run.id)["expires"]["N"])
    assert 11 * 86_400 < expires - time.time() < 13 * 86_400
    assert runs.claim_one(run.id, statuses=[RunStatus.FAILED]) is not None
    assert "expires" not in item(run.id)
