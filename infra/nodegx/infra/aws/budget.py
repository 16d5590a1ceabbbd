"""A budget that tells before money is spent."""

from __future__ import annotations

import pulumi
from pulumi_aws import budgets

from .alarms import AlarmTopic
from .context import Component, Context

SHARES = ((80.0, "FORECASTED"), (100.0, "ACTUAL"))
"""Per cent of the budget at which somebody is told, of what is forecast and of what is spent."""


class MonthlyBudget(Component):
    """A monthly budget of all that has the project's tag. AWS counts by tag once the tag
    `nodegx:project` is activated for cost allocation, in the account that pays.

    Args:
        context: the deployment.
        dollars: the limit.
        topic: where it is announced.
    """

    def __init__(
        self,
        context: Context,
        dollars: float,
        *,
        topic: AlarmTopic,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("MonthlyBudget", "budget", context, opts)
        names = context.place.names
        budgets.Budget(
            "budget",
            name=names.shared,
            budget_type="COST",
            limit_amount=f"{dollars:.2f}",
            limit_unit="USD",
            time_unit="MONTHLY",
            cost_filters=[
                {"name": "TagKeyValue", "values": [f"user:nodegx:project${names.label}"]}
            ],
            notifications=[
                {
                    "comparison_operator": "GREATER_THAN",
                    "notification_type": kind,
                    "threshold": share,
                    "threshold_type": "PERCENTAGE",
                    "subscriber_sns_topic_arns": [topic.topic.arn],
                }
                for share, kind in SHARES
            ],
            tags=context.tags(),
            opts=self.child(),
        )
        self.register_outputs({})
