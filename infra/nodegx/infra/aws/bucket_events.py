"""Buckets whose files start workflows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pulumi
from nodegx.compiler.targets.aws.names import is_arn, unique
from nodegx.compiler.targets.aws.plan import FileTrigger, Function
from pulumi_aws import s3

from .buckets import Bucket
from .context import Component, Context
from .function import WorkflowFunction


class Watcher(NamedTuple):
    """A function that wants to know of files."""

    function: WorkflowFunction
    plan: Function
    trigger: FileTrigger


class BucketEvents(Component):
    """The notifications of a bucket. S3 keeps one list of them, so one component has them all.

    Args:
        context: the deployment.
        bucket: the bucket's name in the project, or the ARN of one that exists.
        own: the bucket, if it is the project's own.
        watchers: the functions it starts.
    """

    def __init__(
        self,
        context: Context,
        bucket: str,
        own: Bucket | None,
        watchers: Sequence[Watcher],
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        label = unique(bucket.rpartition(":")[2]) if is_arn(bucket) else bucket
        super().__init__("BucketEvents", f"{label}-events", context, opts)
        arn = context.place.bucket(bucket)
        permissions = [
            function.permit(f"{plan.slug}-{trigger.label}", service="s3.amazonaws.com", source=arn)
            for function, plan, trigger in watchers
        ]
        s3.BucketNotification(
            label,
            bucket=context.place.bucket_name(bucket) if own is None else own.bucket.id,
            lambda_functions=[
                s3.BucketNotificationLambdaFunctionArgs(
                    id=trigger.notification,
                    lambda_function_arn=function.alias.arn,
                    events=list(trigger.events),
                    filter_prefix=trigger.prefix or None,
                    filter_suffix=trigger.suffix or None,
                )
                for function, _, trigger in watchers
            ],
            opts=self.child(depends_on=permissions),
        )
        self.register_outputs({"bucket": arn})
