"""A few requests for the new version first; all of them if it does well, none if it does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from nodegx.compiler.targets.aws.names import ALIAS
from nodegx.providers.errors import ProviderError

from . import versions
from .cloud import Cloud, translated
from .publish import Published

POLL = 10.0
"""Seconds between two looks."""
TOLERATED = 0.01
"""How much larger a share of failures may be than that of the version before."""
NAMESPACE = "AWS/Lambda"
BATCH = 100
"""Alarms that are asked for at once."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a new version is not to be trusted: the workflow's slug, and what was seen."""

    slug: str
    text: str


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one moment.

    Args:
        seconds: since the watch began.
        invocations: of the new versions.
        errors: of the new versions.
        troubles: reasons to go back; empty if all is well.
    """

    seconds: float
    invocations: int
    errors: int
    troubles: tuple[Trouble, ...] = ()


@dataclass(slots=True)
class Canary:
    """New versions that get a share of the traffic.

    Args:
        cloud: where they are.
        published: the versions.
        share: of the traffic, from 0 to 1.
        alarms: names of the alarms of each workflow, by slug.
    """

    cloud: Cloud
    published: Sequence[Published]
    share: float
    alarms: dict[str, list[str]]
    _begun: float = field(default=0.0, init=False)
    _loud: frozenset[str] = field(default=frozenset[str](), init=False)

    def start(self) -> frozenset[str]:
        """Sends the share to the new versions.

        Returns:
            Names of the alarms that are on already; they say nothing of the new versions.
        """
        self._loud = frozenset(self._on())
        for each in self.published:
            versions.send(self.cloud, each.function, each.before, {each.version: self.share})
        self._begun = time.time()
        return self._loud

    def watch(
        self,
        seconds: float,
        *,
        seen: Callable[[Look], None] = lambda look: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Look:
        """Watches until the time is up or something is wrong; returns what was seen last."""
        while True:
            look = self.look()
            seen(look)
            left = seconds - look.seconds
            if look.troubles or left <= 0:
                return look
            sleep(min(POLL, left))

    def look(self) -> Look:
        """Looks at alarms and at the failures of the new versions."""
        on = self._on() - self._loud
        troubles = [
            Trouble(slug, f"the alarm {name} is on")
            for slug, names in self.alarms.items()
            for name in names
            if name in on
        ]
        invocations = errors = 0
        for each in self.published:
            calls, failures = self._counts(each, each.version)
            invocations += calls
            errors += failures
            if failures and calls:
                before_calls, before_failures = self._counts(each, each.before)
                usual = before_failures / before_calls if before_calls else 0.0
                if failures / calls > usual + TOLERATED:
                    text = f"{failures} of {calls} runs failed, {usual:.0%} before"
                    troubles.append(Trouble(each.slug, text))
        return Look(time.time() - self._begun, invocations, errors, tuple(troubles))

    def promote(self) -> None:
        """Sends all traffic to the new versions."""
        for each in self.published:
            versions.send(self.cloud, each.function, each.version, {})

    def withdraw(self) -> None:
        """Sends all traffic to the versions from before."""
        for each in self.published:
            versions.send(self.cloud, each.function, each.before, {})

    def _on(self) -> set[str]:
        names = [name for listed in self.alarms.values() for name in listed]
        found: set[str] = set()
        client = self.cloud.client("cloudwatch")
        for begin in range(0, len(names), BATCH):
            with translated():
                page = client.describe_alarms(
                    AlarmNames=names[begin : begin + BATCH], StateValue="ALARM", MaxRecords=BATCH
                )
            alarms: list[dict[str, str]] = page["MetricAlarms"]
            found.update(a["AlarmName"] for a in alarms if a["StateValue"] == "ALARM")
        return found

    def _counts(self, published: Published, version: str) -> tuple[int, int]:
        """Invocations and errors of a version since the watch began."""
        begin = datetime.fromtimestamp(self._begun, UTC)
        queries = [
            {
                "Id": name.lower(),
                "MetricStat": {
                    "Metric": {
                        "Namespace": NAMESPACE,
                        "MetricName": name,
                        "Dimensions": _dimensions(published.function, version),
                    },
                    "Period": 60,
                    "Stat": "Sum",
                },
            }
            for name in ("Invocations", "Errors")
        ]
        with translated():
            answer = self.cloud.client("cloudwatch").get_metric_data(
                MetricDataQueries=queries,
                StartTime=begin.replace(second=0, microsecond=0),
                EndTime=datetime.now(UTC) + timedelta(minutes=1),
            )
        sums = {each["Id"]: sum(each["Values"]) for each in answer["MetricDataResults"]}
        return int(sums.get("invocations", 0)), int(sums.get("errors", 0))


def check_share(percent: int) -> float:
    """A share from a number of percent.

    Raises:
        ProviderError: it is no share of a canary.
    """
    if not 1 <= percent <= 99:
        raise ProviderError("--canary takes 1 to 99 percent", kind="usage")
    return percent / 100


def alarm_names(deployment: Any, functions: Iterable[Any]) -> dict[str, list[str]]:
    """Names of the alarms of workflows, by slug. Those for silence and for dead letters are left
    out: they say nothing within minutes."""
    from nodegx.compiler.targets.aws.alarms import alarms

    watched = ("errors", "failures", "throttles", "duration")
    return {
        function.slug: [
            deployment.names.alarm(function.slug, alarm.kind)
            for alarm in alarms(function)
            if alarm.kind in watched
        ]
        for function in functions
    }


def _dimensions(function: str, version: str) -> list[dict[str, str]]:
    return [
        {"Name": "FunctionName", "Value": function},
        {"Name": "Resource", "Value": f"{function}:{ALIAS}"},
        {"Name": "ExecutedVersion", "Value": version},
    ]
