"""The bus of the events that workflows emit, and the rules that start workflows."""

from __future__ import annotations

import json

import pulumi
from nodegx.compiler.targets.aws.patterns import input_template
from nodegx.compiler.targets.aws.plan import EventTrigger, Function
from pulumi_aws import cloudwatch

from .context import Component, Context
from .function import WorkflowFunction
from .queue import DeadLetters

DAY = 86_400
MAX_RETRIES = 185


class EventBus(Component):
    """The project's bus."""

    def __init__(self, context: Context, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("EventBus", "events", context, opts)
        self.bus = cloudwatch.EventBus(
            "events", name=context.place.names.shared, tags=context.tags(), opts=self.child()
        )
        self.register_outputs({"bus": self.bus.arn})


class EventRule(Component):
    """Starts a function for each event that a pattern lets through.

    Args:
        function: the function.
        plan: the plan of it.
        trigger: the plan of the trigger.
        bus: the project's bus.
        dead_letters: where events go that could not be handed over.
    """

    def __init__(
        self,
        function: WorkflowFunction,
        plan: Function,
        trigger: EventTrigger,
        *,
        bus: EventBus,
        dead_letters: DeadLetters,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        name = f"{plan.slug}-{trigger.label}"
        context = function.context
        super().__init__("EventRule", name, context, opts)
        rule = cloudwatch.EventRule(
            name,
            name=context.place.names.rule(plan.slug, trigger.label),
            description=f"Starts {plan.workflow}"[:512],
            event_bus_name=bus.bus.name,
            event_pattern=json.dumps(trigger.pattern),
            tags=context.tags(plan.slug),
            opts=self.child(),
        )
        permission = function.permit(name, service="events.amazonaws.com", source=rule.arn)
        cloudwatch.EventTarget(
            name,
            rule=rule.name,
            event_bus_name=bus.bus.name,
            target_id="workflow",
            arn=function.alias.arn,
            input_transformer={"input_template": input_template(trigger.node)},
            dead_letter_config={"arn": dead_letters.queue.arn},
            retry_policy={
                "maximum_event_age_in_seconds": DAY,
                "maximum_retry_attempts": MAX_RETRIES,
            },
            opts=self.child(depends_on=[permission]),
        )
        self.register_outputs({"rule": rule.arn})
