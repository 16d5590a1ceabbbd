"""The cloud that the provider works on: clients of the SDK, led to an emulator."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Cloud:
    """An emulated account in a region.

    Args:
        region: such as `eu-central-1`.
        env: where the endpoints and keys are found; this process's environment if None.

    Raises:
        ValueError: an endpoint is missing, or is not on this machine. The emulator's provider
            must never touch a real account.
    """

    def __init__(self, region: str, env: Mapping[str, str] | None = None) -> None:
        found = os.environ if env is None else env
        endpoints = {
            name: url for name, url in found.items() if name.startswith("AWS_ENDPOINT_URL")
        }
        if "AWS_ENDPOINT_URL" not in endpoints:
            raise ValueError("AWS_ENDPOINT_URL must lead to the emulator")
        for name, url in endpoints.items():
            if urlsplit(url).hostname not in LOOPBACK:
                raise ValueError(f"{name} leads to {url}; the emulator must be on this machine")
        self.region = region
        self.endpoint = endpoints["AWS_ENDPOINT_URL"]
        self._env = found
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    @cached_property
    def _session(self) -> Any:
        from boto3.session import Session

        return Session(
            aws_access_key_id=self._env.get("AWS_ACCESS_KEY_ID", "test"),
            aws_secret_access_key=self._env.get("AWS_SECRET_ACCESS_KEY", "test"),
            region_name=self.region,
        )

    @cached_property
    def account(self) -> str:
        """The account's twelve digits."""
        return self.client("sts").get_caller_identity()["Account"]

    def client(self, service: str) -> Any:
        """The SDK's client of a service; the same for all who ask."""
        with self._lock:  # making clients is not safe in several threads, using them is
            if service not in self._clients:
                from botocore.config import Config

                name = f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}"
                self._clients[service] = self._session.client(
                    service,
                    endpoint_url=self._env.get(name, self.endpoint),
                    config=Config(
                        max_pool_connections=32,
                        retries={"max_attempts": 2},
                        s3={"addressing_style": "path"},
                        # Parameters are checked by the emulator or by nobody; check them here.
                        parameter_validation=True,
                    ),
                )
            return self._clients[service]

    def arn(self, service: str, resource: str, *, region: str | None = None) -> str:
        """The ARN of something in this account; `region=""` for what has none."""
        place = self.region if region is None else region
        return f"arn:aws:{service}:{place}:{self.account}:{resource}"
