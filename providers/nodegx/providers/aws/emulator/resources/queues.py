"""SQS."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from nodegx.providers.aws.emulator.properties import Properties
from nodegx.providers.aws.emulator.resource import Resource, gone_tags

_ATTRIBUTES = {
    "delaySeconds": "DelaySeconds",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "redrivePolicy": "RedrivePolicy",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "fifoQueue": "FifoQueue",
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deduplicationScope": "DeduplicationScope",
    "fifoThroughputLimit": "FifoThroughputLimit",
}
_TEXTS = {"redrivePolicy", "redriveAllowPolicy", "deduplicationScope", "fifoThroughputLimit"}


class Queue(Resource):
    type = "aws:sqs/queue:Queue"
    optional = frozenset({"name", "tags", *_ATTRIBUTES})
    replaces = frozenset({"name", "fifoQueue"})
    computed = frozenset({"arn", "url"})
    named = "name"

    def create(self, inputs: Properties) -> str:
        sqs = self.cloud.client("sqs")
        return sqs.create_queue(
            QueueName=inputs["name"],
            Attributes=_attributes(inputs, _ATTRIBUTES),
            tags=inputs.get("tags") or {},
        )["QueueUrl"]

    def read(self, id: str, state: Properties) -> Properties | None:
        sqs = self.cloud.client("sqs")
        found = sqs.get_queue_attributes(QueueUrl=id, AttributeNames=["All"])["Attributes"]
        tags = sqs.list_queue_tags(QueueUrl=id).get("Tags") or None
        properties: Properties = {
            "name": id.rpartition("/")[2],
            "arn": found["QueueArn"],
            "url": id,
            "tags": tags,
        }
        for name, attribute in _ATTRIBUTES.items():
            if attribute in found:
                properties[name] = _parsed(name, found[attribute])
        return properties

    def update(self, id: str, old: Properties, new: Properties) -> None:
        sqs = self.cloud.client("sqs")
        changed = _attributes(new, _ATTRIBUTES.keys() - self.replaces)
        if changed:
            sqs.set_queue_attributes(QueueUrl=id, Attributes=changed)
        gone = gone_tags(old, new)
        if gone:
            sqs.untag_queue(QueueUrl=id, TagKeys=gone)
        if new.get("tags"):
            sqs.tag_queue(QueueUrl=id, Tags=new["tags"])

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("sqs").delete_queue(QueueUrl=id)


class QueuePolicy(Resource):
    type = "aws:sqs/queuePolicy:QueuePolicy"
    required = frozenset({"queueUrl", "policy"})
    replaces = frozenset({"queueUrl"})

    def create(self, inputs: Properties) -> str:
        self._put(inputs["queueUrl"], inputs["policy"])
        return inputs["queueUrl"]

    def read(self, id: str, state: Properties) -> Properties | None:
        found = self.cloud.client("sqs").get_queue_attributes(
            QueueUrl=id, AttributeNames=["Policy"]
        )
        policy = found.get("Attributes", {}).get("Policy")
        return {"queueUrl": id, "policy": policy} if policy else None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self._put(id, new["policy"])

    def delete(self, id: str, state: Properties) -> None:
        self._put(id, "")

    def _put(self, url: str, policy: str) -> None:
        self.cloud.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


def _attributes(inputs: Properties, names: Collection[str]) -> dict[str, str]:
    return {
        _ATTRIBUTES[name]: _written(inputs[name])
        for name in sorted(names)
        if inputs.get(name) is not None
    }


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parsed(name: str, text: str) -> Any:
    if name in _TEXTS:
        return text
    return text == "true" if text in ("true", "false") else int(text)


TYPES = (Queue, QueuePolicy)
