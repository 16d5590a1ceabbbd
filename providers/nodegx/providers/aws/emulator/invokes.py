"""Functions that a program may ask: who and where it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .cloud import Cloud
from .properties import Properties


def _caller(cloud: Cloud, args: Properties) -> Properties:
    found = cloud.client("sts").get_caller_identity()
    return {
        "accountId": found["Account"],
        "arn": found["Arn"],
        "userId": found["UserId"],
        "id": found["Account"],
    }


def _region(cloud: Cloud, args: Properties) -> Properties:
    region = str(args.get("region") or cloud.region)
    return {
        "region": region,
        "name": region,
        "id": region,
        "description": region,
        "endpoint": f"ec2.{region}.amazonaws.com",
    }


def _partition(cloud: Cloud, args: Properties) -> Properties:
    return {
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
        "id": "aws",
    }


INVOKES: Mapping[str, Callable[[Cloud, Properties], Properties]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getPartition:getPartition": _partition,
}
