"""Deployments: new resources or new code, the traffic that goes to it, and the note of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from nodegx.providers.errors import ProviderError

from . import operations, preflight, versions
from .canary import Canary, Look, Trouble, alarm_names
from .deployment import Deployment
from .engine import Engine
from .journal import read_journal, write_journal
from .prepare import Prepared
from .publish import Published, publish
from .review import Review, check_code_only
from .rollback import current_versions
from .steps import Message, Outcome, Step


class Listener(Protocol):
    """Whoever wants to know how a deployment goes on."""

    def say(self, text: str) -> None:
        """Something that people should know."""
        ...

    def step(self, step: Step) -> None:
        """Something happens to a resource."""
        ...

    def message(self, message: Message) -> None:
        """The engine has something to say."""
        ...

    def published(self, published: Published) -> None:
        """A new version is there."""
        ...

    def look(self, look: Look) -> None:
        """What the watch over a canary has seen."""
        ...


@dataclass(frozen=True, slots=True)
class Traffic:
    """How new versions get their traffic.

    Args:
        share: from 0 to 1, that they get first; None gives them all of it at once.
        watch: seconds for which they are watched before they get all of it.
    """

    share: float | None = None
    watch: float = 300.0


@dataclass(slots=True)
class Result:
    """What became of a deployment.

    Args:
        published: new versions, in a canary or without the engine.
        troubles: why they were taken back; empty if they were not.
        outcome: what happened to the resources; None if nothing could.
    """

    published: list[Published] = field(default_factory=list[Published])
    troubles: Sequence[Trouble] = ()
    outcome: Outcome | None = None

    @property
    def ok(self) -> bool:
        """Whether what was deployed stays."""
        return not self.troubles


@dataclass(slots=True)
class Deployer:
    """Deploys what is prepared.

    Args:
        deployment: where to.
        prepared: program and bundles.
        traffic: how new versions get it.
        listener: told how it goes on.
    """

    deployment: Deployment
    prepared: Prepared
    traffic: Traffic
    listener: Listener

    def code(self, found: Review, slugs: Sequence[str]) -> Result:
        """Publishes new code of functions that exist.

        Args:
            found: what has changed.
            slugs: of the workflows that may change.

        Raises:
            ProviderError: more than code has changed, or AWS refuses.
        """
        changed = check_code_only(found, slugs)
        bundles = [self.prepared.bundles[slug] for slug in changed]
        preflight.check_bundles(self.deployment, bundles)
        if not bundles:
            return Result()
        published = publish(
            self.deployment, bundles, self._revisions(), done=self.listener.published
        )
        troubles = self._send(published)
        if not troubles:
            self._note("code")
        return Result(published, troubles)

    def everything(
        self, engine: Engine, found: Review, *, refresh: bool = False, unlock: bool = False
    ) -> Result:
        """Brings all resources to where they shall be.

        Args:
            engine: brings them there.
            found: what has changed.
            refresh: looks at the cloud first.
            unlock: takes over from whoever holds the stack.

        Raises:
            ProviderError: something failed; what was done before stays done.
            KeyboardInterrupt: it was stopped.
        """
        with_canary = self.traffic.share is not None
        before = self._versions() if with_canary else {}
        outcome = operations.run(
            engine,
            "up",
            self.deployment.stack,
            unlock=unlock,
            taking_over=lambda: self.listener.say("taking over from a deployment that was cut off"),
            on_step=self.listener.step,
            on_message=self.listener.message,
            refresh=refresh,
            config=operations.hold_alias(self.deployment) if with_canary else {},
        )
        if not with_canary:
            self._go_forward(outcome)
        published = self._held_back(before, outcome)
        troubles = self._send(published)
        if published:
            self._tell(engine)
        if not troubles:
            self._note("canary" if published else "deploy", found)
        return Result(published, troubles, outcome)

    # --- traffic -------------------------------------------------------------------------------

    def _held_back(self, before: Mapping[str, str], outcome: Outcome) -> list[Published]:
        """New versions of functions that have traffic, which they do not take yet."""
        latest: dict[str, Any] = outcome.outputs.get("versions") or {}
        revisions = self._revisions()
        return [
            Published(
                slug,
                self.deployment.names.function(slug),
                version,
                str(latest[slug]),
                revisions.get(slug, ""),
            )
            for slug, version in before.items()
            if slug in latest and str(latest[slug]) != version
        ]

    def _send(self, published: Sequence[Published]) -> Sequence[Trouble]:
        """Gives new versions their traffic; the troubles because of which they lost it again."""
        if not published:
            return ()
        if self.traffic.share is not None:
            return self._canary(published, self.traffic.share)
        for each in published:
            versions.send(self.deployment.cloud, each.function, each.version, {})
        return ()

    def _go_forward(self, outcome: Outcome) -> None:
        """Sends all traffic to what was deployed. The engine does so where it changes an alias; it
        does not see that one was taken back, or was left by a canary that was cut off."""
        latest: dict[str, Any] = outcome.outputs.get("versions") or {}
        for live in self.deployment.functions(self.prepared.bundles).values():
            now = versions.traffic(self.deployment.cloud, live.name)
            version = str(latest.get(live.slug, now.version))
            if now.others:
                text = f"a canary of {live.slug} was cut off: version {version} has all traffic"
            elif now.version != version:
                text = f"{live.slug} goes forward from version {now.version} to {version}"
            else:
                continue
            versions.send(self.deployment.cloud, live.name, version, {})
            self.listener.say(text)

    def _canary(self, published: Sequence[Published], share: float) -> Sequence[Trouble]:
        slugs = {each.slug for each in published}
        functions = [each for each in self.prepared.plan.functions if each.slug in slugs]
        names = alarm_names(self.deployment, functions)
        canary = Canary(self.deployment.cloud, published, share, names)
        try:
            for name in sorted(canary.start()):
                self.listener.say(f"the alarm {name} was on before and says nothing of this")
            self.listener.say(
                f"{share:.0%} of the traffic goes to the new versions of {', '.join(sorted(slugs))}"
            )
            look = canary.watch(self.traffic.watch, seen=self.listener.look)
        except BaseException:
            canary.withdraw()
            self.listener.say("all traffic goes to the versions from before")
            raise
        if look.troubles:
            canary.withdraw()
            self.listener.say("all traffic goes to the versions from before")
        else:
            canary.promote()
            self.listener.say("all traffic goes to the new versions")
        return look.troubles

    def _tell(self, engine: Engine) -> None:
        """Lets the engine know where aliases point that were moved by us."""
        stack = self.deployment.stack
        urns = [
            str(each["urn"])
            for each in engine.resources(stack)
            if each.get("type") == "aws:lambda/alias:Alias"
        ]
        operations.run(engine, "refresh", stack, targets=urns)

    # --- the record ----------------------------------------------------------------------------

    def _note(self, kind: str, found: Review | None = None) -> None:
        """Writes the deployment into the journal, if anything has changed by it. It has been done
        by then, whether that succeeds or not."""
        try:
            self._write_note(kind, found)
        except ProviderError as error:
            self.listener.say(f"the deployment could not be noted down: {error.message}")

    def _write_note(self, kind: str, found: Review | None) -> None:
        deployment = self.deployment
        bucket = deployment.place.data_bucket_name
        journal = read_journal(deployment.cloud, bucket)
        current = self._versions()
        last, plan = journal.last, journal.plan
        if found is not None:
            journal.plan = found.plan
        if last is None or last.versions != current:
            journal.add(kind, deployment.cloud.caller, current, self._revisions())
        elif plan == journal.plan:
            return
        write_journal(deployment.cloud, bucket, journal)

    def _versions(self) -> dict[str, str]:
        return current_versions(self.deployment, self.prepared.bundles)

    def _revisions(self) -> dict[str, str]:
        return {slug: each.revision for slug, each in self.prepared.manifests.items()}


def roll_back(
    deployment: Deployment, wanted: str | None, slug: str | None, listener: Listener
) -> list[Published]:
    """Sends the traffic back to earlier versions; see `rollback.plan_rollback`.

    Returns:
        The versions that have the traffic now, with those from before.

    Raises:
        ProviderError: there is nothing to go back to.
    """
    from . import rollback

    bucket = deployment.place.data_bucket_name
    journal = read_journal(deployment.cloud, bucket)
    moves = rollback.plan_rollback(deployment, journal, wanted, slug)
    found = [Published(m.slug, m.function, m.before, m.version, "") for m in moves]
    by_slug = {each.slug: each for each in found}
    rollback.move(deployment, moves, done=lambda move: listener.published(by_slug[move.slug]))
    if moves and journal.last is not None:
        current = current_versions(deployment, journal.last.versions)
        known = rollback.revisions(journal, current)
        journal.add("rollback", deployment.cloud.caller, current, known)
        write_journal(deployment.cloud, bucket, journal)
    return found
