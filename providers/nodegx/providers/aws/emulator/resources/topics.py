"""SNS."""

from __future__ import annotations

from nodegx.providers.aws.emulator.properties import Properties
from nodegx.providers.aws.emulator.resource import Resource, gone_tags, tag_list, tag_map


class Topic(Resource):
    type = "aws:sns/topic:Topic"
    optional = frozenset({"name", "displayName", "kmsMasterKeyId", "policy", "tags"})
    replaces = frozenset({"name"})
    computed = frozenset({"arn"})
    named = "name"

    _attributes = {  # noqa: RUF012
        "displayName": "DisplayName",
        "kmsMasterKeyId": "KmsMasterKeyId",
        "policy": "Policy",
    }

    def create(self, inputs: Properties) -> str:
        sns = self.cloud.client("sns")
        given = {
            attribute: inputs[name]
            for name, attribute in self._attributes.items()
            if inputs.get(name) is not None
        }
        tags = tag_list(inputs.get("tags"))
        return sns.create_topic(Name=inputs["name"], Attributes=given, Tags=tags)["TopicArn"]

    def read(self, id: str, state: Properties) -> Properties | None:
        sns = self.cloud.client("sns")
        found = sns.get_topic_attributes(TopicArn=id)["Attributes"]
        tags = tag_map(sns.list_tags_for_resource(ResourceArn=id).get("Tags")) or None
        properties: Properties = {"arn": id, "name": id.rpartition(":")[2], "tags": tags}
        for name, attribute in self._attributes.items():
            properties[name] = found.get(attribute) or None
        return properties

    def update(self, id: str, old: Properties, new: Properties) -> None:
        sns = self.cloud.client("sns")
        for name, attribute in self._attributes.items():
            if new.get(name) != old.get(name):
                sns.set_topic_attributes(
                    TopicArn=id, AttributeName=attribute, AttributeValue=new.get(name) or ""
                )
        gone = gone_tags(old, new)
        if gone:
            sns.untag_resource(ResourceArn=id, TagKeys=gone)
        if new.get("tags"):
            sns.tag_resource(ResourceArn=id, Tags=tag_list(new["tags"]))

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("sns").delete_topic(TopicArn=id)


class TopicPolicy(Resource):
    type = "aws:sns/topicPolicy:TopicPolicy"
    required = frozenset({"arn", "policy"})
    replaces = frozenset({"arn"})

    def create(self, inputs: Properties) -> str:
        self.update(inputs["arn"], {}, inputs)
        return inputs["arn"]

    def read(self, id: str, state: Properties) -> Properties | None:
        found = self.cloud.client("sns").get_topic_attributes(TopicArn=id)["Attributes"]
        return {"arn": id, "policy": found.get("Policy")}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.cloud.client("sns").set_topic_attributes(
            TopicArn=id, AttributeName="Policy", AttributeValue=new["policy"]
        )

    def delete(self, id: str, state: Properties) -> None:
        """Nothing: a topic always has a policy, and goes with it."""


class TopicSubscription(Resource):
    type = "aws:sns/topicSubscription:TopicSubscription"
    required = frozenset({"topic", "protocol", "endpoint"})
    optional = frozenset({"endpointAutoConfirms", "rawMessageDelivery"})
    replaces = frozenset({"topic", "protocol", "endpoint", "rawMessageDelivery"})
    computed = frozenset({"arn"})

    def create(self, inputs: Properties) -> str:
        raw = inputs.get("rawMessageDelivery")
        return self.cloud.client("sns").subscribe(
            TopicArn=inputs["topic"],
            Protocol=inputs["protocol"],
            Endpoint=inputs["endpoint"],
            Attributes={} if raw is None else {"RawMessageDelivery": str(raw).lower()},
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]

    def read(self, id: str, state: Properties) -> Properties | None:
        # Attributes are told of confirmed subscriptions only; addresses confirm by themselves.
        pages = self.cloud.client("sns").get_paginator("list_subscriptions_by_topic")
        for page in pages.paginate(TopicArn=state["topic"]):
            for found in page["Subscriptions"]:
                same = (found["Protocol"], found["Endpoint"]) == (
                    state["protocol"],
                    state["endpoint"],
                )
                if same:
                    return {
                        "arn": id,
                        "topic": found["TopicArn"],
                        "protocol": found["Protocol"],
                        "endpoint": found["Endpoint"],
                    }
        return None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        """Nothing: how a subscription is confirmed is no property of it."""

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("sns").unsubscribe(SubscriptionArn=id)


TYPES = (Topic, TopicPolicy, TopicSubscription)
