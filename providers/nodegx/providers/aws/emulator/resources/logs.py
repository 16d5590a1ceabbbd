"""CloudWatch Logs."""

from __future__ import annotations

from nodegx.providers.aws.emulator.properties import Properties
from nodegx.providers.aws.emulator.resource import Resource, camel, gone_tags, pascal


class LogGroup(Resource):
    type = "aws:cloudwatch/logGroup:LogGroup"
    optional = frozenset({"name", "retentionInDays", "skipDestroy", "tags"})
    replaces = frozenset({"name"})
    computed = frozenset({"arn"})
    named = "name"

    def create(self, inputs: Properties) -> str:
        logs = self.cloud.client("logs")
        logs.create_log_group(logGroupName=inputs["name"], tags=inputs.get("tags") or {})
        self._retain(inputs["name"], inputs.get("retentionInDays"))
        return inputs["name"]

    def read(self, id: str, state: Properties) -> Properties | None:
        logs = self.cloud.client("logs")
        groups = logs.describe_log_groups(logGroupNamePrefix=id)["logGroups"]
        found = next((group for group in groups if group["logGroupName"] == id), None)
        if found is None:
            return None
        arn = found["arn"].removesuffix(":*")
        return {
            "name": id,
            "arn": arn,
            "retentionInDays": found.get("retentionInDays"),
            "tags": logs.list_tags_for_resource(resourceArn=arn).get("tags") or None,
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        logs = self.cloud.client("logs")
        self._retain(id, new.get("retentionInDays"))
        gone = gone_tags(old, new)
        if gone:
            logs.untag_resource(resourceArn=old["arn"], tagKeys=gone)
        if new.get("tags"):
            logs.tag_resource(resourceArn=old["arn"], tags=new["tags"])

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("logs").delete_log_group(logGroupName=id)

    def _retain(self, name: str, days: int | None) -> None:
        logs = self.cloud.client("logs")
        if days:
            logs.put_retention_policy(logGroupName=name, retentionInDays=days)
        else:
            logs.delete_retention_policy(logGroupName=name)


class LogMetricFilter(Resource):
    type = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
    required = frozenset({"logGroupName", "metricTransformation", "pattern"})
    optional = frozenset({"name"})
    replaces = frozenset({"name", "logGroupName"})
    named = "name"

    def create(self, inputs: Properties) -> str:
        transformation = pascal(inputs["metricTransformation"])
        transformation = {
            f"{key[0].lower()}{key[1:]}": value for key, value in transformation.items()
        }
        transformation["metricName"] = transformation.pop("name")
        transformation["metricNamespace"] = transformation.pop("namespace")
        transformation["metricValue"] = transformation.pop("value")
        if "defaultValue" in transformation:
            transformation["defaultValue"] = float(transformation["defaultValue"])
        self.cloud.client("logs").put_metric_filter(
            logGroupName=inputs["logGroupName"],
            filterName=inputs["name"],
            filterPattern=inputs["pattern"],
            metricTransformations=[transformation],
        )
        return inputs["name"]

    def read(self, id: str, state: Properties) -> Properties | None:
        filters = self.cloud.client("logs").describe_metric_filters(
            logGroupName=state["logGroupName"], filterNamePrefix=id
        )["metricFilters"]
        found = next((each for each in filters if each["filterName"] == id), None)
        if found is None:
            return None
        [transformation] = camel(found["metricTransformations"])
        return {
            "name": id,
            "logGroupName": state["logGroupName"],
            "pattern": found.get("filterPattern", ""),
            "metricTransformation": {
                **transformation,
                "name": transformation["metricName"],
                "namespace": transformation["metricNamespace"],
                "value": transformation["metricValue"],
                "defaultValue": _text(transformation.get("defaultValue")),
            },
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.create(new)

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("logs").delete_metric_filter(
            logGroupName=state["logGroupName"], filterName=id
        )


def _text(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"


TYPES = (LogGroup, LogMetricFilter)
