"""IAM."""

from __future__ import annotations

import json
from urllib.parse import unquote

from nodegx.providers.aws.emulator.properties import Properties
from nodegx.providers.aws.emulator.resource import Resource, gone_tags, tag_list, tag_map


class Role(Resource):
    type = "aws:iam/role:Role"
    required = frozenset({"assumeRolePolicy"})
    optional = frozenset(
        {"name", "description", "maxSessionDuration", "path", "permissionsBoundary", "tags"}
        | {"forceDetachPolicies"}
    )
    replaces = frozenset({"name", "path"})
    computed = frozenset({"arn", "uniqueId"})
    named = "name"

    def create(self, inputs: Properties) -> str:
        json.loads(inputs["assumeRolePolicy"])
        given = {
            "Description": inputs.get("description"),
            "MaxSessionDuration": inputs.get("maxSessionDuration"),
            "Path": inputs.get("path"),
            "PermissionsBoundary": inputs.get("permissionsBoundary"),
        }
        self.cloud.client("iam").create_role(
            RoleName=inputs["name"],
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            Tags=tag_list(inputs.get("tags")),
            **{name: value for name, value in given.items() if value is not None},
        )
        return inputs["name"]

    def read(self, id: str, state: Properties) -> Properties | None:
        iam = self.cloud.client("iam")
        found = iam.get_role(RoleName=id)["Role"]
        return {
            "name": id,
            "arn": found["Arn"],
            "uniqueId": found["RoleId"],
            "assumeRolePolicy": _document(found["AssumeRolePolicyDocument"]),
            "description": found.get("Description") or None,
            "maxSessionDuration": found.get("MaxSessionDuration"),
            "path": found.get("Path"),
            "tags": tag_map(iam.list_role_tags(RoleName=id).get("Tags")) or None,
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        iam = self.cloud.client("iam")
        if old.get("assumeRolePolicy") != new["assumeRolePolicy"]:
            iam.update_assume_role_policy(RoleName=id, PolicyDocument=new["assumeRolePolicy"])
        iam.update_role(
            RoleName=id,
            Description=new.get("description") or "",
            MaxSessionDuration=new.get("maxSessionDuration") or 3600,
        )
        gone = gone_tags(old, new)
        if gone:
            iam.untag_role(RoleName=id, TagKeys=gone)
        if new.get("tags"):
            iam.tag_role(RoleName=id, Tags=tag_list(new["tags"]))

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("iam").delete_role(RoleName=id)


class RolePolicy(Resource):
    type = "aws:iam/rolePolicy:RolePolicy"
    required = frozenset({"role", "policy"})
    optional = frozenset({"name"})
    replaces = frozenset({"name", "role"})
    named = "name"

    def create(self, inputs: Properties) -> str:
        self._put(inputs)
        return f"{inputs['role']}:{inputs['name']}"

    def read(self, id: str, state: Properties) -> Properties | None:
        role, _, name = id.partition(":")
        found = self.cloud.client("iam").get_role_policy(RoleName=role, PolicyName=name)
        return {"role": role, "name": name, "policy": _document(found["PolicyDocument"])}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self._put(new)

    def delete(self, id: str, state: Properties) -> None:
        role, _, name = id.partition(":")
        self.cloud.client("iam").delete_role_policy(RoleName=role, PolicyName=name)

    def _put(self, inputs: Properties) -> None:
        json.loads(inputs["policy"])
        self.cloud.client("iam").put_role_policy(
            RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"]
        )


def _document(found: object) -> str:
    return unquote(found) if isinstance(found, str) else json.dumps(found)


TYPES = (Role, RolePolicy)
