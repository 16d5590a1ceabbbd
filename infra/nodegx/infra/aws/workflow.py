"""One workflow, put together: its function, what starts it, what watches over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pulumi
from nodegx.compiler.targets.aws.environment import environment
from nodegx.compiler.targets.aws.names import resume_path
from nodegx.compiler.targets.aws.plan import (
    EventTrigger,
    FileTrigger,
    Function,
    HttpTrigger,
    ManualTrigger,
    QueueTrigger,
    RecordTrigger,
    ScheduleTrigger,
    Trigger,
)
from pulumi_aws import apigatewayv2

from .alarms import WorkflowAlarms
from .bucket_events import Watcher
from .context import Component
from .event_bus import EventRule
from .function import WorkflowFunction
from .http_api import HttpRoutes
from .logs import Logs
from .project import Project
from .queue import DeadLetters, QueueReader
from .scaling import WarmInstances
from .schedule import Schedule, WakeUps
from .table_stream import StreamReader


class Workflow(Component):
    """A workflow.

    Args:
        project: what it shares with the others.
        function: the plan of its function.
        opts: of the component.

    Attributes:
        function: the plan, as this stack wants it.
        lambda_function: the function.
        routes: its routes of the HTTP API.
        watchers: the buckets it watches.
    """

    def __init__(
        self, project: Project, function: Function, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        slug = function.slug
        context = project.context
        super().__init__("Workflow", slug, context, opts)
        function = context.settings.applied(function)
        self.function = function
        self.routes: list[apigatewayv2.Route] = []
        self.watchers: list[Watcher] = []
        self._project = project
        self.logs = Logs(
            context,
            slug,
            group=context.place.names.log_group(slug),
            workflow=slug,
            opts=self.child(),
        )
        self.dead_letters = {
            fifo: DeadLetters(
                context,
                slug,
                fifo=fifo,
                senders=None if fifo else self._senders(function),
                opts=self.child(),
            )
            for fifo in function.dead_letters
        }
        plain = self.dead_letters.get(False)
        self.lambda_function = WorkflowFunction(
            context,
            function,
            environment=self._environment(function),
            secrets=project.secret_arns(function),
            streams={
                trigger.table: project.stream(trigger.table, slug)
                for trigger in function.triggers
                if isinstance(trigger, RecordTrigger)
            },
            dead_letters=None if plain is None else plain.queue.arn,
            data_bucket=project.data.bucket.id,
            depends_on=[self.logs.group],
            opts=self.child(),
        )
        starters = self._starters()
        for trigger in function.triggers:
            starters[type(trigger)](trigger)
        if function.is_woken:
            self._wake_ups()
        override = context.settings.functions.get(slug)
        if override is not None and override.provisioned is not None:
            WarmInstances(self.lambda_function, function, override.provisioned, opts=self.child())
        WorkflowAlarms(context, function, topic=project.alarms, logs=self.logs, opts=self.child())
        project.add(self)
        self.register_outputs({"alias": self.lambda_function.alias.arn})

    def _senders(self, function: Function) -> dict[str, list[str]]:
        """Services that put into the dead letters what they could not hand over; Lambda and the
        schedules do so by roles of ours instead."""
        place = self.context.place
        rules = [
            place.rule(function.slug, trigger.label)
            for trigger in function.triggers
            if isinstance(trigger, EventTrigger)
        ]
        return {"events.amazonaws.com": rules} if rules else {}

    def _environment(self, function: Function) -> dict[str, pulumi.Input[str]]:
        settings, project = self.context.settings, self._project
        found: dict[str, pulumi.Input[str]] = {
            **environment(
                function,
                self.context.place,
                vars={**project.vars, **settings.vars},
                env=settings.env,
                retention_days=project.retention_days,
            )
        }
        if settings.log_level is not None:
            found["NODEGX_LOG_LEVEL"] = settings.log_level
        if function.secrets:
            found["NODEGX_SECRETS"] = pulumi.Output.json_dumps(project.secret_arns(function))
        if function.resume_route is not None:
            base = project.need_api(function.slug).public_url
            found["NODEGX_URL"] = pulumi.Output.concat(base, resume_path(function.slug))
        return found

    # --- what starts it ------------------------------------------------------------------------

    def _starters(self) -> Mapping[type[Trigger], Callable[[Any], None]]:
        """What makes each kind of trigger."""
        return {
            HttpTrigger: self._http,
            ScheduleTrigger: self._schedule,
            EventTrigger: self._event,
            QueueTrigger: self._queue,
            RecordTrigger: self._record,
            FileTrigger: self._file,
            ManualTrigger: self._manual,
        }

    def _http(self, trigger: HttpTrigger) -> None:
        api = self._project.need_api(self.function.slug)
        made = HttpRoutes(
            self.lambda_function,
            f"{self.function.slug}-{trigger.label}",
            trigger.routes,
            api=api,
            opts=self.child(),
        )
        self.routes += made.routes

    def _wake_ups(self) -> None:
        function = self.function
        WakeUps(
            self.lambda_function,
            function,
            group=self._project.need_schedules(function.slug),
            opts=self.child(),
        )
        if function.resume_route is not None:
            made = HttpRoutes(
                self.lambda_function,
                f"{function.slug}-resume",
                (function.resume_route,),
                api=self._project.need_api(function.slug),
                opts=self.child(),
            )
            self.routes += made.routes

    def _schedule(self, trigger: ScheduleTrigger) -> None:
        Schedule(
            self.lambda_function,
            self.function,
            trigger,
            group=self._project.need_schedules(self.function.slug),
            dead_letters=self.dead_letters[False],
            opts=self.child(),
        )

    def _event(self, trigger: EventTrigger) -> None:
        EventRule(
            self.lambda_function,
            self.function,
            trigger,
            bus=self._project.need_events(self.function.slug),
            dead_letters=self.dead_letters[False],
            opts=self.child(),
        )

    def _queue(self, trigger: QueueTrigger) -> None:
        QueueReader(
            self.lambda_function,
            self.function,
            trigger,
            dead_letters=self.dead_letters[trigger.is_fifo],
            opts=self.child(),
        )

    def _record(self, trigger: RecordTrigger) -> None:
        StreamReader(
            self.lambda_function,
            self.function,
            trigger,
            stream=self._project.stream(trigger.table, self.function.slug),
            dead_letters=self.dead_letters[False],
            opts=self.child(),
        )

    def _file(self, trigger: FileTrigger) -> None:
        self.watchers.append(Watcher(self.lambda_function, self.function, trigger))

    def _manual(self, trigger: ManualTrigger) -> None:
        """Callers have the permission, nothing has to be made."""
