"""Secrets from AWS Secrets Manager, each fetched when it is first read and kept for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

from .client import AwsClient, AwsError

KEEP = 300.0
"""Seconds after which a secret is fetched again, so that a rotation comes through."""


class SecretsManager(Mapping[str, str]):
    """Secrets by the names that workflows use. Reading one that is not at hand blocks.

    Args:
        arns: name -> ARN.
        client: gives the client of Secrets Manager once it is needed.
    """

    def __init__(self, arns: Mapping[str, str], client: Callable[[], AwsClient]) -> None:
        self._arns = arns
        self._client = client
        self._kept: dict[str, tuple[float, str]] = {}

    def __getitem__(self, name: str) -> str:
        arn = self._arns[name]
        kept = self._kept.get(name)
        if kept is not None and time.monotonic() - kept[0] < KEEP:
            return kept[1]
        try:
            value = self._client().call("GetSecretValue", {"SecretId": arn})["SecretString"]
        except AwsError as error:
            if kept is not None and error.retriable:
                return kept[1]
            if error.code == "ResourceNotFoundException":
                raise KeyError(name) from None
            raise
        self._kept[name] = (time.monotonic(), value)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._arns)

    def __len__(self) -> int:
        return len(self._arns)

    def __contains__(self, name: object) -> bool:
        return name in self._arns
