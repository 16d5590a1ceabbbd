"""What the workflows of a project share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pulumi
from nodegx.compiler.targets.aws.names import is_arn
from nodegx.compiler.targets.aws.plan import Function

from .alarms import AlarmTopic
from .bucket_events import BucketEvents, Watcher
from .buckets import Bucket
from .budget import MonthlyBudget
from .context import Component, Context
from .dashboard import Dashboard
from .domain import ApiDomain
from .event_bus import EventBus
from .history_table import HistoryTable
from .http_api import HttpApi, HttpStage
from .schedule import ScheduleGroup
from .secrets import Secrets
from .table_stream import Table

if TYPE_CHECKING:
    from .workflow import Workflow

SLACK_DAYS = 2

T = TypeVar("T")


class Project(Component):
    """A project: history, alarms, secrets, and whatever its workflows share to be started.

    Make the workflows after it, and call `complete` at the end.

    Args:
        name: the project's name.
        home: the directory of the program, with the bundles.
        vars: values of the project's variables; a stack's own come before them.
        secrets: names of the secrets that workflows read.
        retention_days: days for which executions are kept.
        longest_retention: the same for the workflow that keeps them longest.
        http: whether workflows are reached over HTTP.
        events: whether workflows emit events, or wait for them.
        schedules: whether workflows are started at times.
        buckets: buckets whose files start workflows.
        tables: tables whose changes start workflows.
        opts: of the component.
    """

    def __init__(
        self,
        name: str,
        *,
        home: Path,
        vars: Mapping[str, Any] | None = None,
        secrets: Sequence[str] = (),
        retention_days: int = 30,
        longest_retention: int | None = None,
        http: bool = False,
        events: bool = False,
        schedules: bool = False,
        buckets: Sequence[str] = (),
        tables: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        context = Context.current(name, home)
        super().__init__("Project", name, context, opts)
        self.vars = dict(vars or {})
        self.retention_days = retention_days
        self.workflows: list[Workflow] = []
        self.history = HistoryTable(context, opts=self.child())
        # Objects go when their items do, which DynamoDB removes within two days.
        kept = max(retention_days, longest_retention or 0) + SLACK_DAYS
        self.data = Bucket(context, "data", expire={"history/": kept}, opts=self.child())
        self.alarms = AlarmTopic(context, opts=self.child())
        self.secrets = Secrets(context, secrets, opts=self.child()) if secrets else None
        self.api = HttpApi(context, opts=self.child()) if http else None
        self.events = EventBus(context, opts=self.child()) if events else None
        self.schedules = ScheduleGroup(context, opts=self.child()) if schedules else None
        self.buckets = {name: Bucket(context, name, opts=self.child()) for name in buckets}
        self.tables = {name: Table(context, name, opts=self.child()) for name in tables}
        if context.settings.budget is not None:
            MonthlyBudget(context, context.settings.budget, topic=self.alarms, opts=self.child())
        self.url: pulumi.Output[str] | None = None
        self._dashboard: Dashboard | None = None

    # --- for workflows -------------------------------------------------------------------------

    def add(self, workflow: Workflow) -> None:
        """Counts a workflow in."""
        self.workflows.append(workflow)

    def need_api(self, workflow: str) -> HttpApi:
        """The HTTP API, for a workflow that is reached over it."""
        return _needed(self.api, "http=True", workflow)

    def need_events(self, workflow: str) -> EventBus:
        """The bus, for a workflow that waits for events."""
        return _needed(self.events, "events=True", workflow)

    def need_schedules(self, workflow: str) -> ScheduleGroup:
        """The schedules, for a workflow that has one."""
        return _needed(self.schedules, "schedules=True", workflow)

    def secret_arns(self, function: Function) -> dict[str, pulumi.Output[str]]:
        """ARNs of the secrets that a function reads."""
        arns = {} if self.secrets is None else self.secrets.arns
        return {
            name: _needed(arns.get(name), f'secrets=("{name}",)', function.slug)
            for name in function.secrets
        }

    def stream(self, table: str, workflow: str) -> pulumi.Input[str]:
        """ARN of a table's stream."""
        if is_arn(table):
            return table
        return _needed(self.tables.get(table), f'tables=("{table}",)', workflow).stream

    # --- at the end ----------------------------------------------------------------------------

    def complete(self) -> None:
        """Makes what spans all workflows: the API's stage, the notifications of buckets, the
        dashboard."""
        context = self.context
        functions = [workflow.function for workflow in self.workflows]
        context.settings.check([function.slug for function in functions])
        if self.api is not None:
            routes = [route for workflow in self.workflows for route in workflow.routes]
            stage = HttpStage(context, self.api, functions, routes, opts=self.child())
            self.url = self.api.url
            if context.settings.domain is not None:
                domain = ApiDomain(
                    context, context.settings.domain, self.api, stage, opts=self.child()
                )
                self.url = domain.url
        watchers: dict[str, list[Watcher]] = {}
        for watcher in (each for workflow in self.workflows for each in workflow.watchers):
            watchers.setdefault(watcher.trigger.bucket, []).append(watcher)
        for bucket, those in sorted(watchers.items()):
            own = None
            if not is_arn(bucket):
                needed = f'buckets=("{bucket}",)'
                own = _needed(self.buckets.get(bucket), needed, those[0].plan.slug)
            BucketEvents(context, bucket, own, those, opts=self.child())
        self._dashboard = Dashboard(context, functions, opts=self.child())
        self.register_outputs({"url": self.url})

    @property
    def outputs(self) -> dict[str, Any]:
        """What tools want to know of a deployment."""
        return {
            "url": self.url,
            "functions": {
                workflow.function.slug: workflow.lambda_function.function.name
                for workflow in self.workflows
            },
            "versions": {
                workflow.function.slug: workflow.lambda_function.function.version
                for workflow in self.workflows
            },
            "historyTable": self.history.table.name,
            "dataBucket": self.data.bucket.id,
            "eventBus": None if self.events is None else self.events.bus.name,
            "alarmTopic": self.alarms.topic.arn,
            "dashboard": None
            if self._dashboard is None
            else self._dashboard.dashboard.dashboard_name,
        }


def _needed(thing: T | None, argument: str, workflow: str) -> T:
    if thing is None:
        raise pulumi.RunError(f"{workflow} needs a Project(…, {argument})")
    return thing
