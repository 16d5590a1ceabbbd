"""What a project needs on AWS, as plain data: the one account of it that infrastructure, policies,
previews and generated programs share.

Nothing here knows the stack, the account or the region; `names.Place` does. Times are in seconds,
memory in MiB.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .names import is_arn

ARCHITECTURE = "arm64"
RUNTIME = "python3.13"
HANDLER = "entry.handler"
MEMORY = 256
MAX_MEMORY = 10_240
MIN_MEMORY = 128
MAX_TIMEOUT = 900
"""Seconds Lambda lets a function run."""
GRACE = 5
"""Seconds a function may outlive its workflow, to write down that time was up."""


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """Something that starts a workflow.

    Args:
        node: id of the trigger node.
        name: the node's name in expressions, where that is not its id.
    """

    kind: ClassVar[str] = ""
    node: str
    name: str = ""

    @property
    def label(self) -> str:
        """What names the things that are made for it."""
        return self.name or self.node

    @property
    def is_async(self) -> bool:
        """Whether Lambda itself keeps the event and tries it again, then gives it up."""
        return False


@dataclass(frozen=True, kw_only=True)
class HttpTrigger(Trigger):
    """Routes of the HTTP API, such as `POST /orders/{id}`. `rate` limits the requests a second of
    all callers together, `burst` how many may come at once."""

    kind: ClassVar[str] = "http"
    routes: tuple[str, ...]
    rate: float | None = None
    burst: int | None = None


@dataclass(frozen=True, kw_only=True)
class ScheduleTrigger(Trigger):
    """A schedule, as `cron(…)` or `rate(…)`.

    Args:
        expression: when, in EventBridge Scheduler's terms.
        timezone: in which `cron(…)` is read.
        catch_up: whether a start that failed is tried again for a day instead of minutes.
        pause: the longest time between two starts.
    """

    kind: ClassVar[str] = "schedule"
    expression: str
    timezone: str = "UTC"
    catch_up: bool = False
    pause: int

    @property
    def is_async(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class EventTrigger(Trigger):
    """Events of the project's bus that a pattern lets through."""

    kind: ClassVar[str] = "event"
    pattern: Mapping[str, Any]

    @property
    def is_async(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class QueueTrigger(Trigger):
    """Messages of an SQS queue.

    Args:
        queue: its name in the project, or the ARN of one that exists; FIFO if it ends in `.fifo`.
        batch_size: messages a function gets at once.
        batch_window: seconds to wait for more messages.
        visibility_timeout: seconds for which a received message is hidden from others.
        max_receives: deliveries of a message before it goes to the dead letters.
    """

    kind: ClassVar[str] = "queue"
    queue: str
    batch_size: int = 10
    batch_window: int = 0
    visibility_timeout: int
    max_receives: int = 3

    @property
    def is_fifo(self) -> bool:
        """Whether messages keep their order."""
        return self.queue.endswith(".fifo")


@dataclass(frozen=True, kw_only=True)
class FileTrigger(Trigger):
    """Objects of a bucket.

    Args:
        bucket: its name in the project, or the ARN of one that exists.
        events: such as `s3:ObjectCreated:*`.
        prefix: what keys begin with.
        suffix: what keys end with.
        notification: id of the notification; the function gets it with every event.
    """

    kind: ClassVar[str] = "file"
    bucket: str
    events: tuple[str, ...] = ("s3:ObjectCreated:*",)
    prefix: str = ""
    suffix: str = ""
    notification: str

    @property
    def is_async(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class RecordTrigger(Trigger):
    """Changes of a DynamoDB table.

    Args:
        table: its name in the project, or the ARN of the stream of one that exists.
        pattern: which changes Lambda lets through; empty are all.
        start: `LATEST` or `TRIM_HORIZON`: where reading begins at first.
        batch_size: changes a function gets at once.
        max_attempts: how often a change is tried again before it goes to the dead letters.
    """

    kind: ClassVar[str] = "record"
    table: str
    pattern: Mapping[str, Any] = field(default_factory=dict[str, Any])
    start: str = "LATEST"
    batch_size: int = 10
    max_attempts: int = 5


@dataclass(frozen=True, kw_only=True)
class ManualTrigger(Trigger):
    """Calls by other workflows, by people and by programs."""

    kind: ClassVar[str] = "manual"

    @property
    def is_async(self) -> bool:
        return True  # calls that do not wait, such as those of a failure workflow


@dataclass(frozen=True, kw_only=True)
class Function:
    """A workflow's function.

    Args:
        slug: the workflow's directory and the base of all its names.
        workflow: the workflow's name.
        description: what it does.
        triggers: what starts it.
        memory: MiB.
        timeout: seconds after which Lambda stops it.
        concurrency: executions at a time, reserved for it; None shares what the account has.
        architecture: `arm64` or `x86_64`.
        runtime: Lambda's name of the Python version.
        handler: module and name of the entry point.
        calls: workflows it may call, by name, with their slugs.
        calls_durable: those of them that are durable.
        emits: names of the events it emits; not empty lets it put events on the bus.
        secrets: names of the secrets it reads.
        vars: names of the project's variables it reads.
        env: names of the environment variables it reads.
        history: whether executions are recorded.
        keys: whether idempotency keys are remembered.
        durable: whether its executions may outlive an invocation.
        continues: whether an execution that is not durable goes on after its answer in an
            invocation of its own.
        resume_route: the route of the HTTP API by which requests end its waits; None if it waits
            for none.
        callers: durable workflows that call it and are told of its end, by slug; empty unless it is
            durable itself.
        retention_days: days for which executions are kept; None takes the project's.
        packages: Python packages its bundle needs.
    """

    slug: str
    workflow: str
    description: str = ""
    triggers: tuple[Trigger, ...] = ()
    memory: int = MEMORY
    timeout: int
    concurrency: int | None = None
    architecture: str = ARCHITECTURE
    runtime: str = RUNTIME
    handler: str = HANDLER
    calls: Mapping[str, str] = field(default_factory=dict[str, str])
    calls_durable: tuple[str, ...] = ()
    emits: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    vars: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    history: bool = True
    keys: bool = False
    durable: bool = False
    continues: bool = False
    resume_route: str | None = None
    callers: tuple[str, ...] = ()
    retention_days: int | None = None
    packages: tuple[str, ...] = ()

    @property
    def dead_letters(self) -> tuple[bool, ...]:
        """The queues it needs for what it is given up on, by whether they are FIFO: those of a
        FIFO queue must be, all others must not."""
        kinds = {
            isinstance(trigger, QueueTrigger) and trigger.is_fifo
            for trigger in self.triggers
            if trigger.is_async or isinstance(trigger, QueueTrigger | RecordTrigger)
        }
        return tuple(sorted(kinds | {False} if self.is_woken else kinds))

    @property
    def is_async(self) -> bool:
        """Whether Lambda keeps events for it and gives them up after some tries."""
        return self.is_woken or any(trigger.is_async for trigger in self.triggers)

    @property
    def is_woken(self) -> bool:
        """Whether its executions may go on in another invocation."""
        return self.durable or self.continues


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A whole project.

    Args:
        project: its name.
        functions: its workflows, by slug.
        vars: values of the variables that workflows read.
        retention_days: days for which executions are kept.
    """

    project: str
    functions: tuple[Function, ...]
    vars: Mapping[str, Any] = field(default_factory=dict[str, Any])
    retention_days: int = 30

    def triggers(self) -> Iterator[tuple[Function, Trigger]]:
        """Every trigger with its function."""
        for function in self.functions:
            for trigger in function.triggers:
                yield function, trigger

    def has(self, *kinds: type[Trigger]) -> bool:
        """Whether there is a trigger of one of these kinds."""
        return any(isinstance(trigger, kinds) for _, trigger in self.triggers())

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets that workflows read."""
        return _union(function.secrets for function in self.functions)

    @property
    def env(self) -> tuple[str, ...]:
        """The environment variables that workflows read."""
        return _union(function.env for function in self.functions)

    @property
    def has_api(self) -> bool:
        """Whether there are routes of an HTTP API."""
        return self.has(HttpTrigger) or any(each.resume_route for each in self.functions)

    @property
    def has_schedules(self) -> bool:
        """Whether anything is started or woken by schedules."""
        return self.has(ScheduleTrigger) or any(each.is_woken for each in self.functions)

    @property
    def has_bus(self) -> bool:
        """Whether events are emitted or waited for."""
        return self.has(EventTrigger) or any(function.emits for function in self.functions)

    @property
    def buckets(self) -> tuple[str, ...]:
        """Buckets of the project's own that start workflows."""
        found = (t.bucket for _, t in self.triggers() if isinstance(t, FileTrigger))
        return tuple(sorted({bucket for bucket in found if not is_arn(bucket)}))

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables of the project's own whose changes start workflows."""
        found = (t.table for _, t in self.triggers() if isinstance(t, RecordTrigger))
        return tuple(sorted({table for table in found if not is_arn(table)}))

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON data, with what its defaults stand for."""
        return {
            "formatVersion": 1,
            "project": self.project,
            "vars": dict(self.vars),
            "retentionDays": self.retention_days,
            "functions": [_function_json(function) for function in self.functions],
        }


def _union(many: Any) -> tuple[str, ...]:
    return tuple(sorted({name for names in many for name in names}))


def _function_json(function: Function) -> dict[str, Any]:
    data = dataclasses.asdict(function)
    data["triggers"] = [
        {"kind": trigger.kind, **dataclasses.asdict(trigger)} for trigger in function.triggers
    ]
    return {_camel(key): value for key, value in data.items()}


def _camel(text: str) -> str:
    head, *rest = text.split("_")
    return head + "".join(part.capitalize() for part in rest)
