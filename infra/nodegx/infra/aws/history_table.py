"""The table of executions."""

from __future__ import annotations

import pulumi
from nodegx.runtime.history.dynamodb_table import EXPIRES, KEY, table_definition
from pulumi_aws import dynamodb

from .context import Component, Context


class HistoryTable(Component):
    """The table of executions, as the history store defines it, with expiry and backups."""

    def __init__(self, context: Context, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("HistoryTable", "history", context, opts)
        definition = table_definition(context.place.names.history)
        self.table = dynamodb.Table(
            "history",
            name=definition["TableName"],
            billing_mode=definition["BillingMode"],
            hash_key=KEY,
            attributes=[
                {"name": each["AttributeName"], "type": each["AttributeType"]}
                for each in definition["AttributeDefinitions"]
            ],
            global_secondary_indexes=[
                dynamodb.TableGlobalSecondaryIndexArgs(
                    name=index["IndexName"],
                    key_schemas=[
                        dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(
                            attribute_name=key["AttributeName"], key_type=key["KeyType"]
                        )
                        for key in index["KeySchema"]
                    ],
                    projection_type=index["Projection"]["ProjectionType"],
                    non_key_attributes=index["Projection"].get("NonKeyAttributes"),
                )
                for index in definition["GlobalSecondaryIndexes"]
            ],
            ttl={"attribute_name": EXPIRES, "enabled": True},
            point_in_time_recovery={"enabled": True},
            deletion_protection_enabled=context.settings.production,
            tags=context.tags(),
            opts=self.child(stateful=True),
        )
        self.register_outputs({"table": self.table.name})
