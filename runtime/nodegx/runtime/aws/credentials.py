"""Where a function or container finds its AWS credentials.

In order: environment variables (Lambda sets them), a web identity token (IRSA on Kubernetes), the
container endpoint (ECS, EKS Pod Identity). Each source is a function that returns None where it
does not apply. Source: "Standardized credential providers", AWS SDKs and Tools Reference Guide.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from nodegx.runtime.errors import FatalError, RetriableError

from .sigv4 import Credentials

REFRESH_BEFORE = 300.0
"""Seconds before their end at which credentials are replaced."""

CONTAINER_HOST = "http://169.254.170.2"
ALLOWED_CONTAINER_HOSTS = frozenset({"169.254.170.2", "169.254.170.23", "fd00:ec2::23"})

Source = Callable[[Mapping[str, str]], Credentials | None]


def from_environment(env: Mapping[str, str]) -> Credentials | None:
    """`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, for a role, `AWS_SESSION_TOKEN`."""
    if "AWS_ACCESS_KEY_ID" not in env or "AWS_SECRET_ACCESS_KEY" not in env:
        return None
    return Credentials(
        env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env.get("AWS_SESSION_TOKEN")
    )


def from_web_identity(env: Mapping[str, str]) -> Credentials | None:
    """Trades the token in `AWS_WEB_IDENTITY_TOKEN_FILE` for the role `AWS_ROLE_ARN`."""
    token_file, role = env.get("AWS_WEB_IDENTITY_TOKEN_FILE"), env.get("AWS_ROLE_ARN")
    if not token_file or not role:
        return None
    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")
    endpoint = env.get("AWS_ENDPOINT_URL_STS") or env.get("AWS_ENDPOINT_URL")
    if endpoint is None:
        endpoint = f"https://sts.{region}.amazonaws.com" if region else "https://sts.amazonaws.com"
    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": role,
        "RoleSessionName": env.get("AWS_ROLE_SESSION_NAME", "nodegx"),
        "WebIdentityToken": Path(token_file).read_text().strip(),
    }
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
    }
    answer = _fetch("POST", f"{endpoint.rstrip('/')}/", headers, urlencode(form).encode())
    found = answer["AssumeRoleWithWebIdentityResponse"]["AssumeRoleWithWebIdentityResult"][
        "Credentials"
    ]
    return Credentials(
        found["AccessKeyId"],
        found["SecretAccessKey"],
        found["SessionToken"],
        float(found["Expiration"]),
    )


def from_container(env: Mapping[str, str]) -> Credentials | None:
    """The endpoint that ECS and EKS name in the environment.

    Raises:
        FatalError: the URL is plain HTTP to a host that is neither the metadata service nor local.
    """
    if relative := env.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        url = CONTAINER_HOST + relative
    elif full := env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        url = full
    else:
        return None
    _require_trusted(url)
    headers: dict[str, str] = {}
    if token_file := env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
        headers["Authorization"] = Path(token_file).read_text().strip()
    elif token := env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN"):
        headers["Authorization"] = token
    found = _fetch("GET", url, headers)
    return Credentials(
        found["AccessKeyId"],
        found["SecretAccessKey"],
        found["Token"],
        datetime.fromisoformat(found["Expiration"].replace("Z", "+00:00")).timestamp(),
    )


SOURCES: tuple[Source, ...] = (from_environment, from_web_identity, from_container)


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


def _require_trusted(url: str) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or host in ALLOWED_CONTAINER_HOSTS or host == "localhost":
        return
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise FatalError(
            f"Refusing to ask {host} for credentials over plain HTTP", code="aws.credentials"
        )


def _fetch(method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Any:
    """One small JSON exchange with a credential endpoint, tried three times."""
    parts = urlsplit(url)
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    problem = ""
    for attempt in range(3):
        time.sleep(0.2 * attempt)
        connection = connect(parts.netloc, timeout=5)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            data = response.read()
            if response.status == 200:
                return json.loads(data)
            problem = f"status {response.status}"
            if response.status < 500 and response.status != 429:
                break
        except (OSError, HTTPException) as error:
            problem = str(error) or type(error).__name__
        finally:
            connection.close()
    raise RetriableError(
        f"The credential service at {parts.hostname} failed: {problem}", code="aws.credentials"
    )
