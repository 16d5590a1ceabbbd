"""Policies with the least privilege there is: what each function may do, exactly on what.

A policy is derived from the plan alone. ARNs are known from names before anything exists, but for
those that AWS completes itself (secrets, streams); whoever knows these passes them in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .names import Place
from .plan import Function, QueueTrigger, RecordTrigger

VERSION = "2012-10-17"

EXCEPTIONS: Mapping[str, str] = {
    "dynamodb:ListStreams": "has no resource types; Lambda calls it to find a table's shards",
}
"""Actions that functions are granted on every resource, because AWS allows them on none other."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a statement allows: its id and the actions."""

    sid: str
    actions: tuple[str, ...]

    def on(self, *resources: Any, **conditions: Any) -> Json:
        """The statement for some ARNs, which may be values that become known later."""
        statement: Json = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(resources),
        }
        return {**statement, "Condition": conditions} if conditions else statement


WRITE_LOGS = Grant("WriteLogs", ("logs:CreateLogStream", "logs:PutLogEvents"))
WRITE_HISTORY = Grant("WriteHistory", ("dynamodb:PutItem", "dynamodb:UpdateItem"))
WRITE_LARGE_HISTORY = Grant("WriteLargeHistory", ("s3:PutObject",))
KEEP_KEYS = Grant(
    "KeepIdempotencyKeys",
    ("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
)
KEEP_RUNS = Grant(
    "KeepExecutions",
    ("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
)
FIND_RUNS = Grant("FindExecutions", ("dynamodb:Query",))
SEE_HISTORY = Grant("SeeHistory", ("dynamodb:GetItem",))
KEEP_LARGE_RUNS = Grant("KeepLargeExecutions", ("s3:DeleteObject", "s3:GetObject", "s3:PutObject"))
FIND_LARGE_RUNS = Grant("FindLargeExecutions", ("s3:ListBucket",))
WAKE_LATER = Grant("WakeLater", ("scheduler:CreateSchedule", "scheduler:DeleteSchedule"))
HAND_OVER_ROLE = Grant("HandOverSchedulerRole", ("iam:PassRole",))
WAKE = Grant("Wake", ("lambda:InvokeFunction",))
EMIT_EVENTS = Grant("EmitEvents", ("events:PutEvents",))
CALL_WORKFLOWS = Grant("CallWorkflows", ("lambda:InvokeFunction",))
READ_SECRETS = Grant("ReadSecrets", ("secretsmanager:GetSecretValue",))
READ_QUEUES = Grant(
    "ReadQueues", ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
)
READ_STREAMS = Grant(
    "ReadStreams", ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
)
LIST_STREAMS = Grant("ListStreams", ("dynamodb:ListStreams",))
GIVE_UP = Grant("GiveUp", ("sqs:SendMessage",))
START_WORKFLOWS = Grant("StartWorkflows", ("lambda:InvokeFunction",))


def function_policy(
    function: Function,
    place: Place,
    *,
    secrets: Mapping[str, Any] | None = None,
    streams: Mapping[str, Any] | None = None,
) -> Json:
    """What a function's role may do.

    Args:
        function: the function.
        place: where it runs.
        secrets: ARNs of secrets by name, where they are known.
        streams: ARNs of streams by table, where they are known.
    """
    return policy(*_statements(function, place, secrets or {}, streams or {}))


def schedules_policy(function: Function, place: Place) -> Json:
    """What the role of the schedules may do to a function: start it, by any version if executions
    wait that have begun on it, and put away what could not be started."""
    slug = function.slug
    return policy(
        START_WORKFLOWS.on(place.versions(slug) if function.is_woken else place.alias(slug)),
        GIVE_UP.on(place.dead_letters(function.slug)),
    )


def policy(*statements: Json) -> Json:
    """A policy document."""
    return {"Version": VERSION, "Statement": list(statements)}


def trust(service: str, **conditions: Any) -> Json:
    """Who may take a role on: a service of AWS, under some conditions."""
    statement: Json = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    return policy({**statement, "Condition": conditions} if conditions else statement)


def for_source(account: str, source_arn: Any) -> Json:
    """The condition that a service acts for one source in one account, so that nobody can make it
    act for another one."""
    return {
        "ArnEquals": {"aws:SourceArn": source_arn},
        "StringEquals": {"aws:SourceAccount": account},
    }


def queue_policy(queue_arn: Any, account: str, senders: Mapping[str, Any]) -> Json:
    """Who may put messages into a queue: services by the ARNs they may act for."""
    return policy(
        *(
            {
                "Sid": f"Send{index}",
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": for_source(account, sources),
            }
            for index, (service, sources) in enumerate(sorted(senders.items()))
        )
    )


def _woken(function: Function, place: Place) -> Iterator[Json]:
    """What a function needs whose executions may go on in another invocation."""
    bucket, prefix = place.bucket_of(place.data_bucket_name), "runs/*"
    yield KEEP_RUNS.on(place.history, **_leading("R#*"))
    yield FIND_RUNS.on(f"{place.history}/index/byStatus", **_leading("R-*"))
    yield SEE_HISTORY.on(place.history, **_leading("X#*"))
    yield KEEP_LARGE_RUNS.on(f"{bucket}/{prefix}")
    yield FIND_LARGE_RUNS.on(bucket, StringLike={"s3:prefix": prefix})
    yield WAKE_LATER.on(place.wakes(function.slug))
    yield HAND_OVER_ROLE.on(
        place.role(place.names.scheduler),
        StringEquals={"iam:PassedToService": "scheduler.amazonaws.com"},
    )
    woken = sorted({function.slug, *function.callers})
    yield WAKE.on(*(place.versions(slug) for slug in woken))


def _leading(pattern: str) -> Json:
    """The condition that requests name only keys of one kind."""
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [pattern]}}


def _statements(
    function: Function, place: Place, secrets: Mapping[str, Any], streams: Mapping[str, Any]
) -> Iterator[Json]:
    yield WRITE_LOGS.on(place.log_group(place.names.log_group(function.slug)))
    if function.history:
        yield WRITE_HISTORY.on(place.history)
        bucket = place.bucket_of(place.data_bucket_name)
        yield WRITE_LARGE_HISTORY.on(f"{bucket}/history/*")
    if function.keys:
        yield KEEP_KEYS.on(place.history, **_leading("K#*"))
    if function.is_woken:
        yield from _woken(function, place)
    if function.emits:
        yield EMIT_EVENTS.on(place.bus)
    if function.calls:
        yield CALL_WORKFLOWS.on(*(place.alias(slug) for slug in sorted(function.calls.values())))
    if function.secrets:
        names = function.secrets
        yield READ_SECRETS.on(*(secrets.get(name, place.secret(name)) for name in names))
    queues = [t.queue for t in function.triggers if isinstance(t, QueueTrigger)]
    if queues:
        yield READ_QUEUES.on(*(place.queue(queue) for queue in queues))
    tables = [t.table for t in function.triggers if isinstance(t, RecordTrigger)]
    if tables:
        yield READ_STREAMS.on(*(streams.get(table, place.stream(table)) for table in tables))
        yield LIST_STREAMS.on("*")
    if function.is_async or tables:
        yield GIVE_UP.on(place.dead_letters(function.slug))
