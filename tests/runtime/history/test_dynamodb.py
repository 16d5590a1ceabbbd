"""What the conformance suite does not ask of the DynamoDB store."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from nodegx.runtime.aws.client import AwsClient, AwsError
from nodegx.runtime.history import dynamodb as module
from nodegx.runtime.history import dynamodb_items as items
from nodegx.runtime.history import dynamodb_lists as lists
from nodegx.runtime.history.dynamodb import DynamoHistory
from nodegx.runtime.history.dynamodb_items import DynamoWriter
from nodegx.runtime.history.dynamodb_table import EXPIRES, table_definition
from nodegx.runtime.history.record import ExecutionRecord, Status, StepRecord
from nodegx.runtime.history.store import Query, StoreUnavailable

from tests.support.moto import Moto, moto_server

pytestmark = pytest.mark.slow


@pytest.fixture
def cloud() -> Moto:
    return moto_server()


@pytest.fixture
def store(cloud: Moto) -> DynamoHistory:
    """An empty store with a bucket."""
    name = f"h-{os.urandom(6).hex()}"
    cloud.client("dynamodb").call("CreateTable", table_definition(name))
    cloud.make_bucket(name)
    clients = cloud.client("dynamodb"), cloud.client("s3")
    return DynamoHistory(name, dynamodb=clients[0], s3=clients[1], bucket=name, retention_days=7)


def running(number: int = 1, **fields: Any) -> ExecutionRecord:
    started = fields.pop("started", time.time())
    return ExecutionRecord(
        f"01X{number:06}", "/A", "start", Status.RUNNING, started, input='{"n":1}', **fields
    )


def ended(record: ExecutionRecord, **fields: Any) -> ExecutionRecord:
    values: dict[str, Any] = {"status": Status.SUCCESS, "finished": record.started + 0.5}
    return replace(record, **{**values, **fields})


def raw(store: DynamoHistory, id: str) -> dict[str, Any]:
    key = {"pk": {"S": f"X#{id}"}}
    return store.dynamodb.call("GetItem", {"TableName": store.table, "Key": key})["Item"]


def objects(store: DynamoHistory, cloud: Moto) -> list[str]:
    listed = cloud.boto3("s3").list_objects_v2(Bucket=store.bucket)
    return sorted(each["Key"].rpartition("/")[2] for each in listed.get("Contents", []))


def test_what_does_not_fit_an_item_goes_to_the_bucket_and_comes_back(
    store: DynamoHistory, cloud: Moto
) -> None:
    noise = os.urandom(250_000).hex()  # compresses to little more than half
    step = StepRecord("s", "s", "data.set", 1.0, 0.1, Status.SUCCESS, output=f'"{noise}"')
    record = ended(running(), output=f'"{noise}"', error='{"message":"x"}', steps=[step])
    store.put_finished(record)
    assert objects(store, cloud) == ["steps"]
    assert "stepsAt" in raw(store, record.id)
    assert store.get(record.id) == record
    assert store.list(Query()).records == [replace(record, steps=[], input=None, output=None)]
    assert store.delete([record.id]) == 1
    assert objects(store, cloud) == []


def test_without_a_bucket_large_executions_are_refused(store: DynamoHistory) -> None:
    store.s3 = None
    noise = os.urandom(400_000).hex()
    with pytest.raises(AwsError, match="too large for an item and there is no bucket"):
        store.put_finished(ended(running(), output=f'"{noise}"'))


def test_objects_that_are_gone_already_leave_the_rest_readable(
    store: DynamoHistory, cloud: Moto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "ITEM_LIMIT", 10)
    record = ended(running(), output='{"ok":true}')
    store.put_finished(record)
    cloud.boto3("s3").delete_object(Bucket=store.bucket, Key=raw(store, record.id)["dataAt"]["S"])
    found = store.get(record.id)
    assert found is not None
    assert (found.status, found.input, found.output) == (Status.SUCCESS, None, None)


def test_items_expire_after_their_retention(store: DynamoHistory) -> None:
    record = running(started=1_800_000_000.0)
    store.put_finished(ended(record))
    assert raw(store, record.id)[EXPIRES] == {"N": str(1_800_000_000 + 7 * 86_400)}
    store.retention_days = None
    store.put_finished(ended(running(2)))
    assert EXPIRES not in raw(store, "01X000002")


def test_past_its_deadline_a_run_counts_as_interrupted(store: DynamoHistory) -> None:
    now = time.time()
    store.put_started(running(1), deadline=now - 1)
    store.put_started(running(2), deadline=now + 60)
    store.put_started(running(3))
    assert [r.id[-1] for r in store.list(Query(statuses=(Status.INTERRUPTED,))).records] == ["1"]
    alive = store.list(Query(statuses=(Status.RUNNING,))).records
    assert sorted(record.id[-1] for record in alive) == ["2", "3"]
    found = store.get("01X000001")
    assert found is not None
    assert (found.status, found.finished) == (Status.INTERRUPTED, None)
    assert found.error is not None
    assert store.metrics() == []

    assert store.interrupt_overdue() == 1
    assert store.interrupt_overdue() == 0
    assert raw(store, "01X000001")["status"] == {"S": "interrupted"}
    assert [(row.count, row.error) for row in store.metrics()] == [(1, 1)]
    assert store.prune(now + 10) == 1


def test_durable_executions_are_not_their_hosts(store: DynamoHistory) -> None:
    start = running(1, durable=True, host="dead")
    store.put_started(start, deadline=time.time() - 1)
    assert store.get(start.id) == start
    assert store.interrupt_overdue() == 0
    assert store.put_finished(replace(start, status=Status.WAITING)) is False
    assert EXPIRES not in raw(store, start.id)
    assert raw(store, start.id)["state"]["S"].startswith("waiting#")
    assert store.metrics() == []
    assert store.put_finished(ended(start)) is True
    assert EXPIRES in raw(store, start.id)
    assert [row.count for row in store.metrics()] == [1]


def test_a_late_end_is_kept_and_counted_once(store: DynamoHistory) -> None:
    start = running()
    store.put_started(start, deadline=time.time() - 1)
    assert store.put_finished(ended(start)) is True
    assert store.put_finished(ended(start, output="1")) is False
    store.put_started(start)
    found = store.get(start.id)
    assert found is not None
    assert (found.status, found.output) == (Status.SUCCESS, "1")
    assert [row.count for row in store.metrics()] == [1]


def test_an_end_that_only_we_can_have_kept_is_counted_while_it_is_kept(
    store: DynamoHistory,
) -> None:
    start = running()
    assert store.put_started(start) is True
    assert store.put_started(start) is False
    assert store.put_finished(ended(start), mine=True) is True
    waiting = replace(running(2), status=Status.WAITING)
    assert store.put_finished(waiting, mine=True) is False
    found = store.get(start.id)
    assert found is not None
    assert found.status is Status.SUCCESS
    assert [row.count for row in store.metrics()] == [1]


def test_functions_that_end_at_once_are_all_counted(store: DynamoHistory, cloud: Moto) -> None:
    def work(base: int) -> None:
        writer = DynamoWriter(store.table, dynamodb=cloud.client("dynamodb"))
        for number in range(base, base + 25):
            writer.put_finished(ended(running(number, started=1_800_000_000.0)))

    threads = [threading.Thread(target=work, args=(base,)) for base in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (row,) = store.metrics()
    assert (row.count, row.success, row.sketch.count) == (100, 100, 100)
    assert row.total == pytest.approx(50.0)


def test_lists_cross_pages_of_the_index(
    store: DynamoHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "PAGE", 3)
    store.write([], [ended(running(number, started=1000.0 + number)) for number in range(40)])
    seen: list[str] = []
    page = store.list(Query(workflow="/A"), limit=7)
    while True:
        seen += [record.id for record in page.records]
        if page.cursor is None:
            break
        page = store.list(Query(workflow="/A"), limit=7, cursor=page.cursor)
    assert seen == [f"01X{number:06}" for number in reversed(range(40))]
    failed = ended(running(50, started=900.0), status=Status.ERROR)
    store.write([], [failed, replace(failed, id="01X000051", workflow="/B")])
    query = Query(workflow="/B", statuses=(Status.ERROR,))
    assert [record.id for record in store.list(query).records] == ["01X000051"]


def test_an_execution_that_moves_between_partitions_is_listed_once(
    store: DynamoHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put_finished(ended(running(), status=Status.ERROR))
    walk = lists._walk  # pyright: ignore[reportPrivateUsage]

    def seen_twice(*given: Any) -> Any:
        return iter([place for place in walk(*given) for _ in range(2)])

    monkeypatch.setattr(lists, "_walk", seen_twice)
    assert len(store.list(Query(statuses=(Status.ERROR,))).records) == 1


def test_a_table_that_is_not_there_or_does_not_answer(
    store: DynamoHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nodegx.runtime.aws.client.BASE_DELAY", 0.001)
    missing = DynamoHistory("missing", dynamodb=store.dynamodb)
    with pytest.raises(AwsError, match=r"(?i)not found") as refused:
        missing.get("01X")
    assert not refused.value.retriable
    nobody = AwsClient("dynamodb", region="eu-central-1", endpoint="http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    with pytest.raises(StoreUnavailable):
        DynamoHistory("h", dynamodb=nobody).list(Query())


def test_batches_that_dynamodb_does_in_parts_are_completed(
    store: DynamoHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = store.dynamodb.call
    parts: list[str] = []

    def in_parts(operation: str, payload: Any) -> dict[str, Any]:
        wanted = payload.get("RequestItems", {}).get(store.table)
        if operation == "BatchWriteItem" and len(wanted) > 2:
            parts.append(operation)
            call(operation, {"RequestItems": {store.table: wanted[:2]}})
            return {"UnprocessedItems": {store.table: wanted[2:]}}
        if operation == "BatchGetItem" and len(wanted["Keys"]) > 2:
            parts.append(operation)
            first = {**wanted, "Keys": wanted["Keys"][:2]}
            answer = call(operation, {"RequestItems": {store.table: first}})
            return {
                **answer,
                "UnprocessedKeys": {store.table: {**wanted, "Keys": wanted["Keys"][2:]}},
            }
        return call(operation, payload)

    monkeypatch.setattr(store.dynamodb, "call", in_parts)
    monkeypatch.setattr(module, "PAUSE", 0.0001)
    store.write([], [ended(running(number)) for number in range(9)])
    assert len(list(store.export(Query()))) == 9
    assert {"BatchWriteItem", "BatchGetItem"} <= set(parts)


def test_a_late_host_of_a_durable_execution_changes_nothing(store: DynamoHistory) -> None:
    first = running(1, durable=True, fence=1)
    store.put_started(first)
    waiting = replace(first, status=Status.WAITING, fence=2)
    assert store.put_finished(waiting) is False
    assert store.put_finished(ended(first, status=Status.ERROR)) is False
    found = store.get(first.id)
    assert found is not None
    assert (found.status, found.fence) == (Status.WAITING, 2)
    assert store.put_finished(ended(first, fence=3)) is True
    assert store.put_finished(ended(first, status=Status.ERROR, fence=2)) is False
    found = store.get(first.id)
    assert found is not None
    assert found.status is Status.SUCCESS
    assert [hour.count for hour in store.metrics()] == [1]
