"""CloudWatch: alarms and dashboards."""

from __future__ import annotations

from nodegx.providers.aws.emulator.properties import Properties
from nodegx.providers.aws.emulator.resource import Resource, camel, pascal, tag_list, tag_map

_LISTS = ("alarmActions", "okActions", "insufficientDataActions")


class MetricAlarm(Resource):
    type = "aws:cloudwatch/metricAlarm:MetricAlarm"
    required = frozenset({"comparisonOperator", "evaluationPeriods"})
    optional = frozenset(
        {
            *("name", "alarmDescription", "actionsEnabled", "metricName", "namespace", "period"),
            *("statistic", "extendedStatistic", "threshold", "treatMissingData", "unit"),
            *("datapointsToAlarm", "dimensions", "metricQueries", "tags", *_LISTS),
        }
    )
    replaces = frozenset({"name"})
    computed = frozenset({"arn"})
    named = "name"
    defaults = {"actionsEnabled": True, "treatMissingData": "missing"}  # noqa: RUF012

    def create(self, inputs: Properties) -> str:
        self._put(inputs)
        return inputs["name"]

    def read(self, id: str, state: Properties) -> Properties | None:
        cloudwatch = self.cloud.client("cloudwatch")
        alarms = cloudwatch.describe_alarms(AlarmNames=[id])["MetricAlarms"]
        if not alarms:
            return None
        found = camel(alarms[0])
        arn = alarms[0]["AlarmArn"]
        tags = cloudwatch.list_tags_for_resource(ResourceARN=arn).get("Tags")
        return {
            **{name: found.get(name) for name in self.optional - {"name", "metricQueries"}},
            "comparisonOperator": found["comparisonOperator"],
            "evaluationPeriods": found["evaluationPeriods"],
            "oKActions": None,
            "okActions": alarms[0].get("OKActions"),
            "dimensions": tag_map(alarms[0].get("Dimensions"), "Name") or None,
            "metricQueries": _queries(alarms[0].get("Metrics")),
            "name": id,
            "arn": arn,
            "tags": tag_map(tags) or None,
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self._put(new)

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("cloudwatch").delete_alarms(AlarmNames=[id])

    def _put(self, inputs: Properties) -> None:
        plain = {
            name: value
            for name, value in inputs.items()
            if name not in {"name", "dimensions", "metricQueries", "tags", "okActions"}
        }
        parameters = pascal(plain)
        if inputs.get("okActions") is not None:
            parameters["OKActions"] = inputs["okActions"]
        if inputs.get("dimensions"):
            parameters["Dimensions"] = tag_list(inputs["dimensions"], "Name")
        if inputs.get("metricQueries"):
            parameters["Metrics"] = [_query(query) for query in inputs["metricQueries"]]
        self.cloud.client("cloudwatch").put_metric_alarm(
            AlarmName=inputs["name"], Tags=tag_list(inputs.get("tags")), **parameters
        )


class Dashboard(Resource):
    type = "aws:cloudwatch/dashboard:Dashboard"
    required = frozenset({"dashboardName", "dashboardBody"})
    replaces = frozenset({"dashboardName"})
    computed = frozenset({"dashboardArn"})

    def create(self, inputs: Properties) -> str:
        answer = self.cloud.client("cloudwatch").put_dashboard(
            DashboardName=inputs["dashboardName"], DashboardBody=inputs["dashboardBody"]
        )
        problems = answer.get("DashboardValidationMessages")
        if problems:
            raise ValueError(f"the dashboard is not valid: {problems}")
        return inputs["dashboardName"]

    def read(self, id: str, state: Properties) -> Properties | None:
        found = self.cloud.client("cloudwatch").get_dashboard(DashboardName=id)
        return {
            "dashboardName": id,
            "dashboardBody": found["DashboardBody"],
            "dashboardArn": self.cloud.arn("cloudwatch", f"dashboard/{id}", region=""),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.create(new)

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("cloudwatch").delete_dashboards(DashboardNames=[id])


def _query(query: Properties) -> Properties:
    given = pascal(query)
    metric = given.pop("Metric", None)
    if metric is not None:
        dimensions = tag_list((query["metric"].get("dimensions")) or {}, "Name")
        given["MetricStat"] = {
            "Metric": {
                "Namespace": metric["Namespace"],
                "MetricName": metric["MetricName"],
                "Dimensions": dimensions,
            },
            "Period": metric["Period"],
            "Stat": metric["Stat"],
        }
    return given


def _queries(found: list[Properties] | None) -> list[Properties] | None:
    if not found:
        return None
    queries: list[Properties] = []
    for each in found:
        query = camel({key: value for key, value in each.items() if key != "MetricStat"})
        stat = each.get("MetricStat")
        if stat:
            query["metric"] = {
                "namespace": stat["Metric"]["Namespace"],
                "metricName": stat["Metric"]["MetricName"],
                "dimensions": tag_map(stat["Metric"].get("Dimensions"), "Name") or None,
                "period": stat["Period"],
                "stat": stat["Stat"],
            }
        queries.append(query)
    return queries


TYPES = (MetricAlarm, Dashboard)
