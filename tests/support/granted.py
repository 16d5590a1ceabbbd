"""What functions were granted, compared with what they and the services for them have done."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from nodegx.compiler.targets.aws import iam
from nodegx.compiler.targets.aws.names import Names

from tests.support.recording_proxy import Call

BY_SERVICES: Mapping[str, str] = {
    "logs:CreateLogStream": "log",
    "logs:PutLogEvents": "log",
    "sqs:ReceiveMessage": "queue",
    "sqs:DeleteMessage": "queue",
    "sqs:GetQueueAttributes": "queue",
    "dynamodb:DescribeStream": "stream",
    "dynamodb:GetRecords": "stream",
    "dynamodb:GetShardIterator": "stream",
    "dynamodb:ListStreams": "stream",
    "sqs:SendMessage": "dead letters",
    "iam:PassRole": "schedule",
}
"""Actions that Lambda takes in the name of a function's role: the emulator takes them without a
call, so that their trace is what they have brought about."""
RARE = {
    *("WriteLargeHistory", "GiveUp", "KeepExecutions", "SeeHistory", "KeepLargeExecutions"),
    *("FindLargeExecutions", "WakeLater", "HandOverSchedulerRole", "Wake"),
}
"""Statements for what seldom happens, to any function: seen once is enough."""


@dataclass
class Grants:
    """What the functions of a deployment may do.

    Attributes:
        statements: by the function's name.
        keys: names of functions by the access keys that they get.
        traces: what services have done for a function, by its name; see `BY_SERVICES`.
    """

    statements: dict[str, list[dict[str, Any]]]
    keys: dict[str, str]
    traces: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def read(cls, cloud: Any, functions: Iterable[str]) -> Grants:
        """Reads the policies that are really there."""
        policies, functions_client = cloud.client("iam"), cloud.client("lambda")
        statements: dict[str, list[dict[str, Any]]] = {}
        keys: dict[str, str] = {}
        for name in functions:
            names = policies.list_role_policies(RoleName=name)["PolicyNames"]
            documents = [
                policies.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"]
                for each in names
            ]
            statements[name] = [statement for each in documents for statement in each["Statement"]]
            assert not policies.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
            found = functions_client.get_function_configuration(FunctionName=name)
            arn, role = found["FunctionArn"], found["Role"]
            for qualified in (arn, *(f"{arn}:{version}" for version in range(1, 40))):
                keys[_key(qualified, role)] = name
        return cls(statements, keys)

    def notice(
        self, cloud: Any, names: Names, functions: Mapping[str, str], calls: Iterable[Call]
    ) -> None:
        """Adds what services have done for any function: written its log, fired its schedules.

        Args:
            cloud: clients of the SDK.
            names: those of the deployment.
            functions: their names, by workflow.
            calls: all that were made.
        """
        for slug, name in functions.items():
            group = names.log_group(slug)
            if cloud.client("logs").describe_log_streams(logGroupName=group)["logStreams"]:
                self.traces[name].add("log")
        for call in calls:
            if call.action == "scheduler:CreateSchedule" and call.key in self.keys:
                self.traces[self.keys[call.key]].add("schedule")

    def forbidden(self, calls: Iterable[Call]) -> list[str]:
        """Calls of functions that no statement allows, or that were refused."""
        return sorted(
            {
                f"{name}: {call.action} on {call.resource} ({call.status})"
                for call in calls
                if (name := self.keys.get(call.key)) is not None
                and (call.status == 403 or not self._allows(name, call))
            }
        )

    def unused(self, calls: Iterable[Call]) -> list[str]:
        """What was granted and never done."""
        made: dict[str, list[Call]] = defaultdict(list)
        for call in calls:
            if call.key in self.keys:
                made[self.keys[call.key]].append(call)
        found: list[str] = []
        seen: list[list[str]] = []
        for name, statements in self.statements.items():
            for statement in statements:
                for action in statement["Action"]:
                    trace = BY_SERVICES.get(action)
                    used = (
                        trace in self.traces[name]
                        if trace is not None
                        else any(
                            call.action == action and _covers(resource, call.resource)
                            for call in made[name]
                            for resource in statement["Resource"]
                        )
                    )
                    if used:
                        seen.append([statement["Sid"], action])
                    else:
                        found.append(f"{name}: {statement['Sid']} {action}")
        return [each for each in found if not (_sid(each) in RARE and each.split(" ")[1:] in seen)]

    def everything(self) -> list[str]:
        """Actions that are granted on every resource, but for the listed exceptions."""
        return [
            f"{name}: {action}"
            for name, statements in self.statements.items()
            for statement in statements
            for action in statement["Action"]
            if "*" in action or ("*" in statement["Resource"] and action not in iam.EXCEPTIONS)
        ]

    def _allows(self, name: str, call: Call) -> bool:
        return any(
            call.action in statement["Action"] and _covers(resource, call.resource)
            for statement in self.statements[name]
            for resource in statement["Resource"]
        )


def _covers(pattern: str, resource: str) -> bool:
    return fnmatchcase(resource, pattern.replace("[", "[[]"))


def _sid(entry: str) -> str:
    return entry.split(" ")[1]


def _key(function: str, role: str) -> str:
    """The access key that the emulator gives to a function: it follows from function and role."""
    digest = hashlib.sha256(f"{function}:{role}".encode()).hexdigest()
    return f"ASIA{digest[:16].upper()}"


def printed(rows: Iterable[tuple[str, float]]) -> str:
    """Figures for a log."""
    return "\n".join(f"  {seconds:7.2f} s  {name}" for name, seconds in rows)


def inventory(cloud: Any) -> dict[str, list[str]]:
    """Everything that is in the account, by kind."""
    listings: dict[str, tuple[str, str, str, str]] = {
        "functions": ("lambda", "list_functions", "Functions", "FunctionName"),
        "mappings": ("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
        "layers": ("lambda", "list_layers", "Layers", "LayerName"),
        "roles": ("iam", "list_roles", "Roles", "RoleName"),
        "buckets": ("s3", "list_buckets", "Buckets", "Name"),
        "topics": ("sns", "list_topics", "Topics", "TopicArn"),
        "subscriptions": ("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
        "apis": ("apigatewayv2", "get_apis", "Items", "Name"),
        "log groups": ("logs", "describe_log_groups", "logGroups", "logGroupName"),
        "metric filters": ("logs", "describe_metric_filters", "metricFilters", "filterName"),
        "alarms": ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        "dashboards": ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
        "buses": ("events", "list_event_buses", "EventBuses", "Name"),
        "schedules": ("scheduler", "list_schedules", "Schedules", "Name"),
        "groups": ("scheduler", "list_schedule_groups", "ScheduleGroups", "Name"),
        "secrets": ("secretsmanager", "list_secrets", "SecretList", "Name"),
    }
    found = {
        kind: sorted(each[name] for each in getattr(cloud.client(service), method)().get(key, ()))
        for kind, (service, method, key, name) in listings.items()
    }
    found["tables"] = sorted(cloud.client("dynamodb").list_tables()["TableNames"])
    found["queues"] = sorted(cloud.client("sqs").list_queues().get("QueueUrls", ()))
    return json.loads(json.dumps(found))
