"""Schedules."""

from __future__ import annotations

import json

import pulumi
from nodegx.compiler.targets.aws import iam
from nodegx.compiler.targets.aws.plan import Function, ScheduleTrigger
from pulumi_aws import iam as roles
from pulumi_aws import scheduler

from .context import Component, Context
from .function import WorkflowFunction
from .queue import DeadLetters

DAY, MINUTES = 86_400, 300
"""Seconds for which a start is tried again: with and without `catchUp`."""
MINUTE = 60
MAX_RETRIES = 185
FEW_RETRIES = 3


class ScheduleGroup(Component):
    """The project's schedules, and the role by which they start functions."""

    def __init__(self, context: Context, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ScheduleGroup", "schedules", context, opts)
        place = context.place
        self.group = scheduler.ScheduleGroup(
            "schedules", name=place.names.shared, tags=context.tags(), opts=self.child()
        )
        trust = iam.trust(
            "scheduler.amazonaws.com", **iam.for_source(place.account, place.schedule_group)
        )
        self.role = roles.Role(
            "scheduler",
            name=place.names.scheduler,
            description=f"What the schedules of {place.names.prefix} may start",
            assume_role_policy=json.dumps(trust),
            tags=context.tags(),
            opts=self.child(),
        )
        self.register_outputs({"group": self.group.name, "role": self.role.arn})


class WakeUps(Component):
    """Lets a function's executions be woken: by schedules that the function makes itself, and by
    one that looks after those that were forgotten.

    Args:
        function: the function.
        plan: the plan of it.
        group: the project's schedules.
    """

    def __init__(
        self,
        function: WorkflowFunction,
        plan: Function,
        *,
        group: ScheduleGroup,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        name = f"{plan.slug}-wakes"
        context = function.context
        super().__init__("WakeUps", name, context, opts)
        names = context.place.names
        allowed = roles.RolePolicy(
            name,
            name=names.sweep(plan.slug),
            role=group.role.name,
            policy=json.dumps(iam.schedules_policy(plan, context.place)),
            opts=self.child(),
        )
        minutes = context.settings.sweep_minutes
        self.sweep = scheduler.Schedule(
            name,
            name=names.sweep(plan.slug),
            group_name=group.group.name,
            description=f"Wakes executions of {plan.workflow} that were forgotten"[:512],
            schedule_expression=f"rate({minutes} minute{'s' if minutes > 1 else ''})",
            flexible_time_window={"mode": "OFF"},
            target={
                "arn": function.alias.arn,
                "role_arn": group.role.arn,
                "input": json.dumps({"nodegx": {"sweep": {}}}),
                # The next one does what this one could not.
                "retry_policy": {
                    "maximum_event_age_in_seconds": MINUTE,
                    "maximum_retry_attempts": 0,
                },
            },
            opts=self.child(depends_on=[allowed]),
        )
        self.register_outputs({"schedule": self.sweep.arn})


class Schedule(Component):
    """Starts a function at times.

    Args:
        function: the function.
        plan: the plan of it.
        trigger: the plan of the trigger.
        group: the project's schedules.
        dead_letters: where starts go that failed too often.
    """

    def __init__(
        self,
        function: WorkflowFunction,
        plan: Function,
        trigger: ScheduleTrigger,
        *,
        group: ScheduleGroup,
        dead_letters: DeadLetters,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        name = f"{plan.slug}-{trigger.label}"
        context = function.context
        super().__init__("Schedule", name, context, opts)
        names = context.place.names
        allowed = roles.RolePolicy(
            name,
            name=names.schedule(plan.slug, trigger.label),
            role=group.role.name,
            policy=json.dumps(iam.schedules_policy(plan, context.place)),
            opts=self.child(),
        )
        payload = {
            "nodegx": {"trigger": trigger.node},
            "scheduled": "<aws.scheduler.scheduled-time>",
        }
        self.schedule = scheduler.Schedule(
            name,
            name=names.schedule(plan.slug, trigger.label),
            group_name=group.group.name,
            description=f"Starts {plan.workflow}"[:512],
            schedule_expression=trigger.expression,
            schedule_expression_timezone=trigger.timezone,
            flexible_time_window={"mode": "OFF"},
            target={
                "arn": function.alias.arn,
                "role_arn": group.role.arn,
                "input": json.dumps(payload),
                "dead_letter_config": {"arn": dead_letters.queue.arn},
                "retry_policy": {
                    "maximum_event_age_in_seconds": DAY if trigger.catch_up else MINUTES,
                    "maximum_retry_attempts": MAX_RETRIES if trigger.catch_up else FEW_RETRIES,
                },
            },
            opts=self.child(depends_on=[allowed]),
        )
        self.register_outputs({"schedule": self.schedule.arn})
