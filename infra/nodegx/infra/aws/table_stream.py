"""Tables whose changes start workflows."""

from __future__ import annotations

import json

import pulumi
from nodegx.compiler.targets.aws.plan import Function, RecordTrigger
from pulumi_aws import dynamodb, lambda_

from .context import Component, Context
from .function import WorkflowFunction
from .queue import DeadLetters

KEY = "id"


class Table(Component):
    """A table of the project's own, with a stream of its changes.

    Args:
        context: the deployment.
        name: its name in the project.
    """

    def __init__(
        self, context: Context, name: str, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("Table", f"{name}-table", context, opts)
        self.table = dynamodb.Table(
            name,
            name=context.place.names.table(name),
            billing_mode="PAY_PER_REQUEST",
            hash_key=KEY,
            attributes=[{"name": KEY, "type": "S"}],
            stream_enabled=True,
            stream_view_type="NEW_AND_OLD_IMAGES",
            point_in_time_recovery={"enabled": True},
            deletion_protection_enabled=context.settings.production,
            tags=context.tags(),
            opts=self.child(stateful=True),
        )
        self.stream = self.table.stream_arn
        self.register_outputs({"table": self.table.name, "stream": self.stream})


class StreamReader(Component):
    """The reading of a table's changes by a function.

    Args:
        function: the function.
        plan: the plan of it.
        trigger: the plan of the trigger.
        stream: ARN of the stream.
        dead_letters: where changes go that failed too often.
    """

    def __init__(
        self,
        function: WorkflowFunction,
        plan: Function,
        trigger: RecordTrigger,
        *,
        stream: pulumi.Input[str],
        dead_letters: DeadLetters,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        name = f"{plan.slug}-{trigger.label}"
        super().__init__("StreamReader", name, function.context, opts)
        pattern = json.dumps(trigger.pattern) if trigger.pattern else None
        lambda_.EventSourceMapping(
            name,
            event_source_arn=stream,
            function_name=function.alias.arn,
            starting_position=trigger.start,
            batch_size=trigger.batch_size,
            filter_criteria={"filters": [{"pattern": pattern}]} if pattern else None,
            function_response_types=["ReportBatchItemFailures"],
            bisect_batch_on_function_error=True,
            maximum_retry_attempts=trigger.max_attempts,
            destination_config={"on_failure": {"destination_arn": dead_letters.queue.arn}},
            tags=function.context.tags(plan.slug),
            opts=self.child(),
        )
        self.register_outputs({"stream": stream})
