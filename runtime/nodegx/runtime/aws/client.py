"""A thin client for the few AWS calls a workflow's runtime makes.

It imports in a few milliseconds, where an SDK takes half a second of every cold start. Requests
are signed by `sigv4`, connections kept alive, and throttling, server errors and lost connections
retried with full jitter (source: "Exponential Backoff And Jitter", AWS Architecture Blog).
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from nodegx.runtime.errors import NodegxError

from .credentials import CredentialChain
from .sigv4 import sign
from .wire import Connection, Garbled, Response


class Service(NamedTuple):
    """How a service is called: `prefix` of its `X-Amz-Target` and its JSON version, or None for
    services that are called by path."""

    name: str
    prefix: str | None = None
    version: str = "1.0"


SERVICES = {
    "dynamodb": Service("dynamodb", "DynamoDB_20120810"),
    "sqs": Service("sqs", "AmazonSQS"),
    "events": Service("events", "AWSEvents", "1.1"),
    "secretsmanager": Service("secretsmanager", "secretsmanager", "1.1"),
    "scheduler": Service("scheduler"),
    "lambda": Service("lambda"),
    "s3": Service("s3"),
}

THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException"})
SKEWED = frozenset({"InvalidSignatureException", "RequestTimeTooSkewed", "SignatureDoesNotMatch"})
TRANSIENT_STATUS = frozenset({429, 500, 502, 503, 504})

ATTEMPTS = 5
BASE_DELAY = 0.05
MAX_DELAY = 5.0


_NOTHING = (b"", b"{}")  # what most calls are answered with
_encode = json.JSONEncoder(separators=(",", ":")).encode


Answer = Callable[[], dict[str, Any]]
"""Waits for the answer to a call; raises `AwsError` if the service refused, or kept failing."""


class AwsError(NodegxError):
    """A service refused a call; `code` is AWS's own name for the reason. `untouched` tells that the
    service has certainly not acted on the call."""

    def __init__(
        self, service: str, code: str, message: str, status: int, *, untouched: bool = False
    ) -> None:
        retriable = code in THROTTLED or status in TRANSIENT_STATUS
        super().__init__(f"{service}: {message or code}", code=code, retriable=retriable)
        self.status = status
        self.untouched = untouched or code in THROTTLED or status == 429


class AwsClient:
    """Calls one service in one region. Safe to use from several threads.

    Args:
        service: a key of `SERVICES`.
        region: such as `eu-central-1`; `AWS_REGION` if None.
        credentials: shared between the clients of a process.
        endpoint: base URL; `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL` or the public one.
        timeout: seconds for connecting, and for each read unless a request has its own.
    """

    def __init__(
        self,
        service: str,
        *,
        region: str | None = None,
        credentials: CredentialChain | None = None,
        endpoint: str | None = None,
        timeout: float = 10.0,
    ) -> None:
        env = os.environ
        self.service = SERVICES[service]
        self.region = region or env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION", "us-east-1")
        self.endpoint = (
            endpoint
            or env.get(f"AWS_ENDPOINT_URL_{_endpoint_name(service)}")
            or env.get("AWS_ENDPOINT_URL")
            or f"https://{service}.{self.region}.{_suffix(self.region)}"
        ).rstrip("/")
        self._path = urlsplit(self.endpoint).path
        self._credentials = credentials or CredentialChain()
        self._timeout = timeout
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._skew = timedelta()

    def call(self, operation: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Calls a JSON operation such as `PutItem`.

        Raises:
            AwsError: the service refused, or kept failing.
        """
        return _json(self._answer(self._operation(operation, payload)))

    def begin(self, operation: str, payload: Mapping[str, Any]) -> Answer:
        """Calls a JSON operation without waiting for its answer, so that others can be called at
        the same time. The answer has to be asked for once."""
        request = self._operation(operation, payload)
        sent: Connection | None = None
        with contextlib.suppress(OSError, _Unsent):  # it is sent again then
            sent = self._sent(self._take() or self._open(), request)
        return lambda: _json(self._answer(request, sent))

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        timeout: float | None = None,
        repeatable: bool = True,
    ) -> Response:
        """Sends one request, retrying what may pass.

        Args:
            method: HTTP method, upper case.
            path: percent-encoded.
            body: the payload.
            headers: besides those that authenticate it.
            query: query parameters.
            timeout: seconds to wait for the answer; the client's own if None.
            repeatable: whether the request may be sent again when it is not known if the service
                has acted on it.

        Raises:
            AwsError: the service refused, or kept failing.
        """
        target = f"{path}?{urlencode(query)}" if query else path
        wait = timeout or self._timeout
        return self._answer(_Request(method, target, body, headers or {}, wait, repeatable))

    def _operation(self, operation: str, payload: Mapping[str, Any]) -> _Request:
        headers = {
            "Content-Type": f"application/x-amz-json-{self.service.version}",
            "X-Amz-Target": f"{self.service.prefix}.{operation}",
        }
        return _Request("POST", "/", _encode(payload).encode(), headers, self._timeout, True)

    def _answer(self, request: _Request, sent: Connection | None = None) -> Response:
        """The answer to a request, which may have been `sent` once already."""
        corrected = False
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self._exchange(request, sent)
            except _Unsent as failure:
                error = AwsError(
                    self.service.name, "ConnectionError", str(failure), 503, untouched=True
                )
            except (OSError, Garbled) as failure:
                reason = str(failure) or type(failure).__name__
                error = AwsError(self.service.name, "ConnectionError", reason, 503)
            else:
                if answer.status < 300:
                    return answer
                error = _error(self.service.name, answer)
                if not corrected and self._correct(error, answer):
                    corrected, sent = True, None
                    continue
            sent = None
            may_repeat = error.retriable and (request.repeatable or error.untouched)
            if not may_repeat or attempt == ATTEMPTS:
                raise error
            import random  # here: nearly every call succeeds at once

            # Timing, not secrets: a weak generator is good enough.
            time.sleep(random.uniform(0, min(MAX_DELAY, BASE_DELAY * 2**attempt)))  # noqa: S311
        raise AssertionError("unreachable")

    def _correct(self, error: AwsError, answer: Response) -> bool:
        """Mends what a fresh signature can mend: old credentials, a wrong clock."""
        if error.code in EXPIRED:
            self._credentials.forget()
            return True
        if error.code in SKEWED and "date" in answer.headers:
            from email.utils import parsedate_to_datetime

            skew = parsedate_to_datetime(answer.headers["date"]) - datetime.now(UTC)
            if abs(skew - self._skew) > timedelta(minutes=1):
                self._skew = skew
                return True
        return False

    def _exchange(self, request: _Request, sent: Connection | None) -> Response:
        """Sends a request, unless it was `sent` already, and reads its answer."""
        # An idle connection may turn out closed once the request is under way.
        if sent is not None:
            with contextlib.suppress(ConnectionError, Garbled):
                return self._received(sent, request)
        elif request.repeatable and (idle := self._take()) is not None:
            with contextlib.suppress(ConnectionError, Garbled):
                return self._received(self._sent(idle, request), request)
        return self._received(self._sent(self._open(), request), request)

    def _sent(self, connection: Connection, request: _Request) -> Connection:
        """The connection, on which the request is under way."""
        signed = sign(
            request.method,
            f"{self.endpoint}{request.target}",
            request.headers,
            request.body,
            credentials=self._credentials.get(),
            region=self.region,
            service=self.service.name,
            now=datetime.now(UTC) + self._skew,
        )
        target = f"{self._path}{request.target}"
        try:
            connection.send(request.method, target, signed, request.body, request.timeout)
        except BaseException:
            connection.close()
            raise
        return connection

    def _received(self, connection: Connection, request: _Request) -> Response:
        try:
            answer = connection.receive(request.method)
        except BaseException:
            connection.close()
            raise
        if not (request.repeatable and connection.reusable):
            connection.close()
        else:
            with self._lock:
                self._idle.append(connection)
        return answer

    def _take(self) -> Connection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _open(self) -> Connection:
        try:
            return Connection(self.endpoint, self._timeout)
        except OSError as error:
            raise _Unsent(str(error) or type(error).__name__) from error

    def close(self) -> None:
        """Closes idle connections. The client stays usable."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


class _Request(NamedTuple):
    """What is sent: `target` is path and query, `timeout` in seconds."""

    method: str
    target: str
    body: bytes
    headers: Mapping[str, str]
    timeout: float
    repeatable: bool


class _Unsent(Exception):
    """The service could not be reached, so it has not acted on the request."""


def _suffix(region: str) -> str:
    """The DNS suffix of the region's partition."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def _endpoint_name(service: str) -> str:
    """The service's part in `AWS_ENDPOINT_URL_…`, as the SDKs spell it."""
    return {"events": "EVENTBRIDGE", "secretsmanager": "SECRETS_MANAGER"}.get(
        service, service.upper()
    )


def _json(answer: Response) -> dict[str, Any]:
    return json.loads(answer.body) if answer.body not in _NOTHING else {}


def _error(service: str, answer: Response) -> AwsError:
    """Reads code and message from a JSON error, or from S3's XML."""
    text = answer.body.decode("utf-8", "replace")
    code, message = answer.headers.get("x-amzn-errortype", ""), text[:500]
    found: dict[str, Any] = {}
    if text.startswith("{"):
        with contextlib.suppress(ValueError):
            found = json.loads(text)
        code = code or found.get("__type") or found.get("code") or found.get("Code") or ""
        message = found.get("message") or found.get("Message") or ""
    elif "<Code>" in text:
        code = text.partition("<Code>")[2].partition("</Code>")[0]
        message = text.partition("<Message>")[2].partition("</Message>")[0]
    code = code.rpartition("#")[2].partition(":")[0]
    return AwsError(service, code or f"HTTP{answer.status}", message, answer.status)
