"""The account and region that a stack lives in, through the SDK."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

from nodegx.providers.errors import ProviderError

LOG_IN = "log in (`aws sso login`, or `aws configure`), or set AWS_ACCESS_KEY_ID and \
AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
INVALID = frozenset(
    {
        *("InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException"),
        *("InvalidAccessKeyId", "AuthFailure", "IncompleteSignature"),
    }
)
DENIED = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"),
        *("403", "Forbidden"),
    }
)


class Cloud:
    """An account in a region. Clients are made when they are needed, and may be used from several
    threads.

    Args:
        region: such as `eu-central-1`; the environment's, if None.

    Raises:
        ProviderError: nothing says which region, or the profile does not exist.
    """

    def __init__(self, region: str | None = None) -> None:
        with translated():
            from boto3.session import Session
            from botocore.exceptions import ProfileNotFound

            try:
                # The SDK itself does not look at AWS_REGION, unlike the engine and Lambda.
                self.session: Any = Session(region_name=region or os.environ.get("AWS_REGION"))
            except ProfileNotFound as error:
                raise ProviderError(f"{error}", "set AWS_PROFILE to one that exists") from None
        if self.session.region_name is None:
            raise ProviderError(
                "nothing says which region to use",
                "`nodegx stacks config set aws:region eu-central-1`, or set AWS_REGION",
            )
        self.region = str(self.session.region_name)
        self._clients: dict[str, Any] = {}
        self._identity: dict[str, str] | None = None
        self._lock = threading.RLock()

    def client(self, service: str) -> Any:
        """The SDK's client of a service."""
        with self._lock:  # making clients is not safe in several threads, using them is
            if service not in self._clients:
                from botocore.config import Config

                self._clients[service] = self.session.client(
                    service, config=Config(retries={"mode": "standard", "max_attempts": 5})
                )
            return self._clients[service]

    @property
    def account(self) -> str:
        """The account's twelve digits.

        Raises:
            ProviderError: there are no credentials, or they are refused.
        """
        return self._who()["Account"]

    @property
    def caller(self) -> str:
        """ARN of whoever we are; see `account`."""
        return self._who()["Arn"]

    def _who(self) -> dict[str, str]:
        with self._lock:
            if self._identity is None:
                with translated():
                    self._identity = dict(self.client("sts").get_caller_identity())
            return self._identity

    def credentials(self) -> dict[str, str]:
        """The credentials as environment variables, for those who find them only there.

        Raises:
            ProviderError: there are none.
        """
        with translated():
            found = self.session.get_credentials()
            if found is None:
                raise ProviderError("there are no AWS credentials", LOG_IN)
            frozen = found.get_frozen_credentials()
        variables = {
            "AWS_ACCESS_KEY_ID": str(frozen.access_key),
            "AWS_SECRET_ACCESS_KEY": str(frozen.secret_key),
            "AWS_REGION": self.region,
        }
        return {**variables, "AWS_SESSION_TOKEN": frozen.token} if frozen.token else variables


@contextmanager
def translated(*passing: str) -> Generator[None]:
    """Turns what the SDK raises into `ProviderError`s.

    Args:
        passing: error codes that the caller handles itself.
    """
    try:
        yield
    except ImportError as error:
        if error.name not in ("boto3", "botocore"):
            raise
        raise ProviderError("boto3 is not installed", "pip install 'nodegx[aws]'") from None
    except Exception as error:
        if not type(error).__module__.startswith("botocore") or error_code(error) in passing:
            raise
        raise explain(error) from None


def error_code(error: BaseException) -> str:
    """AWS's own name for a refusal; "" where there is none."""
    return str(_refusal(error).get("Code") or "")


def explain(error: BaseException) -> ProviderError:
    """An error of the SDK in words for whoever deploys."""
    name, code = type(error).__name__, error_code(error)
    if name in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"):
        return ProviderError("there are no AWS credentials", LOG_IN)
    if code in EXPIRED or name in ("TokenRetrievalError", "SSOTokenLoadError") or "SSO" in name:
        return ProviderError("the AWS credentials have expired", "log in again: `aws sso login`")
    if code in INVALID:
        return ProviderError("AWS does not accept the credentials", LOG_IN)
    if name in ("EndpointConnectionError", "ConnectTimeoutError", "ConnectionClosedError"):
        return ProviderError(
            f"AWS cannot be reached: {error}", "is the region right, and the network up?"
        )
    if name == "NoRegionError":
        return ProviderError("nothing says which region to use", "set AWS_REGION")
    if code in DENIED:
        return ProviderError(
            f"the credentials lack a permission: {_message(error)}",
            "`nodegx stacks policy` prints the policy that deploying needs",
        )
    return ProviderError(f"AWS: {_message(error)}", kind="failure")


def _message(error: BaseException) -> str:
    return " ".join(str(_refusal(error).get("Message") or error).split())


def _refusal(error: BaseException) -> dict[str, Any]:
    response = cast("dict[str, Any]", getattr(error, "response", None) or {})
    return response.get("Error") or {}
