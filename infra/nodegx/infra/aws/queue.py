"""Queues: those that workflows read, and those for what they could not take."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
from nodegx.compiler.targets.aws import iam
from nodegx.compiler.targets.aws.names import is_arn
from nodegx.compiler.targets.aws.plan import Function, QueueTrigger
from pulumi_aws import lambda_, sqs

from .context import Component, Context
from .function import WorkflowFunction

KEPT = 14 * 86_400
"""Seconds for which a message is kept; SQS's longest."""
MAX_CONCURRENCY = 1000
MIN_CONCURRENCY = 2


class DeadLetters(Component):
    """A queue for what a workflow was given up on.

    Args:
        context: the deployment.
        slug: the workflow's.
        fifo: whether it takes what a FIFO queue gives up.
        senders: services that put something there, with the ARNs they may do it for.
    """

    def __init__(
        self,
        context: Context,
        slug: str,
        *,
        fifo: bool = False,
        senders: Mapping[str, list[str]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        name = f"{slug}-dead-letters{'-fifo' if fifo else ''}"
        super().__init__("DeadLetters", name, context, opts)
        self.name = context.place.names.dead_letters(slug, fifo=fifo)
        self.queue = sqs.Queue(
            name,
            name=self.name,
            fifo_queue=fifo or None,
            message_retention_seconds=KEPT,
            sqs_managed_sse_enabled=True,
            tags=context.tags(slug),
            opts=self.child(stateful=True),
        )
        if senders:
            arn = context.place.dead_letters(slug, fifo=fifo)
            sqs.QueuePolicy(
                name,
                queue_url=self.queue.id,
                policy=json.dumps(iam.queue_policy(arn, context.place.account, senders)),
                opts=self.child(),
            )
        self.register_outputs({"queue": self.queue.arn})


class QueueReader(Component):
    """A queue, if it is the project's own, and its reading by a function.

    Args:
        function: the function.
        plan: the plan of it.
        trigger: the plan of the trigger.
        dead_letters: where messages go that failed too often.
    """

    def __init__(
        self,
        function: WorkflowFunction,
        plan: Function,
        trigger: QueueTrigger,
        *,
        dead_letters: DeadLetters,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        name = f"{plan.slug}-{trigger.label}"
        context = function.context
        super().__init__("QueueReader", name, context, opts)
        arn: pulumi.Input[str] = trigger.queue
        if not is_arn(trigger.queue):
            arn = sqs.Queue(
                name,
                name=context.place.names.queue(trigger.queue),
                fifo_queue=trigger.is_fifo or None,
                content_based_deduplication=trigger.is_fifo or None,
                visibility_timeout_seconds=trigger.visibility_timeout,
                message_retention_seconds=KEPT,
                sqs_managed_sse_enabled=True,
                redrive_policy=pulumi.Output.json_dumps(
                    {
                        "deadLetterTargetArn": dead_letters.queue.arn,
                        "maxReceiveCount": trigger.max_receives,
                    }
                ),
                tags=context.tags(plan.slug),
                opts=self.child(stateful=True),
            ).arn
        lambda_.EventSourceMapping(
            name,
            event_source_arn=arn,
            function_name=function.alias.arn,
            batch_size=trigger.batch_size,
            maximum_batching_window_in_seconds=trigger.batch_window or None,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=_scaling(plan.concurrency),
            tags=context.tags(plan.slug),
            opts=self.child(),
        )
        self.register_outputs({"queue": arn})


def _scaling(
    concurrency: int | None,
) -> lambda_.EventSourceMappingScalingConfigArgs | None:
    """Lambda fetches no more messages than the function may work on: others would be fetched in
    vain, and given up after some times."""
    if concurrency is None:
        return None
    within = min(max(concurrency, MIN_CONCURRENCY), MAX_CONCURRENCY)
    return lambda_.EventSourceMappingScalingConfigArgs(maximum_concurrency=within)
