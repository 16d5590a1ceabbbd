"""What a deployment would do, before it does it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nodegx.providers.errors import ProviderError
from nodegx.runtime.errors import NodegxError
from nodegx.runtime.history.metrics import HourlyMetrics

from .changes import CODE, Change, WorkflowChange, compare, plan_data, variables_changed
from .cost import MONTH, Estimate, Measured, estimate, measure
from .deployment import Deployment
from .history import open_history
from .journal import Journal, read_journal
from .prepare import Prepared
from .prices import Prices, load_prices
from .publish import outdated


@dataclass(frozen=True, slots=True)
class Review:
    """What changes.

    Args:
        workflows: what happens to each workflow.
        shared: what changes for all of them.
        plan: the plan that shall be, as its stack wants it.
        journal: the deployments so far.
        code: whether the code of a function differs from what is in place, by slug.
        is_first: whether nothing is known to be in place.
    """

    workflows: list[WorkflowChange]
    shared: list[Change]
    plan: dict[str, Any]
    journal: Journal
    code: dict[str, bool] = field(default_factory=dict[str, bool])

    @property
    def is_first(self) -> bool:
        """Whether nothing was deployed by us before."""
        return self.journal.plan is None

    @property
    def changed(self) -> list[WorkflowChange]:
        """The workflows that something happens to."""
        return [each for each in self.workflows if each.kind != "same"]

    @property
    def is_code_only(self) -> bool:
        """Whether new code is all there is."""
        return not self.shared and all(each.is_code_only for each in self.changed)


def review(deployment: Deployment, prepared: Prepared) -> Review:
    """Compares what shall be with what is in place.

    Raises:
        ProviderError: AWS cannot be asked.
    """
    journal = read_journal(deployment.cloud, deployment.place.data_bucket_name)
    code = outdated(deployment, prepared.bundles.values())
    plan = plan_data(prepared.plan, deployment.file)
    return Review(
        compare(journal.plan, plan, code),
        variables_changed(journal.plan, plan),
        plan,
        journal,
        code,
    )


def estimate_costs(
    deployment: Deployment,
    prepared: Prepared,
    requests: int | None,
    *,
    prices: Prices | None = None,
    local: list[HourlyMetrics] | None = None,
) -> Estimate:
    """Estimates the costs of a deployment, from the history in the cloud or, where that has nothing
    of a workflow, the one on this machine.

    Raises:
        ProviderError: there are no credentials.
    """
    prices = prices or load_prices(deployment.cloud.region)
    measured: dict[str, Measured] = measure(local or [], MONTH)
    measured.update(_measured(deployment))
    return estimate(prepared.plan, deployment.file, prices, measured, requests)


def local_metrics(deployment: Deployment) -> list[HourlyMetrics]:
    """What the history on this machine says of the last month."""
    from nodegx.runtime.history.sqlite import SqliteStore

    path = deployment.project.history_path
    if not path.is_file():
        return []
    store = SqliteStore(path)
    try:
        return store.metrics(since=time.time() - MONTH)
    finally:
        store.close()


def check_code_only(found: Review, slugs: Iterable[str]) -> list[str]:
    """The workflows among `slugs` whose code has changed.

    Raises:
        ProviderError: one of them is new, or more than code has changed.
    """
    by_slug = {each.slug: each for each in found.workflows}
    wanted: list[str] = []
    for slug in slugs:
        change = by_slug[slug]
        if slug not in found.code:
            raise ProviderError(
                f"{change.workflow} is not deployed yet", "deploy it without --code-only", "usage"
            )
        others = [each for each in change.changes if each != CODE]
        if others and not found.is_first:
            shown = ", ".join(f"{each.sign} {each.text}" for each in others[:3])
            raise ProviderError(
                f"more than the code of {change.workflow} has changed: {shown}",
                "deploy it without --code-only",
                "usage",
            )
        if found.code[slug]:
            wanted.append(slug)
    return wanted


def _measured(deployment: Deployment) -> Mapping[str, Measured]:
    store = open_history(deployment)
    try:
        return measure(store.metrics(since=time.time() - MONTH), MONTH)
    except NodegxError:
        return {}  # nothing is deployed yet
    finally:
        store.close()
