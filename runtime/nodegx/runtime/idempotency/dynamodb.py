"""Idempotency keys in DynamoDB: items `K#<key>` of the history's table, which removes them in
time."""

from __future__ import annotations

import contextlib
import math
from base64 import b64decode, b64encode
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from nodegx.runtime.aws.client import AwsClient, AwsError
from nodegx.runtime.errors import StoreUnavailable

from .store import Claim, Held, Release, Settlement

_NAMES = {"#execution": "execution", "#done": "done"}
_UNSETTLED = "#execution = :execution AND attribute_not_exists(#done)"
_REFUSED = "ConditionalCheckFailedException"


class DynamoKeys:
    """A `KeyStore` in one DynamoDB table. When a process has ended shows by the times of its
    claims alone: a function's deadline.

    Args:
        table: name of the table, as `dynamodb_table` defines it.
        dynamodb: client of the table's region.
    """

    limit = 350_000  # of the 400 KB that an item may have
    lease: float | None = None

    def __init__(self, table: str, *, dynamodb: AwsClient | None = None) -> None:
        self._table = table
        self._dynamodb = dynamodb or AwsClient("dynamodb")

    def claim(self, claims: Sequence[Claim], *, now: float) -> list[Held | None]:
        """See `KeyStore`."""
        with _unavailable(self._table):
            return [self._claim(each, now) for each in claims]

    def settle(self, settlements: Sequence[Settlement]) -> list[bool]:
        """See `KeyStore`."""
        with _unavailable(self._table):
            return [self._settle(each) for each in settlements]

    def release(self, releases: Sequence[Release]) -> list[bool]:
        """See `KeyStore`."""
        with _unavailable(self._table):
            return [self._release(each) for each in releases]

    def find(self, key: str, *, now: float) -> Held | None:
        """See `KeyStore`."""
        with _unavailable(self._table):
            request = {"TableName": self._table, "Key": _key(key), "ConsistentRead": True}
            item = self._dynamodb.call("GetItem", request).get("Item")
        if item is None or float(item["expires"]["N"]) <= now:
            return None
        answer = item.get("answer")
        done, until = "done" in item, item.get("until")
        return Held(
            item["execution"]["S"],
            item["fingerprint"]["S"],
            done,
            None if answer is None else b64decode(answer["B"]),
            not done and until is not None and float(until["N"]) <= now,
        )

    def beat(self) -> None:
        """See `KeyStore`."""

    def prune(self, now: float) -> int:
        """See `KeyStore`; DynamoDB does so by itself."""
        del now
        return 0

    def close(self) -> None:
        """See `KeyStore`, but for claims without `until`, which nobody can tell to be dead."""
        self._dynamodb.close()

    def _claim(self, claim: Claim, now: float) -> Held | None:
        free = "attribute_not_exists(pk) OR #expires <= :now"
        names, values = {"#expires": "expires"}, {":now": {"N": repr(now)}}
        if claim.dead is not None:
            free += " OR (attribute_not_exists(#done) AND #execution = :dead)"
            names.update(_NAMES)
            values[":dead"] = {"S": claim.dead}
        item: dict[str, Any] = {
            **_key(claim.key),
            "execution": {"S": claim.execution},
            "fingerprint": {"S": claim.fingerprint},
            "expires": {"N": str(math.ceil(claim.expires))},  # DynamoDB reads whole seconds only
        }
        if claim.until is not None:
            item["until"] = {"N": repr(claim.until)}
        request = {
            "Item": item,
            "ConditionExpression": free,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        while not self._change("PutItem", request):
            held = self.find(claim.key, now=now)
            if held is not None:
                # The write may have arrived twice, as the client repeats what got no answer.
                return None if held.execution == claim.execution else held
        return None

    def _settle(self, settlement: Settlement) -> bool:
        values: dict[str, Any] = {
            ":execution": {"S": settlement.execution},
            ":done": {"BOOL": True},
        }
        change = "SET #done = :done"
        names = dict(_NAMES)
        if settlement.answer is not None:
            change += ", #answer = :answer"
            names["#answer"] = "answer"
            values[":answer"] = {"B": b64encode(settlement.answer).decode("ascii")}
        request = {
            "Key": _key(settlement.key),
            "UpdateExpression": change,
            "ConditionExpression": _UNSETTLED,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        return self._change("UpdateItem", request)

    def _release(self, release: Release) -> bool:
        request = {
            "Key": _key(release.key),
            "ConditionExpression": _UNSETTLED,
            "ExpressionAttributeNames": _NAMES,
            "ExpressionAttributeValues": {":execution": {"S": release.execution}},
        }
        return self._change("DeleteItem", request)

    def _change(self, operation: str, request: Mapping[str, Any]) -> bool:
        """Makes a change; False if its condition does not hold."""
        try:
            self._dynamodb.call(operation, {"TableName": self._table, **request})
        except AwsError as error:
            if error.code == _REFUSED:
                return False
            raise
        return True


def _key(key: str) -> dict[str, Any]:
    return {"pk": {"S": f"K#{key}"}}


@contextlib.contextmanager
def _unavailable(table: str) -> Generator[None]:
    """Turns failures that may pass into `StoreUnavailable`."""
    try:
        yield
    except AwsError as error:
        if error.retriable:
            message = f"The idempotency keys in {table} are unavailable: {error}"
            raise StoreUnavailable(message) from error
        raise
