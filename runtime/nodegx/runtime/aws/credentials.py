"""Where a function or container finds its AWS credentials.

In order: environment variables (Lambda sets them), a web identity token (IRSA on Kubernetes), the
container endpoint (ECS, EKS Pod Identity). Each source is a function that returns None where it
does not apply. Source: "Standardized credential providers", AWS SDKs and Tools Reference Guide.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping

from nodegx.runtime.errors import FatalError, RetriableError

from .sigv4 import Credentials

REFRESH_BEFORE = 300.0
"""Seconds before their end at which credentials are replaced."""

Source = Callable[[Mapping[str, str]], Credentials | None]


def from_environment(env: Mapping[str, str]) -> Credentials | None:
    """`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, for a role, `AWS_SESSION_TOKEN`."""
    if "AWS_ACCESS_KEY_ID" not in env or "AWS_SECRET_ACCESS_KEY" not in env:
        return None
    return Credentials(
        env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env.get("AWS_SESSION_TOKEN")
    )


def from_elsewhere(env: Mapping[str, str]) -> Credentials | None:
    """A web identity token, or the container's endpoint."""
    # Functions have theirs in the environment, and import nothing for these.
    from .remote_credentials import from_container, from_web_identity

    return from_web_identity(env) or from_container(env)


SOURCES: tuple[Source, ...] = (from_environment, from_elsewhere)


class CredentialChain:
    """The first source that applies, asked again shortly before its credentials end."""

    def __init__(
        self, env: Mapping[str, str] | None = None, sources: tuple[Source, ...] = SOURCES
    ) -> None:
        self._env = os.environ if env is None else env
        self._sources = sources
        self._current: Credentials | None = None
        self._lock = threading.Lock()

    def get(self) -> Credentials:
        """Credentials that are good for some minutes at least.

        Raises:
            FatalError: no source has any.
            RetriableError: the source does not answer and the last credentials have ended.
        """
        with self._lock:
            now = time.time()
            current = self._current
            if current and (current.expires is None or current.expires - now > REFRESH_BEFORE):
                return current
            try:
                self._current = self._find()
            except RetriableError:
                if current is None or current.expires is None or current.expires <= now:
                    raise
            return self._current or self._none()

    def forget(self) -> None:
        """Drops what was found, after a service called it expired."""
        with self._lock:
            self._current = None

    def _find(self) -> Credentials:
        for source in self._sources:
            if found := source(self._env):
                return found
        return self._none()

    @staticmethod
    def _none() -> Credentials:
        raise FatalError(
            "No AWS credentials: neither in the environment nor from a role of this container",
            code="aws.credentials",
        )
