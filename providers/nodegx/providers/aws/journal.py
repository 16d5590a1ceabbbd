"""The record of deployments: what each of them put in place, so that others can tell what changed
and go back. It lies in the deployment's own bucket, for everyone who deploys."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from nodegx.providers.errors import ProviderError

from .cloud import Cloud, error_code, translated

KEY = "deployments/journal.json"
FORMAT = 1
KEPT = 100
"""Deployments that are remembered."""
MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "404"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A deployment.

    Args:
        number: counted from 1.
        kind: `deploy`, `code`, `canary` or `rollback`.
        time: when it ended, in seconds since the epoch.
        caller: ARN of whoever did it.
        versions: what the alias of each function points to since then, by slug.
        revisions: hashes of the workflows, by slug.
        note: for people.
    """

    number: int
    kind: str
    time: float
    caller: str
    versions: Mapping[str, str]
    revisions: Mapping[str, str] = field(default_factory=dict[str, str])
    note: str = ""


@dataclass(slots=True)
class Journal:
    """The deployments of a stack.

    Args:
        entries: the latest last.
        plan: the plan of the last full deployment, as JSON data; None if there was none.
    """

    entries: list[Entry] = field(default_factory=list[Entry])
    plan: dict[str, Any] | None = None

    @property
    def last(self) -> Entry | None:
        """The latest deployment."""
        return self.entries[-1] if self.entries else None

    def entry(self, number: int) -> Entry:
        """A deployment by its number.

        Raises:
            ProviderError: there is none.
        """
        for entry in self.entries:
            if entry.number == number:
                return entry
        raise ProviderError(
            f"there is no deployment {number}", "`nodegx versions` lists them", "not found"
        )

    def add(
        self,
        kind: str,
        caller: str,
        versions: Mapping[str, str],
        revisions: Mapping[str, str] | None = None,
        note: str = "",
    ) -> Entry:
        """Adds a deployment that has just ended."""
        number = self.last.number + 1 if self.last else 1
        entry = Entry(
            number, kind, time.time(), caller, dict(versions), dict(revisions or {}), note
        )
        self.entries.append(entry)
        del self.entries[:-KEPT]
        return entry


def read_journal(cloud: Cloud, bucket: str) -> Journal:
    """The journal in a bucket; an empty one if there is none yet.

    Raises:
        ProviderError: it cannot be read.
    """
    with translated(*MISSING):
        try:
            body = cloud.client("s3").get_object(Bucket=bucket, Key=KEY)["Body"].read()
        except Exception as error:
            if error_code(error) in MISSING:
                return Journal()
            raise
    try:
        data: dict[str, Any] = json.loads(body)
        entries = [Entry(**entry) for entry in data["deployments"]]
        return Journal(entries, data.get("plan"))
    except (ValueError, TypeError, KeyError):
        message = f"the journal s3://{bucket}/{KEY} cannot be read"
        raise ProviderError(message, "was it written by a newer nodegx?") from None


def write_journal(cloud: Cloud, bucket: str, journal: Journal) -> None:
    """Replaces the journal in a bucket."""
    data = {
        "formatVersion": FORMAT,
        "deployments": [asdict(entry) for entry in journal.entries],
        "plan": journal.plan,
    }
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    with translated():
        cloud.client("s3").put_object(
            Bucket=bucket, Key=KEY, Body=body, ContentType="application/json"
        )
