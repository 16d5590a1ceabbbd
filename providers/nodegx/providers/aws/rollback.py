"""Back to an earlier version, in seconds: only the aliases change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from nodegx.providers.errors import ProviderError

from . import versions
from .deployment import THREADS, Deployment, LiveFunction
from .journal import Entry, Journal


@dataclass(frozen=True, slots=True)
class Move:
    """An alias that goes from one version to another."""

    slug: str
    function: str
    before: str
    version: str


def plan_rollback(
    deployment: Deployment, journal: Journal, wanted: str | None, slug: str | None
) -> list[Move]:
    """The aliases that have to move.

    Args:
        deployment: the deployment.
        journal: its deployments so far.
        wanted: with a workflow, the number of a version; else that of a deployment. None goes one
            back.
        slug: of the only workflow to go back; None means all of them.

    Raises:
        ProviderError: there is nothing to go back to.
    """
    if slug is not None:
        return _one(deployment, slug, wanted)
    entry = _target(journal, wanted)
    current = deployment.functions(entry.versions)
    moves: list[Move] = []
    for slug, live in current.items():
        version = entry.versions.get(slug)
        before = versions.traffic(deployment.cloud, live.name)
        if version is not None and (version != before.version or before.others):
            moves.append(Move(slug, live.name, before.version, version))
    return moves


def move(
    deployment: Deployment, moves: list[Move], *, done: Callable[[Move], None] = lambda move: None
) -> None:
    """Moves aliases, all at once.

    Raises:
        ProviderError: one of the versions is gone.
    """

    def one(each: Move) -> None:
        versions.send(deployment.cloud, each.function, each.version, {})
        done(each)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, moves))


def current_versions(deployment: Deployment, slugs: Iterable[str]) -> dict[str, str]:
    """What the aliases of some functions point to, by slug."""
    live = deployment.functions(slugs)

    def version(each: LiveFunction) -> str:
        return versions.traffic(deployment.cloud, each.name).version

    with ThreadPoolExecutor(THREADS) as pool:
        return dict(zip(live, pool.map(version, live.values()), strict=True))


def revisions(journal: Journal, current: Mapping[str, str]) -> dict[str, str]:
    """Hashes of the workflows of some versions, as far as the journal knows them."""
    found: dict[str, str] = {}
    for entry in reversed(journal.entries):
        for slug, version in entry.versions.items():
            known = slug in found or slug not in entry.revisions
            if not known and current.get(slug) == version:
                found[slug] = entry.revisions[slug]
    return found


def _one(deployment: Deployment, slug: str, wanted: str | None) -> list[Move]:
    name = deployment.function(slug).name
    listed = versions.versions(deployment.cloud, name)
    now = versions.traffic(deployment.cloud, name)
    if wanted is None:
        older = [each.number for each in listed if int(each.number) < int(now.version)]
        if not older and not now.others:
            raise ProviderError(
                f"{slug} has no version before {now.version}", "`nodegx versions` lists them"
            )
        # Half a canary: the version from before has most of the traffic still.
        wanted = now.version if now.others else older[0]
    elif wanted not in {each.number for each in listed}:
        shown = ", ".join(each.number for each in listed[:8])
        raise ProviderError(f"{slug} has no version {wanted}", f"there are {shown}", "not found")
    if wanted == now.version and not now.others:
        return []
    return [Move(slug, name, now.version, wanted)]


def _target(journal: Journal, wanted: str | None) -> Entry:
    if wanted is not None:
        if not wanted.isdecimal():
            raise ProviderError(f"{wanted!r} is not the number of a deployment", kind="usage")
        return journal.entry(int(wanted))
    last = journal.last
    earlier = [e for e in journal.entries[:-1] if last is not None and e.versions != last.versions]
    # After a rollback, one back is from what is in place, not from what was undone.
    if last is not None and last.kind == "rollback":
        original = next((e for e in journal.entries if e.versions == last.versions), last)
        earlier = [e for e in earlier if e.number < original.number]
    if not earlier:
        raise ProviderError(
            "there is no deployment to go back to",
            "`nodegx rollback VERSION --workflow NAME` takes one workflow back",
            "not found",
        )
    return earlier[-1]
