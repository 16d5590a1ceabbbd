"""A trigger that is reached over HTTP, ready to serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from .body import BODY_TYPES
from .problem import ConfigError

if TYPE_CHECKING:
    from nodegx.runtime.idempotency.settings import Settings

    from .auth import Authenticator
    from .cors import Cors
    from .ratelimit import RateLimit

METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
MAX_BODY = 1_000_000
FUNCTIONS = "/functions/"
TYPES = ("trigger.webhook", "cloud.request")


class Route(NamedTuple):
    """One trigger.

    Args:
        workflow: name of the workflow.
        node: id of the trigger node.
        type: its type, one of `TYPES`.
        methods: accepted methods, upper-case.
        path: the path, with `{parameters}`.
        responds: whether the workflow has a response node; if not, calls are answered with 202.
        body_type: how bodies are parsed, one of `BODY_TYPES`.
        max_body: bytes.
        auth: who may call; None is everyone.
        cors: rules for pages of other origins; None forbids them.
        limit: how often it may be called; None is unlimited.
        parameters: declared parameters of a `cloud.request`; None for a webhook.
        idempotency: how repeats are told and treated; None takes every request for a new one.
    """

    workflow: str
    node: str
    type: str
    methods: tuple[str, ...]
    path: str
    responds: bool = True
    body_type: str = "auto"
    max_body: int = MAX_BODY
    auth: Authenticator | None = None
    cors: Cors | None = None
    limit: RateLimit | None = None
    parameters: Sequence[Mapping[str, Any]] | None = None
    idempotency: Settings | None = None


def build(
    workflow: str,
    node: str,
    type: str,
    config: Mapping[str, Any],
    secrets: Mapping[str, str],
    *,
    responds: bool = True,
) -> Route:
    """The route of a trigger, from the settings in its manifest.

    Args:
        workflow: name of the workflow; its last part names the function of a `cloud.request`.
        node: id of the trigger node.
        type: one of `TYPES`.
        config: the trigger's parameters. Credentials are `{"$secret": name}`.
        secrets: resolves those names when a request comes.
        responds: whether the workflow has a response node.

    Raises:
        ConfigError: a setting cannot work.
    """
    function = type == "cloud.request"
    methods: Any = "POST" if function else config.get("method") or "POST"
    given = cast("list[Any]", methods if isinstance(methods, list | tuple) else [methods])
    names = tuple(str(name).upper() for name in given)
    unknown = [name for name in names if name not in METHODS]
    if unknown or not names:
        raise ConfigError(f"method must be among {', '.join(METHODS)}")
    path = FUNCTIONS + workflow.rpartition("/")[2] if function else config.get("path")
    if not isinstance(path, str):
        raise ConfigError("a webhook needs a path")
    body_type = config.get("bodyType") or "auto"
    if body_type not in BODY_TYPES:
        raise ConfigError(f"bodyType must be one of {', '.join(BODY_TYPES)}")
    max_body = config.get("maxBodyBytes", MAX_BODY)
    if not isinstance(max_body, int) or isinstance(max_body, bool) or max_body < 0:
        raise ConfigError("maxBodyBytes must be a whole number")
    return Route(
        workflow,
        node,
        type,
        names,
        path,
        responds,
        body_type,
        max_body,
        _authenticator(config, secrets),
        _cors(config),
        _limit(config),
        (config.get("parameters") or ()) if function else None,
        _idempotency(config),
    )


# What a trigger does not use is not imported: functions start cold.


def _authenticator(config: Mapping[str, Any], secrets: Mapping[str, str]) -> Authenticator | None:
    if not config.get("auth"):
        return None
    from .auth import build

    return build(config["auth"], secrets)


def _cors(config: Mapping[str, Any]) -> Cors | None:
    if not config.get("cors"):
        return None
    from .cors import build

    return build(config["cors"])


def _limit(config: Mapping[str, Any]) -> RateLimit | None:
    if not config.get("rateLimit"):
        return None
    from .ratelimit import build

    return build(config["rateLimit"])


def _idempotency(config: Mapping[str, Any]) -> Settings | None:
    if config.get("idempotency") is None:
        return None
    from nodegx.runtime.idempotency.settings import read

    return read(config)
