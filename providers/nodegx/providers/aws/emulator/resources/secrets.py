"""Secrets Manager."""

from __future__ import annotations

from nodegx.providers.aws.emulator.properties import Properties
from nodegx.providers.aws.emulator.resource import Resource, gone_tags, tag_list, tag_map


class Secret(Resource):
    type = "aws:secretsmanager/secret:Secret"
    optional = frozenset({"name", "description", "recoveryWindowInDays", "tags"})
    replaces = frozenset({"name"})
    computed = frozenset({"arn"})
    named = "name"

    def create(self, inputs: Properties) -> str:
        given = {"Description": inputs["description"]} if inputs.get("description") else {}
        return self.cloud.client("secretsmanager").create_secret(
            Name=inputs["name"], Tags=tag_list(inputs.get("tags")), **given
        )["ARN"]

    def read(self, id: str, state: Properties) -> Properties | None:
        found = self.cloud.client("secretsmanager").describe_secret(SecretId=id)
        if found.get("DeletedDate"):
            return None
        return {
            "name": found["Name"],
            "arn": found["ARN"],
            "description": found.get("Description") or None,
            "tags": tag_map(found.get("Tags")) or None,
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        manager = self.cloud.client("secretsmanager")
        if (old.get("description") or "") != (new.get("description") or ""):
            manager.update_secret(SecretId=id, Description=new.get("description") or "")
        gone = gone_tags(old, new)
        if gone:
            manager.untag_resource(SecretId=id, TagKeys=gone)
        if new.get("tags"):
            manager.tag_resource(SecretId=id, Tags=tag_list(new["tags"]))

    def delete(self, id: str, state: Properties) -> None:
        days = state.get("recoveryWindowInDays", 30)
        keep = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
        self.cloud.client("secretsmanager").delete_secret(SecretId=id, **keep)


class SecretVersion(Resource):
    type = "aws:secretsmanager/secretVersion:SecretVersion"
    required = frozenset({"secretId", "secretString"})
    replaces = frozenset({"secretId", "secretString"})
    computed = frozenset({"arn", "versionId"})

    def create(self, inputs: Properties) -> str:
        made = self.cloud.client("secretsmanager").put_secret_value(
            SecretId=inputs["secretId"], SecretString=inputs["secretString"]
        )
        return f"{made['ARN']}|{made['VersionId']}"

    def read(self, id: str, state: Properties) -> Properties | None:
        arn, _, version = id.partition("|")
        found = self.cloud.client("secretsmanager").get_secret_value(
            SecretId=arn, VersionId=version
        )
        return {
            "secretId": state["secretId"],
            "secretString": found["SecretString"],
            "arn": arn,
            "versionId": version,
        }

    def delete(self, id: str, state: Properties) -> None:
        """Nothing: values go with their secret."""


TYPES = (Secret, SecretVersion)
