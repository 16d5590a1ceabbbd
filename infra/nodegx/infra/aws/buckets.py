"""Buckets: private, encrypted, and reached over TLS only."""

from __future__ import annotations

import pulumi
from nodegx.compiler.targets.aws.iam import policy
from pulumi_aws import s3

from .context import Component, Context


class Bucket(Component):
    """A bucket.

    Args:
        context: the deployment.
        name: its name in the project.
        expire: days after which objects are removed, by the beginning of their keys.
    """

    def __init__(
        self,
        context: Context,
        name: str,
        *,
        expire: dict[str, int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Bucket", f"{name}-bucket", context, opts)
        place = context.place
        self.arn = place.bucket(name)
        self.bucket = s3.Bucket(
            name,
            bucket=place.bucket_name(name),
            # What is only tried out goes away with its objects.
            force_destroy=not context.settings.production,
            tags=context.tags(),
            opts=self.child(stateful=True),
        )
        s3.BucketServerSideEncryptionConfiguration(
            name,
            bucket=self.bucket.id,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=self.child(),
        )
        closed = s3.BucketPublicAccessBlock(
            name,
            bucket=self.bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self.child(),
        )
        tls_only = {
            "Sid": "OnlyOverTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [self.arn, f"{self.arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        s3.BucketPolicy(
            name,
            bucket=self.bucket.id,
            policy=pulumi.Output.json_dumps(policy(tls_only)),
            opts=self.child(depends_on=[closed]),
        )
        if expire:
            s3.BucketLifecycleConfiguration(
                name,
                bucket=self.bucket.id,
                rules=[
                    {
                        "id": prefix.strip("/"),
                        "status": "Enabled",
                        "filter": {"prefix": prefix},
                        "expiration": {"days": days},
                    }
                    for prefix, days in expire.items()
                ],
                opts=self.child(),
            )
        self.register_outputs({"bucket": self.bucket.id})
