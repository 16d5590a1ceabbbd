"""A dashboard of the project's workflows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pulumi
from nodegx.compiler.targets.aws.names import ALIAS
from nodegx.compiler.targets.aws.plan import Function
from pulumi_aws import cloudwatch

from .context import Component, Context

WIDTH, HEIGHT = 8, 6
"""Size of a graph; a dashboard is 24 wide."""

Json = dict[str, Any]


class Dashboard(Component):
    """Runs, durations and what went wrong, a row for each workflow.

    Args:
        context: the deployment.
        functions: the functions of the project.
    """

    def __init__(
        self,
        context: Context,
        functions: Sequence[Function],
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Dashboard", "dashboard", context, opts)
        widgets = [
            widget
            for row, function in enumerate(functions)
            for widget in _row(context, function, row)
        ]
        self.dashboard = cloudwatch.Dashboard(
            "dashboard",
            dashboard_name=context.place.names.shared,
            dashboard_body=json.dumps({"widgets": widgets}),
            opts=self.child(),
        )
        self.register_outputs({"name": self.dashboard.dashboard_name})


def _row(context: Context, function: Function, row: int) -> list[Json]:
    names = context.place.names
    own = names.function(function.slug)
    dimensions = ["FunctionName", own, "Resource", f"{own}:{ALIAS}"]

    def metric(name: str, **options: Any) -> list[Any]:
        return ["AWS/Lambda", name, *dimensions, options]

    wrong = [metric("Errors", stat="Sum"), metric("Throttles", stat="Sum")]
    wrong += [
        [
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            "QueueName",
            names.dead_letters(function.slug, fifo=fifo),
            {"stat": "Maximum", "label": "Dead letters"},
        ]
        for fifo in function.dead_letters
    ]
    graphs = (
        (
            "runs",
            [metric("Invocations", stat="Sum"), metric("ConcurrentExecutions", stat="Maximum")],
        ),
        ("milliseconds", [metric("Duration", stat=stat) for stat in ("p50", "p95", "p99")]),
        ("what went wrong", wrong),
    )
    return [
        {
            "type": "metric",
            "x": column * WIDTH,
            "y": row * HEIGHT,
            "width": WIDTH,
            "height": HEIGHT,
            "properties": {
                "title": f"{function.workflow.rpartition('/')[2]}: {title}",
                "region": context.place.region,
                "view": "timeSeries",
                "period": 300,
                "metrics": metrics,
            },
        }
        for column, (title, metrics) in enumerate(graphs)
    ]
