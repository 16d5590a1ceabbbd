"""S3."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from nodegx.providers.aws.emulator.archives import asset_bytes
from nodegx.providers.aws.emulator.properties import Properties
from nodegx.providers.aws.emulator.resource import (
    Resource,
    camel,
    is_absent,
    pascal,
    tag_list,
    tag_map,
)


class Bucket(Resource):
    type = "aws:s3/bucket:Bucket"
    optional = frozenset({"bucket", "forceDestroy", "tags"})
    replaces = frozenset({"bucket"})
    computed = frozenset({"arn", "bucketDomainName", "bucketRegionalDomainName", "region"})
    named = "bucket"
    defaults = {"forceDestroy": False}  # noqa: RUF012

    def create(self, inputs: Properties) -> str:
        s3 = self.cloud.client("s3")
        place: Properties = {}
        if self.cloud.region != "us-east-1":
            place["CreateBucketConfiguration"] = {"LocationConstraint": self.cloud.region}
        s3.create_bucket(Bucket=inputs["bucket"], **place)
        self._tag(inputs["bucket"], inputs.get("tags"))
        return inputs["bucket"]

    def read(self, id: str, state: Properties) -> Properties | None:
        s3 = self.cloud.client("s3")
        s3.head_bucket(Bucket=id)
        return {
            "bucket": id,
            "arn": f"arn:aws:s3:::{id}",
            "bucketDomainName": f"{id}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{id}.s3.{self.cloud.region}.amazonaws.com",
            "region": self.cloud.region,
            "tags": self._tags(id),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self._tag(id, new.get("tags"))

    def delete(self, id: str, state: Properties) -> None:
        s3 = self.cloud.client("s3")
        if state.get("forceDestroy"):
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=id):
                for found in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    s3.delete_object(
                        Bucket=id, Key=found["Key"], VersionId=found.get("VersionId", "null")
                    )
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=id):
                for found in page.get("Contents", ()):
                    s3.delete_object(Bucket=id, Key=found["Key"])
        s3.delete_bucket(Bucket=id)

    def _tag(self, bucket: str, tags: dict[str, str] | None) -> None:
        s3 = self.cloud.client("s3")
        if tags:
            s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tag_list(tags)})
        else:
            s3.delete_bucket_tagging(Bucket=bucket)

    def _tags(self, bucket: str) -> dict[str, str] | None:
        s3 = self.cloud.client("s3")
        try:
            return tag_map(s3.get_bucket_tagging(Bucket=bucket)["TagSet"]) or None
        except s3.exceptions.ClientError as error:
            if is_absent(error):
                return None
            raise


class BucketPolicy(Resource):
    type = "aws:s3/bucketPolicy:BucketPolicy"
    required = frozenset({"bucket", "policy"})
    replaces = frozenset({"bucket"})

    def create(self, inputs: Properties) -> str:
        self.update(inputs["bucket"], {}, inputs)
        return inputs["bucket"]

    def read(self, id: str, state: Properties) -> Properties | None:
        policy = self.cloud.client("s3").get_bucket_policy(Bucket=id)["Policy"]
        return {"bucket": id, "policy": policy}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.cloud.client("s3").put_bucket_policy(Bucket=id, Policy=new["policy"])

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("s3").delete_bucket_policy(Bucket=id)


class BucketPublicAccessBlock(Resource):
    type = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    required = frozenset({"bucket"})
    optional = frozenset(
        {"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"}
    )
    replaces = frozenset({"bucket"})

    def create(self, inputs: Properties) -> str:
        self.update(inputs["bucket"], {}, inputs)
        return inputs["bucket"]

    def read(self, id: str, state: Properties) -> Properties | None:
        found = self.cloud.client("s3").get_public_access_block(Bucket=id)
        return {"bucket": id, **camel(found["PublicAccessBlockConfiguration"])}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        blocks = pascal({name: new.get(name, False) for name in self.optional})
        self.cloud.client("s3").put_public_access_block(
            Bucket=id, PublicAccessBlockConfiguration=blocks
        )

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("s3").delete_public_access_block(Bucket=id)


class BucketEncryption(Resource):
    type = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    required = frozenset({"bucket", "rules"})
    replaces = frozenset({"bucket"})

    def create(self, inputs: Properties) -> str:
        self.update(inputs["bucket"], {}, inputs)
        return inputs["bucket"]

    def read(self, id: str, state: Properties) -> Properties | None:
        found = self.cloud.client("s3").get_bucket_encryption(Bucket=id)
        rules = found["ServerSideEncryptionConfiguration"]["Rules"]
        return {
            "bucket": id,
            "rules": [
                {
                    "applyServerSideEncryptionByDefault": {
                        "sseAlgorithm": rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
                    }
                }
                for rule in rules
            ],
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        rules = [
            {
                "ApplyServerSideEncryptionByDefault": {
                    "SSEAlgorithm": rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"]
                }
            }
            for rule in new["rules"]
        ]
        self.cloud.client("s3").put_bucket_encryption(
            Bucket=id, ServerSideEncryptionConfiguration={"Rules": rules}
        )

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("s3").delete_bucket_encryption(Bucket=id)


class BucketLifecycle(Resource):
    type = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    required = frozenset({"bucket", "rules"})
    replaces = frozenset({"bucket"})

    def create(self, inputs: Properties) -> str:
        self.update(inputs["bucket"], {}, inputs)
        return inputs["bucket"]

    def read(self, id: str, state: Properties) -> Properties | None:
        found = self.cloud.client("s3").get_bucket_lifecycle_configuration(Bucket=id)
        rules = camel(found["Rules"])
        for rule in rules:
            rule["id"] = rule.pop("iD", None) or rule.get("id")
        return {"bucket": id, "rules": rules}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        rules = pascal(new["rules"])
        for rule in rules:
            rule["ID"] = rule.pop("Id")
        self.cloud.client("s3").put_bucket_lifecycle_configuration(
            Bucket=id, LifecycleConfiguration={"Rules": rules}
        )

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("s3").delete_bucket_lifecycle(Bucket=id)


class BucketNotification(Resource):
    type = "aws:s3/bucketNotification:BucketNotification"
    required = frozenset({"bucket"})
    optional = frozenset({"eventbridge", "lambdaFunctions"})
    replaces = frozenset({"bucket"})

    def create(self, inputs: Properties) -> str:
        self.update(inputs["bucket"], {}, inputs)
        return inputs["bucket"]

    def read(self, id: str, state: Properties) -> Properties | None:
        found = self.cloud.client("s3").get_bucket_notification_configuration(Bucket=id)
        functions = [_watcher(each) for each in found.get("LambdaFunctionConfigurations", ())]
        if not functions and "EventBridgeConfiguration" not in found:
            return None
        return {
            "bucket": id,
            "eventbridge": "EventBridgeConfiguration" in found or None,
            "lambdaFunctions": functions or None,
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        given: Properties = {
            "LambdaFunctionConfigurations": [
                _configuration(each) for each in new.get("lambdaFunctions") or ()
            ]
        }
        if new.get("eventbridge"):
            given["EventBridgeConfiguration"] = {}
        self.cloud.client("s3").put_bucket_notification_configuration(
            Bucket=id, NotificationConfiguration=given
        )

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("s3").put_bucket_notification_configuration(
            Bucket=id, NotificationConfiguration={}
        )


class BucketObject(Resource):
    type = "aws:s3/bucketObjectv2:BucketObjectv2"
    required = frozenset({"bucket"})
    optional = frozenset({"key", "source", "sourceHash", "content", "contentType", "tags"})
    replaces = frozenset({"bucket", "key"})
    computed = frozenset({"arn", "etag"})
    named = "key"

    def create(self, inputs: Properties) -> str:
        self.update(inputs["key"], {}, inputs)
        return inputs["key"]

    def read(self, id: str, state: Properties) -> Properties | None:
        found = self.cloud.client("s3").head_object(Bucket=state["bucket"], Key=id)
        return {
            "bucket": state["bucket"],
            "key": id,
            "arn": f"arn:aws:s3:::{state['bucket']}/{id}",
            "etag": found["ETag"].strip('"'),
            "sourceHash": found.get("Metadata", {}).get("source-hash"),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        body = str(new["content"]).encode() if "content" in new else asset_bytes(new["source"])
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        self.cloud.client("s3").put_object(
            Bucket=new["bucket"],
            Key=id,
            Body=body,
            Metadata={"source-hash": new.get("sourceHash") or digest},
        )

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("s3").delete_object(Bucket=state["bucket"], Key=id)


def _configuration(watcher: Properties) -> Properties:
    rules = [
        {"Name": name, "Value": watcher[key]}
        for name, key in (("prefix", "filterPrefix"), ("suffix", "filterSuffix"))
        if watcher.get(key)
    ]
    found: Properties = {
        "LambdaFunctionArn": watcher["lambdaFunctionArn"],
        "Events": watcher["events"],
    }
    if watcher.get("id"):
        found["Id"] = watcher["id"]
    if rules:
        found["Filter"] = {"Key": {"FilterRules": rules}}
    return found


def _watcher(configuration: dict[str, Any]) -> Properties:
    rules = configuration.get("Filter", {}).get("Key", {}).get("FilterRules", ())
    by_name = {rule["Name"].lower(): rule["Value"] for rule in rules}
    found = {
        "id": configuration.get("Id"),
        "lambdaFunctionArn": configuration["LambdaFunctionArn"],
        "events": configuration["Events"],
        "filterPrefix": by_name.get("prefix"),
        "filterSuffix": by_name.get("suffix"),
    }
    return {name: value for name, value in found.items() if value is not None}


TYPES = (
    Bucket,
    BucketEncryption,
    BucketLifecycle,
    BucketNotification,
    BucketObject,
    BucketPolicy,
    BucketPublicAccessBlock,
)
