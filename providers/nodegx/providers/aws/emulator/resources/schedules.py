"""EventBridge Scheduler."""

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


class ScheduleGroup(Resource):
    type = "aws:scheduler/scheduleGroup:ScheduleGroup"
    optional = frozenset({"name", "tags"})
    replaces = frozenset({"name"})
    computed = frozenset({"arn", "state"})
    named = "name"

    def create(self, inputs: Properties) -> str:
        self.cloud.client("scheduler").create_schedule_group(
            Name=inputs["name"], Tags=tag_list(inputs.get("tags"))
        )
        return inputs["name"]

    def read(self, id: str, state: Properties) -> Properties | None:
        scheduler = self.cloud.client("scheduler")
        found = scheduler.get_schedule_group(Name=id)
        tags = scheduler.list_tags_for_resource(ResourceArn=found["Arn"]).get("Tags")
        return {
            "name": id,
            "arn": found["Arn"],
            "state": found["State"],
            "tags": tag_map(tags) or None,
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        scheduler = self.cloud.client("scheduler")
        gone = gone_tags(old, new)
        if gone:
            scheduler.untag_resource(ResourceArn=old["arn"], TagKeys=gone)
        if new.get("tags"):
            scheduler.tag_resource(ResourceArn=old["arn"], Tags=tag_list(new["tags"]))

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("scheduler").delete_schedule_group(Name=id)


class Schedule(Resource):
    type = "aws:scheduler/schedule:Schedule"
    required = frozenset({"flexibleTimeWindow", "scheduleExpression", "target"})
    optional = frozenset(
        {
            *("name", "description", "groupName", "scheduleExpressionTimezone"),
            *("startDate", "endDate", "state"),
        }
    )
    replaces = frozenset({"name", "groupName"})
    computed = frozenset({"arn"})
    named = "name"
    defaults = {"state": "ENABLED"}  # noqa: RUF012

    def create(self, inputs: Properties) -> str:
        self.cloud.client("scheduler").create_schedule(**pascal(inputs))
        return f"{inputs.get('groupName', 'default')}/{inputs['name']}"

    def read(self, id: str, state: Properties) -> Properties | None:
        group, _, name = id.partition("/")
        found = self.cloud.client("scheduler").get_schedule(GroupName=group, Name=name)
        properties = camel(found)
        return {
            **{key: properties.get(key) for key in self.required | self.optional},
            "groupName": group,
            "name": name,
            "arn": found["Arn"],
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.cloud.client("scheduler").update_schedule(**pascal(new))

    def delete(self, id: str, state: Properties) -> None:
        group, _, name = id.partition("/")
        self.cloud.client("scheduler").delete_schedule(GroupName=group, Name=name)


TYPES = (Schedule, ScheduleGroup)
