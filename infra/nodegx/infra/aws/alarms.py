"""Alarms of workflows, and those who are told."""

from __future__ import annotations

import json

import pulumi
from nodegx.compiler.targets.aws import alarms as plans
from nodegx.compiler.targets.aws.names import ALIAS
from nodegx.compiler.targets.aws.plan import Function
from pulumi_aws import cloudwatch, sns

from .context import Component, Context
from .logs import Logs

NAMESPACE = "Nodegx"
TELLERS = ("cloudwatch.amazonaws.com", "budgets.amazonaws.com")
"""Services that announce something on the topic."""


class AlarmTopic(Component):
    """Where alarms are announced: by e-mail and to a web address, as the stack says."""

    def __init__(self, context: Context, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("AlarmTopic", "alarms", context, opts)
        place = context.place
        self.topic = sns.Topic(
            "alarms", name=place.names.topic, tags=context.tags(), opts=self.child()
        )
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": list(TELLERS)},
            "Action": "sns:Publish",
            "Resource": place.topic,
            "Condition": {"StringEquals": {"aws:SourceAccount": place.account}},
        }
        sns.TopicPolicy(
            "alarms",
            arn=self.topic.arn,
            policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
            opts=self.child(),
        )
        addresses = (
            ("email", context.settings.alarm_email),
            ("https", context.settings.alarm_webhook),
        )
        for protocol, address in addresses:
            if address is not None:
                sns.TopicSubscription(
                    f"alarms-{protocol}",
                    topic=self.topic.arn,
                    protocol=protocol,
                    endpoint=address,
                    opts=self.child(),
                )
        self.register_outputs({"topic": self.topic.arn})


class WorkflowAlarms(Component):
    """The alarms of a workflow.

    Args:
        context: the deployment.
        function: the plan of its function.
        topic: where they are announced.
        logs: the function's log.
    """

    def __init__(
        self,
        context: Context,
        function: Function,
        *,
        topic: AlarmTopic,
        logs: Logs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        slug = function.slug
        super().__init__("WorkflowAlarms", slug, context, opts)
        names = context.place.names
        for alarm in plans.alarms(function):
            if alarm.source == "log":
                cloudwatch.LogMetricFilter(
                    f"{slug}-{alarm.kind}",
                    name=alarm.kind,
                    log_group_name=logs.group.name,
                    pattern=alarm.pattern,
                    metric_transformation={
                        "namespace": NAMESPACE,
                        "name": log_metric(names.function(slug), alarm.metric),
                        "value": "1",
                        "default_value": "0",
                    },
                    opts=self.child(),
                )
            namespace, metric, dimensions = metric_of(context, function, alarm)
            percentile = alarm.statistic.startswith("p")
            cloudwatch.MetricAlarm(
                f"{slug}-{alarm.kind}",
                name=names.alarm(slug, alarm.kind),
                alarm_description=alarm.description,
                namespace=namespace,
                metric_name=metric,
                dimensions=dimensions,
                statistic=None if percentile else alarm.statistic,
                extended_statistic=alarm.statistic if percentile else None,
                period=alarm.period,
                evaluation_periods=alarm.periods,
                datapoints_to_alarm=alarm.periods,
                threshold=alarm.threshold,
                comparison_operator="LessThanThreshold"
                if alarm.below
                else "GreaterThanOrEqualToThreshold",
                treat_missing_data="breaching" if alarm.below else "notBreaching",
                alarm_actions=[topic.topic.arn],
                ok_actions=[topic.topic.arn],
                tags=context.tags(slug),
                opts=self.child(),
            )
        self.register_outputs({})


def log_metric(function: str, metric: str) -> str:
    """The name of a metric that is counted from a function's log: such metrics have dimensions only
    where the lines do."""
    return f"{function}/{metric}"


def metric_of(
    context: Context, function: Function, alarm: plans.Alarm
) -> tuple[str, str, dict[str, str]]:
    """Namespace, name and dimensions of what an alarm watches."""
    names = context.place.names
    own = names.function(function.slug)
    if alarm.source == "log":
        return NAMESPACE, log_metric(own, alarm.metric), {}
    if alarm.source == "dead-letters":
        queue = names.dead_letters(function.slug, fifo=alarm.fifo)
        return "AWS/SQS", alarm.metric, {"QueueName": queue}
    return "AWS/Lambda", alarm.metric, {"FunctionName": own, "Resource": f"{own}:{ALIAS}"}
