"""What would be lost with a deployment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

STATEFUL: Mapping[str, str] = {
    "aws:dynamodb/table:Table": "table",
    "aws:s3/bucket:Bucket": "bucket",
    "aws:secretsmanager/secret:Secret": "secret",
    "aws:sqs/queue:Queue": "queue",
}
"""Resources that hold data, and how people call them."""


def protected(resources: Iterable[Mapping[str, Any]]) -> list[str]:
    """The resources of a state that must not be deleted, as `table shop-prod-history`."""
    return sorted(_name(each) for each in resources if each.get("protect"))


def stateful(resources: Iterable[Mapping[str, Any]]) -> list[str]:
    """The resources of a state that hold data."""
    return sorted(_name(each) for each in resources if each.get("type") in STATEFUL)


def _name(resource: Mapping[str, Any]) -> str:
    kind = str(resource.get("type"))
    name = str(resource.get("id") or str(resource.get("urn")).rpartition("::")[2])
    return f"{STATEFUL.get(kind, kind)} {name.rstrip('/').rpartition('/')[2]}"
