"""EventBridge."""

from __future__ import annotations

from nodegx.providers.aws.emulator.properties import Properties
from nodegx.providers.aws.emulator.resource import (
    Resource,
    camel,
    gone_tags,
    pascal,
    tag_list,
    tag_map,
)

_TARGET = ("arn", "roleArn", "input", "inputPath", "deadLetterConfig", "retryPolicy")


class EventBus(Resource):
    type = "aws:cloudwatch/eventBus:EventBus"
    required = frozenset({"name"})
    optional = frozenset({"description", "tags"})
    replaces = frozenset({"name"})
    computed = frozenset({"arn"})

    def create(self, inputs: Properties) -> str:
        description = inputs.get("description")
        self.cloud.client("events").create_event_bus(
            Name=inputs["name"],
            Tags=tag_list(inputs.get("tags")),
            **({"Description": description} if description else {}),
        )
        return inputs["name"]

    def read(self, id: str, state: Properties) -> Properties | None:
        events = self.cloud.client("events")
        found = events.describe_event_bus(Name=id)
        tags = events.list_tags_for_resource(ResourceARN=found["Arn"]).get("Tags")
        return {
            "name": id,
            "arn": found["Arn"],
            "description": found.get("Description") or None,
            "tags": tag_map(tags) or None,
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        events = self.cloud.client("events")
        events.update_event_bus(Name=id, Description=new.get("description") or "")
        gone = gone_tags(old, new)
        if gone:
            events.untag_resource(ResourceARN=old["arn"], TagKeys=gone)
        if new.get("tags"):
            events.tag_resource(ResourceARN=old["arn"], Tags=tag_list(new["tags"]))

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("events").delete_event_bus(Name=id)


class EventRule(Resource):
    type = "aws:cloudwatch/eventRule:EventRule"
    optional = frozenset(
        {"name", "description", "eventBusName", "eventPattern", "scheduleExpression", "state"}
        | {"tags"}
    )
    replaces = frozenset({"name", "eventBusName"})
    computed = frozenset({"arn"})
    named = "name"
    defaults = {"eventBusName": "default", "state": "ENABLED"}  # noqa: RUF012

    def create(self, inputs: Properties) -> str:
        self._put(inputs, tag=True)
        return f"{inputs['eventBusName']}/{inputs['name']}"

    def read(self, id: str, state: Properties) -> Properties | None:
        bus, _, name = id.partition("/")
        events = self.cloud.client("events")
        found = events.describe_rule(Name=name, EventBusName=bus)
        tags = events.list_tags_for_resource(ResourceARN=found["Arn"]).get("Tags")
        return {
            "name": name,
            "eventBusName": bus,
            "arn": found["Arn"],
            "description": found.get("Description") or None,
            "eventPattern": found.get("EventPattern") or None,
            "scheduleExpression": found.get("ScheduleExpression") or None,
            "state": found.get("State"),
            "tags": tag_map(tags) or None,
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self._put(new, tag=False)

    def delete(self, id: str, state: Properties) -> None:
        bus, _, name = id.partition("/")
        self.cloud.client("events").delete_rule(Name=name, EventBusName=bus)

    def _put(self, inputs: Properties, *, tag: bool) -> None:
        given = pascal({key: value for key, value in inputs.items() if key != "tags"})
        if tag and inputs.get("tags"):
            given["Tags"] = tag_list(inputs["tags"])
        self.cloud.client("events").put_rule(**given)


class EventTarget(Resource):
    type = "aws:cloudwatch/eventTarget:EventTarget"
    required = frozenset({"rule", "arn"})
    optional = frozenset({"eventBusName", "targetId", "inputTransformer", *_TARGET}) - {"arn"}
    replaces = frozenset({"rule", "eventBusName", "targetId"})
    named = "targetId"
    defaults = {"eventBusName": "default"}  # noqa: RUF012

    def create(self, inputs: Properties) -> str:
        self._put(inputs)
        return f"{inputs['eventBusName']}/{inputs['rule']}/{inputs['targetId']}"

    def read(self, id: str, state: Properties) -> Properties | None:
        bus, rule, target = id.split("/")
        targets = self.cloud.client("events").list_targets_by_rule(Rule=rule, EventBusName=bus)
        found = next((each for each in targets["Targets"] if each["Id"] == target), None)
        if found is None:
            return None
        properties = camel({key: value for key, value in found.items() if key != "Id"})
        transformer = found.get("InputTransformer")
        return {
            **{name: properties.get(name) for name in _TARGET},
            "rule": rule,
            "eventBusName": bus,
            "targetId": target,
            "inputTransformer": {
                "inputTemplate": transformer["InputTemplate"],
                "inputPaths": transformer.get("InputPathsMap") or None,
            }
            if transformer
            else None,
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self._put(new)

    def delete(self, id: str, state: Properties) -> None:
        bus, rule, target = id.split("/")
        self.cloud.client("events").remove_targets(Rule=rule, EventBusName=bus, Ids=[target])

    def _put(self, inputs: Properties) -> None:
        target = pascal({name: inputs.get(name) for name in _TARGET})
        target["Id"] = inputs["targetId"]
        transformer = inputs.get("inputTransformer")
        if transformer:
            target["InputTransformer"] = {
                "InputTemplate": transformer["inputTemplate"],
                "InputPathsMap": transformer.get("inputPaths") or {},
            }
        answer = self.cloud.client("events").put_targets(
            Rule=inputs["rule"], EventBusName=inputs["eventBusName"], Targets=[target]
        )
        if answer.get("FailedEntryCount"):
            raise ValueError(f"the target was refused: {answer['FailedEntries']}")


TYPES = (EventBus, EventRule, EventTarget)
