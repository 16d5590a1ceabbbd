"""API Gateway: HTTP APIs."""

from __future__ import annotations

from typing import Any

from nodegx.providers.aws.emulator.properties import Properties
from nodegx.providers.aws.emulator.resource import Resource, camel, pascal


class Api(Resource):
    type = "aws:apigatewayv2/api:Api"
    required = frozenset({"protocolType"})
    optional = frozenset(
        {"name", "description", "corsConfiguration", "disableExecuteApiEndpoint", "tags"}
    )
    replaces = frozenset({"protocolType"})
    computed = frozenset({"apiEndpoint", "arn", "executionArn"})
    named = "name"

    def create(self, inputs: Properties) -> str:
        return self.cloud.client("apigatewayv2").create_api(**_given(inputs))["ApiId"]

    def read(self, id: str, state: Properties) -> Properties | None:
        found = self.cloud.client("apigatewayv2").get_api(ApiId=id)
        return {
            "name": found["Name"],
            "protocolType": found["ProtocolType"],
            "description": found.get("Description") or None,
            "corsConfiguration": camel(found.get("CorsConfiguration")) or None,
            "disableExecuteApiEndpoint": found.get("DisableExecuteApiEndpoint", False),
            "tags": found.get("Tags") or None,
            "apiEndpoint": found["ApiEndpoint"],
            "arn": f"arn:aws:apigateway:{self.cloud.region}::/apis/{id}",
            "executionArn": self.cloud.arn("execute-api", id),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        given = _given({**new, "tags": None, "protocolType": None})
        self.cloud.client("apigatewayv2").update_api(ApiId=id, **given)

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("apigatewayv2").delete_api(ApiId=id)


class Integration(Resource):
    type = "aws:apigatewayv2/integration:Integration"
    required = frozenset({"apiId", "integrationType"})
    optional = frozenset(
        {
            *("connectionType", "description", "integrationMethod", "integrationUri"),
            *("payloadFormatVersion", "timeoutMilliseconds"),
        }
    )
    replaces = frozenset({"apiId", "integrationType"})

    def create(self, inputs: Properties) -> str:
        client = self.cloud.client("apigatewayv2")
        return client.create_integration(**_timed(inputs))["IntegrationId"]

    def read(self, id: str, state: Properties) -> Properties | None:
        found = self.cloud.client("apigatewayv2").get_integration(
            ApiId=state["apiId"], IntegrationId=id
        )
        properties = camel(found)
        return {
            **{name: properties.get(name) for name in self.optional},
            "integrationType": found["IntegrationType"],
            "apiId": state["apiId"],
            "timeoutMilliseconds": found.get("TimeoutInMillis"),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.cloud.client("apigatewayv2").update_integration(IntegrationId=id, **_timed(new))

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("apigatewayv2").delete_integration(ApiId=state["apiId"], IntegrationId=id)


class Route(Resource):
    type = "aws:apigatewayv2/route:Route"
    required = frozenset({"apiId", "routeKey"})
    optional = frozenset({"authorizationType", "target"})
    replaces = frozenset({"apiId"})

    def create(self, inputs: Properties) -> str:
        return self.cloud.client("apigatewayv2").create_route(**_given(inputs))["RouteId"]

    def read(self, id: str, state: Properties) -> Properties | None:
        found = self.cloud.client("apigatewayv2").get_route(ApiId=state["apiId"], RouteId=id)
        return {
            "apiId": state["apiId"],
            "routeKey": found["RouteKey"],
            "target": found.get("Target"),
            "authorizationType": found.get("AuthorizationType"),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.cloud.client("apigatewayv2").update_route(RouteId=id, **_given(new))

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("apigatewayv2").delete_route(ApiId=state["apiId"], RouteId=id)


class Stage(Resource):
    type = "aws:apigatewayv2/stage:Stage"
    required = frozenset({"apiId"})
    optional = frozenset(
        {
            *("name", "accessLogSettings", "autoDeploy", "defaultRouteSettings", "description"),
            *("routeSettings", "stageVariables", "tags"),
        }
    )
    replaces = frozenset({"apiId", "name"})
    computed = frozenset({"arn", "executionArn", "invokeUrl"})
    named = "name"

    def create(self, inputs: Properties) -> str:
        self.cloud.client("apigatewayv2").create_stage(**self._given(inputs))
        return inputs["name"]

    def read(self, id: str, state: Properties) -> Properties | None:
        api = state["apiId"]
        client = self.cloud.client("apigatewayv2")
        found = client.get_stage(ApiId=api, StageName=id)
        endpoint = client.get_api(ApiId=api)["ApiEndpoint"]
        routes: Properties = found.get("RouteSettings") or {}
        return {
            "apiId": api,
            "name": id,
            "autoDeploy": found.get("AutoDeploy", False),
            "accessLogSettings": camel(found.get("AccessLogSettings")) or None,
            "defaultRouteSettings": camel(found.get("DefaultRouteSettings")) or None,
            "routeSettings": [
                {"routeKey": key, **camel(setting)} for key, setting in sorted(routes.items())
            ],
            "tags": found.get("Tags") or None,
            "arn": f"arn:aws:apigateway:{self.cloud.region}::/apis/{api}/stages/{id}",
            "executionArn": f"{self.cloud.arn('execute-api', api)}/{id}",
            "invokeUrl": f"{endpoint}/" if id == "$default" else f"{endpoint}/{id}",
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        given = self._given({**new, "tags": None})
        self.cloud.client("apigatewayv2").update_stage(**given)

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("apigatewayv2").delete_stage(ApiId=state["apiId"], StageName=id)

    def _given(self, inputs: Properties) -> Properties:
        given = _given({**inputs, "name": None, "routeSettings": None})
        given["StageName"] = inputs["name"]
        settings: list[Properties] = inputs.get("routeSettings") or []
        client = self.cloud.client("apigatewayv2")
        if settings:
            pages = client.get_paginator("get_routes").paginate(ApiId=inputs["apiId"])
            routes = {route["RouteKey"] for page in pages for route in page["Items"]}
            for setting in settings:
                if setting["routeKey"] not in routes:
                    raise ValueError(f"there is no route {setting['routeKey']} to be limited")
            given["RouteSettings"] = {
                setting["routeKey"]: pascal(
                    {key: value for key, value in setting.items() if key != "routeKey"}
                )
                for setting in settings
            }
        return given


class DomainName(Resource):
    type = "aws:apigatewayv2/domainName:DomainName"
    required = frozenset({"domainName", "domainNameConfiguration"})
    optional = frozenset({"tags"})
    replaces = frozenset({"domainName"})
    computed = frozenset({"arn", "apiMappingSelectionExpression"})

    def create(self, inputs: Properties) -> str:
        self.cloud.client("apigatewayv2").create_domain_name(
            DomainName=inputs["domainName"],
            DomainNameConfigurations=[_domain(inputs)],
            Tags=inputs.get("tags") or {},
        )
        return inputs["domainName"]

    def read(self, id: str, state: Properties) -> Properties | None:
        found = self.cloud.client("apigatewayv2").get_domain_name(DomainName=id)
        [configuration] = found["DomainNameConfigurations"]
        return {
            "domainName": id,
            "domainNameConfiguration": {
                "certificateArn": configuration.get("CertificateArn"),
                "endpointType": configuration.get("EndpointType"),
                "securityPolicy": configuration.get("SecurityPolicy"),
                "hostedZoneId": configuration.get("HostedZoneId"),
                "targetDomainName": configuration.get("ApiGatewayDomainName"),
            },
            "tags": found.get("Tags") or None,
            "apiMappingSelectionExpression": found.get("ApiMappingSelectionExpression")
            or "$request.basepath",
            "arn": f"arn:aws:apigateway:{self.cloud.region}::/domainnames/{id}",
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.cloud.client("apigatewayv2").update_domain_name(
            DomainName=id, DomainNameConfigurations=[_domain(new)]
        )

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("apigatewayv2").delete_domain_name(DomainName=id)


class ApiMapping(Resource):
    type = "aws:apigatewayv2/apiMapping:ApiMapping"
    required = frozenset({"apiId", "domainName", "stage"})
    optional = frozenset({"apiMappingKey"})
    replaces = frozenset({"domainName"})

    def create(self, inputs: Properties) -> str:
        client = self.cloud.client("apigatewayv2")
        return client.create_api_mapping(**pascal(inputs))["ApiMappingId"]

    def read(self, id: str, state: Properties) -> Properties | None:
        found = self.cloud.client("apigatewayv2").get_api_mapping(
            ApiMappingId=id, DomainName=state["domainName"]
        )
        return {
            "apiId": found["ApiId"],
            "domainName": state["domainName"],
            "stage": found["Stage"],
            "apiMappingKey": found.get("ApiMappingKey") or None,
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        client = self.cloud.client("apigatewayv2")
        client.update_api_mapping(ApiMappingId=id, **pascal(new))

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("apigatewayv2").delete_api_mapping(
            ApiMappingId=id, DomainName=state["domainName"]
        )


def _given(inputs: Properties) -> dict[str, Any]:
    """Parameters of a call; tags keep their keys as they are."""
    tags = inputs.get("tags")
    given: dict[str, Any] = pascal({**inputs, "tags": None})
    return {**given, "Tags": tags} if tags else given


def _timed(inputs: Properties) -> dict[str, Any]:
    given = _given(inputs)
    if "TimeoutMilliseconds" in given:
        given["TimeoutInMillis"] = given.pop("TimeoutMilliseconds")
    return given


def _domain(inputs: Properties) -> Properties:
    wanted = ("certificateArn", "endpointType", "securityPolicy")
    configuration = inputs["domainNameConfiguration"]
    return pascal({name: configuration.get(name) for name in wanted})


TYPES = (Api, ApiMapping, DomainName, Integration, Route, Stage)
