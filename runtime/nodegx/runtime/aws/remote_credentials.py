"""Credentials that a service hands out: for a web identity token, or to a container.

Source: "Standardized credential providers", AWS SDKs and Tools Reference Guide.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from nodegx.runtime.errors import FatalError, RetriableError

from .sigv4 import Credentials
from .wire import Connection, Garbled

TIMEOUT = 5.0
"""Seconds for connecting, and for each read."""
CONTAINER_HOST = "http://169.254.170.2"
ALLOWED_CONTAINER_HOSTS = frozenset({"169.254.170.2", "169.254.170.23", "fd00:ec2::23"})


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


def _fetch(method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Any:
    """One small JSON exchange with a credential endpoint, tried three times."""
    parts = urlsplit(url)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    problem = ""
    for attempt in range(3):
        time.sleep(0.2 * attempt)
        try:
            with closing(Connection(url, TIMEOUT)) as connection:
                answer = connection.exchange(method, path, headers, body, TIMEOUT)
        except (OSError, Garbled) as error:
            problem = str(error) or type(error).__name__
            continue
        if answer.status == 200:
            return json.loads(answer.body)
        problem = f"status {answer.status}"
        if answer.status < 500 and answer.status != 429:
            break
    raise RetriableError(
        f"The credential service at {parts.hostname} failed: {problem}", code="aws.credentials"
    )
