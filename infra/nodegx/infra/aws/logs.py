"""Log groups."""

from __future__ import annotations

import pulumi
from pulumi_aws import cloudwatch

from .context import Component, Context

RETENTIONS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""Days for which CloudWatch Logs can keep lines."""


def retention(days: int) -> int:
    """The shortest time CloudWatch Logs offers that is at least `days`, or the longest."""
    return next((offered for offered in RETENTIONS if offered >= days), RETENTIONS[-1])


class Logs(Component):
    """A log group that forgets.

    Args:
        context: the deployment.
        name: name of the component.
        group: name of the log group.
        workflow: slug of the workflow it belongs to, if it does.
    """

    def __init__(
        self,
        context: Context,
        name: str,
        *,
        group: str,
        workflow: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Logs", name, context, opts)
        self.group = cloudwatch.LogGroup(
            name,
            name=group,
            retention_in_days=retention(context.settings.log_retention_days),
            tags=context.tags(workflow),
            opts=self.child(),
        )
        self.register_outputs({"group": self.group.name})
