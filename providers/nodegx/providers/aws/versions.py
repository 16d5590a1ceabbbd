"""Versions of functions, and the alias that decides which of them take the traffic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nodegx.compiler.targets.aws.names import ALIAS
from nodegx.providers.errors import ProviderError

from .cloud import Cloud, translated

LATEST = "$LATEST"
ATTEMPTS = 120
PAUSE = 1
"""Seconds between two looks at a function that is being changed, and how many there are."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Where an alias sends its traffic.

    Args:
        version: the version that gets all, but for what others get.
        others: shares of further versions, from 0 to 1.
    """

    version: str
    others: Mapping[str, float]

    def share(self, version: str) -> float:
        """The share of a version, from 0 to 1."""
        if version == self.version:
            return 1 - sum(self.others.values())
        return self.others.get(version, 0.0)


@dataclass(frozen=True, slots=True)
class Version:
    """A published version.

    Args:
        number: its number, as text.
        published: when, in seconds since the epoch.
        sha256: hash of its code, as Lambda writes it.
        size: bytes of its zip.
        revision: hash of the workflow it was compiled from; "" if unknown.
        description: what it was published with.
        share: of the traffic, from 0 to 1.
    """

    number: str
    published: float
    sha256: str
    size: int
    revision: str
    description: str
    share: float


def traffic(cloud: Cloud, function: str) -> Traffic:
    """Where the alias of a function sends its traffic.

    Raises:
        ProviderError: there is no alias.
    """
    client = cloud.client("lambda")
    with translated("ResourceNotFoundException"):
        try:
            found = client.get_alias(FunctionName=function, Name=ALIAS)
        except client.exceptions.ResourceNotFoundException:
            raise ProviderError(
                f"{function} has no alias {ALIAS}", "`nodegx deploy` makes it", "not found"
            ) from None
    routing: dict[str, Any] = found.get("RoutingConfig") or {}
    weights: dict[str, float] = routing.get("AdditionalVersionWeights") or {}
    return Traffic(found["FunctionVersion"], {v: float(w) for v, w in weights.items() if w})


def send(cloud: Cloud, function: str, version: str, others: Mapping[str, float]) -> None:
    """Sends the alias's traffic to a version, and shares of it to others."""
    with translated():
        cloud.client("lambda").update_alias(
            FunctionName=function,
            Name=ALIAS,
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": dict(others)},
        )


def versions(cloud: Cloud, function: str) -> list[Version]:
    """The published versions of a function, the latest first."""
    now = traffic(cloud, function)
    return sorted(_versions(cloud, function, now), key=lambda each: -int(each.number))


def _versions(cloud: Cloud, function: str, now: Traffic) -> Iterator[Version]:
    with translated():
        pages = cloud.client("lambda").get_paginator("list_versions_by_function")
        for page in pages.paginate(FunctionName=function):
            for each in page["Versions"]:
                if each["Version"] == LATEST:
                    continue
                environment: dict[str, Any] = each.get("Environment") or {}
                variables: dict[str, str] = environment.get("Variables") or {}
                yield Version(
                    number=each["Version"],
                    published=_seconds(each["LastModified"]),
                    sha256=each["CodeSha256"],
                    size=int(each["CodeSize"]),
                    revision=variables.get("NODEGX_REVISION", ""),
                    description=each.get("Description", ""),
                    share=now.share(each["Version"]),
                )


def code_of(cloud: Cloud, function: str) -> str | None:
    """The hash of the code that the alias of a function points to; None if there is no such
    function or alias."""
    client = cloud.client("lambda")
    with translated("ResourceNotFoundException"):
        try:
            found = client.get_function_configuration(FunctionName=function, Qualifier=ALIAS)
        except client.exceptions.ResourceNotFoundException:
            return None
    return str(found["CodeSha256"])


def wait_until_changed(cloud: Cloud, function: str) -> None:
    """Waits for Lambda to take over a change of a function's code or settings.

    Raises:
        ProviderError: it failed, or took minutes.
    """
    waiter: Any = cloud.client("lambda").get_waiter("function_updated_v2")
    with translated():
        waiter.wait(FunctionName=function, WaiterConfig={"Delay": PAUSE, "MaxAttempts": ATTEMPTS})


def _seconds(text: str) -> float:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
    except ValueError:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
