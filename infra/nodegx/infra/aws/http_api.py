"""The HTTP API: routes of workflows, and the stage that serves them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

import pulumi
from nodegx.compiler.targets.aws.plan import Function, HttpTrigger
from pulumi_aws import apigatewayv2

from .context import Component, Context
from .function import WorkflowFunction
from .logs import Logs

STAGE = "$default"
TIMEOUT = 30_000
"""Milliseconds for which the API waits for a function; it offers no more."""
LINE = {
    "time": "$context.requestTimeEpoch",
    "request": "$context.requestId",
    "client": "$context.identity.sourceIp",
    "route": "$context.routeKey",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "milliseconds": "$context.responseLatency",
    "error": "$context.integrationErrorMessage",
}
"""A line of the access log. It has no path, no query and no headers: they may hold credentials, as
resume URLs do."""

_PARAMETER = re.compile(r"\{[^{}]+\}")


class HttpApi(Component):
    """The project's HTTP API. Who may call, and from which pages, the functions decide
    themselves."""

    def __init__(self, context: Context, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("HttpApi", "api", context, opts)
        self.api = apigatewayv2.Api(
            "api",
            name=context.place.names.shared,
            protocol_type="HTTP",
            # With a domain of one's own, nothing should pass it by.
            disable_execute_api_endpoint=context.settings.domain is not None,
            tags=context.tags(),
            opts=self.child(),
        )
        self.url = self.api.api_endpoint
        domain = context.settings.domain
        self.public_url: pulumi.Output[str] = (
            self.url if domain is None else pulumi.Output.from_input(f"https://{domain.name}")
        )
        """Where the world finds it."""
        self.register_outputs({"url": self.url})


class HttpRoutes(Component):
    """Routes that lead to a function.

    Args:
        function: the function.
        name: name of the component.
        routes: the routes, such as `POST /orders/{id}`.
        api: the project's API.
    """

    def __init__(
        self,
        function: WorkflowFunction,
        name: str,
        routes: Sequence[str],
        *,
        api: HttpApi,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("HttpRoutes", name, function.context, opts)
        integration = apigatewayv2.Integration(
            name,
            api_id=api.api.id,
            integration_type="AWS_PROXY",
            integration_uri=function.alias.arn,
            integration_method="POST",
            payload_format_version="2.0",
            timeout_milliseconds=TIMEOUT,
            opts=self.child(),
        )
        self.routes: list[apigatewayv2.Route] = []
        for key in routes:
            method, _, path = key.partition(" ")
            method = "*" if method == "ANY" else method
            source = pulumi.Output.concat(
                api.api.execution_arn, f"/{STAGE}/{method}", _PARAMETER.sub("*", path)
            )
            permission = function.permit(
                f"{name} {key}", service="apigateway.amazonaws.com", source=source
            )
            route = apigatewayv2.Route(
                f"{name} {key}",
                api_id=api.api.id,
                route_key=key,
                target=pulumi.Output.concat("integrations/", integration.id),
                opts=self.child(depends_on=[permission]),
            )
            self.routes.append(route)
        self.register_outputs({"routes": list(routes)})


class HttpStage(Component):
    """What makes routes reachable: limits, access log, deployment of every change.

    Args:
        context: the deployment.
        api: the project's API.
        functions: all functions of the project.
        routes: all routes, which must be there before they can be limited.
    """

    def __init__(
        self,
        context: Context,
        api: HttpApi,
        functions: Iterable[Function],
        routes: Sequence[apigatewayv2.Route],
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("HttpStage", "stage", context, opts)
        log = Logs(context, "api-log", group=context.place.names.api_log_group, opts=self.child())
        throttle = context.settings.throttle
        self.stage = apigatewayv2.Stage(
            "stage",
            api_id=api.api.id,
            name=STAGE,
            auto_deploy=True,
            default_route_settings={
                "throttling_rate_limit": throttle.rate,
                "throttling_burst_limit": throttle.burst,
            },
            route_settings=[
                {
                    "route_key": key,
                    "throttling_rate_limit": trigger.rate,
                    "throttling_burst_limit": trigger.burst or throttle.burst,
                }
                for function in functions
                for trigger in function.triggers
                if isinstance(trigger, HttpTrigger) and trigger.rate is not None
                for key in trigger.routes
            ],
            access_log_settings={"destination_arn": log.group.arn, "format": json.dumps(LINE)},
            tags=context.tags(),
            opts=self.child(depends_on=routes),
        )
        self.register_outputs({"stage": self.stage.name})
