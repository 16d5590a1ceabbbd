"""Certificates and the records that prove them: ACM and Route 53."""

from __future__ import annotations

from typing import Any

from nodegx.providers.aws.emulator.properties import Properties
from nodegx.providers.aws.emulator.resource import Resource, tag_list, tag_map


class Certificate(Resource):
    type = "aws:acm/certificate:Certificate"
    required = frozenset({"domainName", "validationMethod"})
    optional = frozenset({"subjectAlternativeNames", "tags"})
    replaces = required | frozenset({"subjectAlternativeNames"})
    computed = frozenset({"arn", "domainValidationOptions", "status"})

    def create(self, inputs: Properties) -> str:
        names = inputs.get("subjectAlternativeNames")
        return self.cloud.client("acm").request_certificate(
            DomainName=inputs["domainName"],
            ValidationMethod=inputs["validationMethod"],
            Tags=tag_list(inputs.get("tags")),
            **({"SubjectAlternativeNames": names} if names else {}),
        )["CertificateArn"]

    def read(self, id: str, state: Properties) -> Properties | None:
        acm = self.cloud.client("acm")
        found = acm.describe_certificate(CertificateArn=id)["Certificate"]
        tags = acm.list_tags_for_certificate(CertificateArn=id).get("Tags")
        records = [
            (option["DomainName"], option.get("ResourceRecord", {}))
            for option in found.get("DomainValidationOptions", ())
        ]
        return {
            "arn": id,
            "domainName": found["DomainName"],
            "validationMethod": state["validationMethod"],
            "status": found["Status"],
            "tags": tag_map(tags) or None,
            "domainValidationOptions": [
                {
                    "domainName": name,
                    "resourceRecordName": record.get("Name"),
                    "resourceRecordType": record.get("Type"),
                    "resourceRecordValue": record.get("Value"),
                }
                for name, record in records
            ],
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        acm = self.cloud.client("acm")
        acm.add_tags_to_certificate(CertificateArn=id, Tags=tag_list(new.get("tags")))

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("acm").delete_certificate(CertificateArn=id)


class CertificateValidation(Resource):
    """Waiting until a certificate is proven; nothing of its own."""

    type = "aws:acm/certificateValidation:CertificateValidation"
    required = frozenset({"certificateArn"})
    optional = frozenset({"validationRecordFqdns"})
    replaces = required | optional

    def create(self, inputs: Properties) -> str:
        acm = self.cloud.client("acm")
        acm.get_waiter("certificate_validated").wait(
            CertificateArn=inputs["certificateArn"], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        return inputs["certificateArn"]

    def read(self, id: str, state: Properties) -> Properties | None:
        self.cloud.client("acm").describe_certificate(CertificateArn=id)
        return {"certificateArn": id, "validationRecordFqdns": state.get("validationRecordFqdns")}

    def delete(self, id: str, state: Properties) -> None:
        """Nothing."""


class Record(Resource):
    type = "aws:route53/record:Record"
    required = frozenset({"zoneId", "name", "type"})
    optional = frozenset({"records", "ttl", "aliases", "allowOverwrite"})
    replaces = frozenset({"zoneId", "name", "type"})
    computed = frozenset({"fqdn"})

    def create(self, inputs: Properties) -> str:
        action = "UPSERT" if inputs.get("allowOverwrite") else "CREATE"
        self._change(action, inputs)
        return f"{inputs['zoneId']}_{inputs['name']}_{inputs['type']}"

    def read(self, id: str, state: Properties) -> Properties | None:
        found = self._find(state)
        if found is None:
            return None
        alias = found.get("AliasTarget")
        return {
            "zoneId": state["zoneId"],
            "name": state["name"],
            "type": found["Type"],
            "fqdn": found["Name"].rstrip("."),
            "ttl": found.get("TTL"),
            "records": [each["Value"] for each in found.get("ResourceRecords", ())] or None,
            "aliases": [
                {
                    "name": alias["DNSName"].rstrip("."),
                    "zoneId": alias["HostedZoneId"],
                    "evaluateTargetHealth": alias["EvaluateTargetHealth"],
                }
            ]
            if alias
            else None,
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self._change("UPSERT", new)

    def delete(self, id: str, state: Properties) -> None:
        self._change("DELETE", state)

    def _find(self, state: Properties) -> Any:
        pages = self.cloud.client("route53").get_paginator("list_resource_record_sets")
        wanted = (str(state["name"]).rstrip("."), state["type"])
        for page in pages.paginate(HostedZoneId=state["zoneId"]):
            for found in page["ResourceRecordSets"]:
                if (found["Name"].rstrip("."), found["Type"]) == wanted:
                    return found
        return None

    def _change(self, action: str, inputs: Properties) -> None:
        record: Properties = {"Name": inputs["name"], "Type": inputs["type"]}
        if inputs.get("aliases"):
            [alias] = inputs["aliases"]
            record["AliasTarget"] = {
                "DNSName": alias["name"],
                "HostedZoneId": alias["zoneId"],
                "EvaluateTargetHealth": alias["evaluateTargetHealth"],
            }
        else:
            record["TTL"] = inputs["ttl"]
            record["ResourceRecords"] = [{"Value": value} for value in inputs["records"]]
        self.cloud.client("route53").change_resource_record_sets(
            HostedZoneId=inputs["zoneId"],
            ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record}]},
        )


TYPES = (Certificate, CertificateValidation, Record)
