"""DynamoDB."""

from __future__ import annotations

from typing import Any

from nodegx.providers.aws.emulator.properties import Properties
from nodegx.providers.aws.emulator.resource import Resource, gone_tags, tag_list, tag_map


class Table(Resource):
    type = "aws:dynamodb/table:Table"
    required = frozenset({"hashKey", "attributes"})
    optional = frozenset(
        {
            *("name", "billingMode", "rangeKey", "globalSecondaryIndexes", "ttl", "tags"),
            *("pointInTimeRecovery", "streamEnabled", "streamViewType"),
            *("deletionProtectionEnabled", "tableClass"),
        }
    )
    replaces = frozenset({"name", "hashKey", "rangeKey"})
    computed = frozenset({"arn"})
    named = "name"
    defaults = {"billingMode": "PROVISIONED"}  # noqa: RUF012

    def create(self, inputs: Properties) -> str:
        dynamodb = self.cloud.client("dynamodb")
        given: Properties = {
            "TableName": inputs["name"],
            "BillingMode": inputs["billingMode"],
            "AttributeDefinitions": _attributes(inputs),
            "KeySchema": _schema(inputs["hashKey"], inputs.get("rangeKey")),
            "DeletionProtectionEnabled": bool(inputs.get("deletionProtectionEnabled")),
            "Tags": tag_list(inputs.get("tags")),
        }
        indexes = [_index(index) for index in inputs.get("globalSecondaryIndexes") or ()]
        if indexes:
            given["GlobalSecondaryIndexes"] = indexes
        if inputs.get("streamEnabled"):
            given["StreamSpecification"] = _stream(inputs)
        if inputs["billingMode"] == "PROVISIONED":
            raise ValueError("the emulated cloud makes tables that are paid per request only")
        dynamodb.create_table(**given)
        dynamodb.get_waiter("table_exists").wait(
            TableName=inputs["name"], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        self._expire(inputs["name"], inputs.get("ttl"))
        self._back_up(inputs["name"], inputs.get("pointInTimeRecovery"))
        return inputs["name"]

    def read(self, id: str, state: Properties) -> Properties | None:
        dynamodb = self.cloud.client("dynamodb")
        found = dynamodb.describe_table(TableName=id)["Table"]
        keys = _keys(found["KeySchema"])
        stream: Properties = found.get("StreamSpecification") or {}
        tags = dynamodb.list_tags_of_resource(ResourceArn=found["TableArn"]).get("Tags")
        return {
            "name": id,
            "arn": found["TableArn"],
            "billingMode": found.get("BillingModeSummary", {}).get("BillingMode"),
            "hashKey": keys["hashKey"],
            "rangeKey": keys.get("rangeKey"),
            "attributes": [
                {"name": each["AttributeName"], "type": each["AttributeType"]}
                for each in found["AttributeDefinitions"]
            ],
            "globalSecondaryIndexes": [
                _found_index(index) for index in found.get("GlobalSecondaryIndexes") or ()
            ]
            or None,
            "deletionProtectionEnabled": found.get("DeletionProtectionEnabled", False),
            "streamEnabled": stream.get("StreamEnabled", False),
            "streamViewType": stream.get("StreamViewType"),
            "streamArn": found.get("LatestStreamArn"),
            "streamLabel": found.get("LatestStreamLabel"),
            "ttl": self._expiry(id),
            "pointInTimeRecovery": self._backup(id),
            "tags": tag_map(tags) or None,
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        dynamodb = self.cloud.client("dynamodb")
        given: Properties = {}
        protect = bool(new.get("deletionProtectionEnabled"))
        if bool(old.get("deletionProtectionEnabled")) != protect:
            given["DeletionProtectionEnabled"] = protect
        stream = ("streamEnabled", "streamViewType")
        if any(old.get(name) != new.get(name) for name in stream):
            given["StreamSpecification"] = _stream(new)
        changes = _index_changes(old, new)
        if changes:
            given["AttributeDefinitions"] = _attributes(new)
            given["GlobalSecondaryIndexUpdates"] = changes
        if given:
            dynamodb.update_table(TableName=id, **given)
        if old.get("ttl") != new.get("ttl"):
            self._expire(id, new.get("ttl"))
        if old.get("pointInTimeRecovery") != new.get("pointInTimeRecovery"):
            self._back_up(id, new.get("pointInTimeRecovery"))
        gone = gone_tags(old, new)
        if gone:
            dynamodb.untag_resource(ResourceArn=old["arn"], TagKeys=gone)
        if new.get("tags"):
            dynamodb.tag_resource(ResourceArn=old["arn"], Tags=tag_list(new["tags"]))

    def delete(self, id: str, state: Properties) -> None:
        dynamodb = self.cloud.client("dynamodb")
        dynamodb.delete_table(TableName=id)
        dynamodb.get_waiter("table_not_exists").wait(
            TableName=id, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )

    def _expire(self, name: str, ttl: Properties | None) -> None:
        if ttl:
            self.cloud.client("dynamodb").update_time_to_live(
                TableName=name,
                TimeToLiveSpecification={
                    "AttributeName": ttl["attributeName"],
                    "Enabled": ttl.get("enabled", True),
                },
            )

    def _expiry(self, name: str) -> Properties | None:
        found = self.cloud.client("dynamodb").describe_time_to_live(TableName=name)
        told = found["TimeToLiveDescription"]
        if "AttributeName" not in told:
            return None
        enabled = told["TimeToLiveStatus"] in ("ENABLED", "ENABLING")
        return {"attributeName": told["AttributeName"], "enabled": enabled}

    def _back_up(self, name: str, recovery: Properties | None) -> None:
        if recovery is not None:
            self.cloud.client("dynamodb").update_continuous_backups(
                TableName=name,
                PointInTimeRecoverySpecification={
                    "PointInTimeRecoveryEnabled": recovery["enabled"]
                },
            )

    def _backup(self, name: str) -> Properties:
        found = self.cloud.client("dynamodb").describe_continuous_backups(TableName=name)
        told = found["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        return {"enabled": told["PointInTimeRecoveryStatus"] == "ENABLED"}


def _attributes(inputs: Properties) -> list[Properties]:
    return [
        {"AttributeName": each["name"], "AttributeType": each["type"]}
        for each in inputs["attributes"]
    ]


def _schema(hash_key: str, range_key: str | None) -> list[Properties]:
    keys = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    return [*keys, {"AttributeName": range_key, "KeyType": "RANGE"}] if range_key else keys


def _keys(schema: list[Any]) -> Properties:
    names = {"HASH": "hashKey", "RANGE": "rangeKey"}
    return {names[key["KeyType"]]: key["AttributeName"] for key in schema}


def _stream(inputs: Properties) -> Properties:
    if not inputs.get("streamEnabled"):
        return {"StreamEnabled": False}
    return {"StreamEnabled": True, "StreamViewType": inputs["streamViewType"]}


def _index(index: Properties) -> Properties:
    projection: Properties = {"ProjectionType": index["projectionType"]}
    if index.get("nonKeyAttributes"):
        projection["NonKeyAttributes"] = index["nonKeyAttributes"]
    if index.get("keySchemas"):
        schema = [
            {"AttributeName": key["attributeName"], "KeyType": key["keyType"]}
            for key in index["keySchemas"]
        ]
    else:
        schema = _schema(index["hashKey"], index.get("rangeKey"))
    return {"IndexName": index["name"], "KeySchema": schema, "Projection": projection}


def _found_index(index: Properties) -> Properties:
    found: Properties = {
        "name": index["IndexName"],
        **_keys(index["KeySchema"]),
        "keySchemas": [
            {"attributeName": key["AttributeName"], "keyType": key["KeyType"]}
            for key in index["KeySchema"]
        ],
        "projectionType": index["Projection"]["ProjectionType"],
    }
    if index["Projection"].get("NonKeyAttributes"):
        found["nonKeyAttributes"] = index["Projection"]["NonKeyAttributes"]
    return found


def _index_changes(old: Properties, new: Properties) -> list[Properties]:
    before = {each["name"]: each for each in old.get("globalSecondaryIndexes") or ()}
    after = {each["name"]: each for each in new.get("globalSecondaryIndexes") or ()}
    gone = [{"Delete": {"IndexName": name}} for name in sorted(before.keys() - after.keys())]
    made = [{"Create": _index(after[name])} for name in sorted(after.keys() - before.keys())]
    return [*gone, *made]


TYPES = (Table,)
