"""A domain of one's own for the HTTP API."""

from __future__ import annotations

import pulumi
from pulumi_aws import acm, apigatewayv2, route53

from .context import Component, Context
from .http_api import HttpApi, HttpStage
from .settings import Domain

RECORD_SECONDS = 300


class ApiDomain(Component):
    """A domain with a certificate: one that exists, or one that is made and proven in the domain's
    Route 53 zone.

    Args:
        context: the deployment.
        domain: the domain.
        api: the project's API.
        stage: its stage.
    """

    def __init__(
        self,
        context: Context,
        domain: Domain,
        api: HttpApi,
        stage: HttpStage,
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ApiDomain", "domain", context, opts)
        name = apigatewayv2.DomainName(
            "domain",
            domain_name=domain.name,
            domain_name_configuration={
                "certificate_arn": domain.certificate
                or self._certificate(domain.name, domain.zone or ""),
                "endpoint_type": "REGIONAL",
                "security_policy": "TLS_1_2",
            },
            tags=context.tags(),
            opts=self.child(),
        )
        apigatewayv2.ApiMapping(
            "domain",
            api_id=api.api.id,
            domain_name=name.domain_name,
            stage=stage.stage.name,
            opts=self.child(),
        )
        if domain.zone is not None:
            target = name.domain_name_configuration
            route53.Record(
                "domain",
                zone_id=domain.zone,
                name=domain.name,
                type="A",
                aliases=[
                    {
                        "name": target.target_domain_name.apply(str),
                        "zone_id": target.hosted_zone_id.apply(str),
                        "evaluate_target_health": False,
                    }
                ],
                opts=self.child(),
            )
        self.url = pulumi.Output.concat("https://", name.domain_name)
        self.register_outputs({"url": self.url})

    def _certificate(self, name: str, zone: str) -> pulumi.Output[str]:
        certificate = acm.Certificate(
            "domain",
            domain_name=name,
            validation_method="DNS",
            tags=self.context.tags(),
            opts=self.child(),
        )
        proof = certificate.domain_validation_options[0]
        record = route53.Record(
            "certificate",
            zone_id=zone,
            name=proof.resource_record_name.apply(str),
            type=proof.resource_record_type.apply(str),
            records=[proof.resource_record_value.apply(str)],
            ttl=RECORD_SECONDS,
            allow_overwrite=True,
            opts=self.child(),
        )
        proven = acm.CertificateValidation(
            "domain",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn],
            opts=self.child(),
        )
        return proven.certificate_arn
