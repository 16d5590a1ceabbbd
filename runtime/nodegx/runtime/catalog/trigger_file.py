"""trigger.file: files of a bucket."""

from __future__ import annotations

from . import checks, idempotency
from .types import Kind, NodeType, Output, Param, Signal, Type

NODE = NodeType(
    "trigger.file",
    Kind.TRIGGER,
    "File",
    "Starts the workflow when a file of a bucket is created, replaced or removed.",
    params=(
        Param(
            "bucket",
            Type.STRING,
            "Name of the bucket, which the deployment makes (its full name also has project and "
            "stack). Or the ARN of a bucket that exists.",
            required=True,
            literal=True,
            check=checks.bucket,
            examples=("uploads", "arn:aws:s3:::acme-uploads"),
        ),
        Param(
            "events",
            Type.STRING,
            "What is watched for, or a list: `created` (or replaced), `removed`. Default `created`.",
            default="created",
            choices=("created", "removed"),
            many=True,
            literal=True,
        ),
        Param(
            "prefix",
            Type.STRING,
            "How the keys of watched files begin. Default: any.",
            default="",
            literal=True,
            examples=("incoming/",),
        ),
        Param(
            "suffix",
            Type.STRING,
            "How the keys of watched files end. Default: any.",
            default="",
            literal=True,
            examples=(".csv",),
        ),
        idempotency.KEYED,
    ),
    outputs=(
        Output("bucket", Type.STRING, "Full name of the bucket."),
        Output("key", Type.STRING, "Key of the file."),
        Output("size", Type.INTEGER, "Its size in bytes; 0 if it was removed."),
        Output("event", Type.STRING, "What happened: `created` or `removed`."),
        Output("etag", Type.STRING, "Tag of its content; empty if it was removed."),
    ),
    signals_in=(),
    signals_out=(Signal("received", "Something has happened to a file."),),
    targets=frozenset({"aws"}),
    category="triggers",
    example={"bucket": "uploads", "events": "created", "prefix": "incoming/", "suffix": ".csv"},
)
