"""What a stack's own file says: everything that differs between stacks of one project."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar, cast

import pulumi
from nodegx.compiler.targets.aws.plan import Function

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """Requests that the HTTP API lets through: `rate` a second, `burst` at once."""

    rate: float = 500
    burst: int = 1000


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A domain of one's own.

    Args:
        name: such as `api.example.com`.
        zone: id of its Route 53 zone, in which the certificate is proven and the record is made.
        certificate: ARN of a certificate that exists; None makes one, for which `zone` is needed.
    """

    name: str
    zone: str | None = None
    certificate: str | None = None

    def __post_init__(self) -> None:
        if self.zone is None and self.certificate is None:
            raise pulumi.RunError(
                "domain needs a certificate, or the zone in which one can be proven"
            )


@dataclass(frozen=True, kw_only=True)
class Provisioned:
    """Instances of a function that are kept warm: at least `min`, up to `max` once the share
    `target` of them is busy."""

    min: int
    max: int | None = None
    target: float = 0.7


@dataclass(frozen=True, kw_only=True)
class Override:
    """What a stack sets differently for one workflow. `concurrency` 0 stops it; `shared` gives up
    the concurrency that the workflow reserves."""

    memory: int | None = None
    concurrency: int | None = None
    shared: bool = False
    provisioned: Provisioned | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a stack, from `Pulumi.<stack>.yaml`.

    Args:
        production: whether what holds data is protected from being deleted.
        alarm_email: who is told of alarms.
        alarm_webhook: an HTTPS address that is told, too.
        log_retention_days: days for which logs are kept.
        log_level: the least level that is logged, such as `debug`.
        hold_alias: whether new versions wait for the deployer to send them traffic.
        throttle: limits of the HTTP API.
        domain: a domain of one's own.
        budget: US dollars a month from which on somebody is told.
        sweep_minutes: minutes after which executions go on whose function has died, or whose
            wake-up was lost, at the latest.
        vars: values of the project's variables in this stack.
        env: values of the environment variables that workflows may read.
        functions: what differs, by slug.
    """

    production: bool = False
    alarm_email: str | None = None
    alarm_webhook: str | None = None
    log_retention_days: int = 30
    log_level: str | None = None
    hold_alias: bool = False
    throttle: Throttle = Throttle()
    domain: Domain | None = None
    budget: float | None = None
    sweep_minutes: int = 1
    vars: Mapping[str, Any] = field(default_factory=dict[str, Any])
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    functions: Mapping[str, Override] = field(default_factory=dict[str, Override])

    @classmethod
    def read(cls, config: pulumi.Config) -> Settings:
        """The settings of the stack that is being deployed.

        Raises:
            RunError: one of them cannot be meant so.
        """
        overrides = _object(config, "functions")
        return cls(
            production=config.get_bool("production") or False,
            alarm_email=config.get("alarmEmail"),
            alarm_webhook=config.get("alarmWebhook"),
            log_retention_days=config.get_int("logRetentionDays") or 30,
            log_level=config.get("logLevel"),
            hold_alias=config.get_bool("holdAlias") or False,
            throttle=_made(Throttle, _object(config, "throttle"), "throttle"),
            domain=_optional(Domain, _object(config, "domain"), "domain"),
            budget=config.get_float("budget"),
            sweep_minutes=_minutes(config, "sweepMinutes"),
            vars=_object(config, "vars"),
            env={name: str(value) for name, value in _object(config, "env").items()},
            functions={slug: _override(slug, value) for slug, value in overrides.items()},
        )

    def applied(self, function: Function) -> Function:
        """A function as this stack wants it."""
        override = self.functions.get(function.slug, Override())
        concurrency = function.concurrency if override.concurrency is None else override.concurrency
        return replace(
            function,
            memory=override.memory or function.memory,
            concurrency=None if override.shared else concurrency,
        )

    def check(self, slugs: Collection[str]) -> None:
        """Raises `RunError` if something is set for a workflow that there is none of."""
        unknown = sorted(self.functions.keys() - set(slugs))
        if unknown:
            known = ", ".join(sorted(slugs))
            raise pulumi.RunError(
                f"functions.{unknown[0]}: there is no such workflow; there are {known}"
            )


def _minutes(config: pulumi.Config, name: str) -> int:
    minutes = config.get_int(name)
    if minutes is not None and minutes < 1:
        raise pulumi.RunError(f"{name} must be at least 1")
    return minutes or 1


def _object(config: pulumi.Config, name: str) -> dict[str, Any]:
    value: Any = config.get_object(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise pulumi.RunError(f"{name} must have keys of its own, such as {name}.NAME")
    return cast("dict[str, Any]", value)


def _override(slug: str, value: Any) -> Override:
    name = f"functions.{slug}"
    if not isinstance(value, dict):
        raise pulumi.RunError(f"{name} must have keys of its own, such as {name}.memory")
    given = cast("dict[str, Any]", value)
    provisioned = _optional(Provisioned, given.get("provisioned") or {}, f"{name}.provisioned")
    return _made(Override, {**given, "provisioned": provisioned}, name)


def _optional(kind: type[T], given: Mapping[str, Any], name: str) -> T | None:
    return _made(kind, given, name) if given else None


def _made(kind: type[T], given: Mapping[str, Any], name: str) -> T:
    known = [each.name for each in fields(cast("Any", kind))]
    unknown = sorted(given.keys() - set(known))
    if unknown:
        raise pulumi.RunError(f"{name}.{unknown[0]} is unknown; there are {', '.join(known)}")
    try:
        return kind(**given)
    except TypeError as error:
        raise pulumi.RunError(f"{name}: {error}") from None
