"""Executions of a deployment, and how operators have them go on. Lambda is played, as moto needs
Docker to run a function; the end-to-end test of durable deployments has real ones."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from nodegx.providers.aws.runs import Wake, open_runs
from nodegx.providers.errors import ProviderError
from nodegx.runtime.durable.dynamodb import DynamoRuns
from nodegx.runtime.durable.state import RunState, RunStatus, Wait
from nodegx.runtime.durable.store import RunQuery, Suspend
from nodegx.runtime.history.dynamodb_table import table_definition

from tests.providers.conftest import Deploy
from tests.support.by_hand import ByHand
from tests.support.moto import moto_server
from tests.support.played_aws import PlayedAws, played_aws
from tests.support.projects import chain, manual, node

pytestmark = pytest.mark.slow

PAUSING = chain(
    "Pausing", node("start", "trigger.manual"), node("pause", "logic.wait", duration="2d")
)
VERSION = "arn:aws:lambda:eu-central-1:123456789012:function:pausing:3"


@pytest.fixture
def played() -> Iterator[PlayedAws]:
    with played_aws() as services:
        yield services


@pytest.fixture
def shop(by_hand: Deploy, played: PlayedAws, monkeypatch: pytest.MonkeyPatch) -> ByHand:
    made = by_hand(PAUSING, manual("Plain"))
    moto_server().client("dynamodb").call(
        "CreateTable", table_definition(made.deployment.names.history)
    )
    made.client("lambda")  # moto's; those that are made from now on lead to the other one
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", played.url)
    return made


@pytest.fixture
def runs(shop: ByHand) -> Iterator[DynamoRuns]:
    store = open_runs(shop.deployment)
    yield store
    store.close()


def state(workflow: str, **fields: Any) -> RunState:
    values: dict[str, Any] = {
        "id": "01X",
        "workflow": workflow,
        "revision": "r1",
        "trigger": "start",
        "trigger_type": "trigger.manual",
        "input": '{"n":1}',
        "started": time.time(),
        **fields,
    }
    return RunState(**values)


def waiting(runs: DynamoRuns, *, target: str | None = VERSION, **fields: Any) -> RunState:
    """An execution that waits, begun by a version."""
    functions = open_like(runs, target)
    functions.create([state("Pausing", status=RunStatus.RUNNING, owner="f", fence=1, **fields)])
    assert functions.change([Suspend("01X", 1, (Wait("pause!answer", "time", 5.0),))]) == [True]
    kept = runs.load("01X")
    assert kept is not None
    return kept.state


def open_like(runs: DynamoRuns, target: str | None) -> DynamoRuns:
    cloud = moto_server()
    return DynamoRuns(runs.table, dynamodb=cloud.client("dynamodb"), host="f", target=target)


def test_what_waits_goes_on_with_the_version_it_began_on(
    shop: ByHand, runs: DynamoRuns, played: PlayedAws
) -> None:
    Wake(shop.deployment, runs)(waiting(runs))
    [invocation] = played.invoked
    payload = {"nodegx": {"resume": {"execution": "01X"}}}
    assert invocation == (VERSION, payload, False)


def test_a_version_that_is_gone_is_an_error(
    shop: ByHand, runs: DynamoRuns, played: PlayedAws
) -> None:
    played.gone = {VERSION}
    with pytest.raises(ProviderError, match="the version that 01X began on is gone") as caught:
        Wake(shop.deployment, runs)(waiting(runs))
    assert "nodegx executions migrate" in (caught.value.hint or "")


def test_what_was_moved_to_other_code_needs_that_to_be_deployed(
    shop: ByHand, runs: DynamoRuns, played: PlayedAws
) -> None:
    wake = Wake(shop.deployment, runs)
    with pytest.raises(ProviderError, match="revision r1, which is not deployed"):
        wake(waiting(runs, target=None))
    deployed = shop.prepared.manifests["pausing"].revision
    taken = runs.claim_one("01X", statuses=[RunStatus.WAITING])
    assert taken is not None
    moved = replace(taken, status=RunStatus.WAITING, owner=None, revision=deployed)
    assert runs.update(moved)
    wake(moved)
    [invocation] = played.invoked
    assert invocation.target == f"{shop.deployment.place.function('pausing')}:live"


def test_what_is_queued_begins_with_the_latest_code(
    shop: ByHand, runs: DynamoRuns, played: PlayedAws
) -> None:
    queued = state("Pausing")
    runs.create([queued])
    Wake(shop.deployment, runs)(queued)
    [invocation] = played.invoked
    assert invocation.target.endswith(":live")
    assert len(runs.list(RunQuery())) == 1  # the function takes it from there


def test_what_is_over_is_left_alone(shop: ByHand, runs: DynamoRuns, played: PlayedAws) -> None:
    Wake(shop.deployment, runs)(state("Pausing"))
    assert played.invoked == []


def test_workflows_that_are_not_durable_are_started_with_their_input(
    shop: ByHand, runs: DynamoRuns, played: PlayedAws
) -> None:
    queued = state("Plain", durable=False, input='{"at":{"$":["date","2026-11-28"]}}')
    runs.create([queued])
    Wake(shop.deployment, runs)(queued)
    [invocation] = played.invoked
    call = {"execution": "01X", "parent": None, "depth": 0}
    assert invocation.payload == {
        "nodegx": {"trigger": "start", "call": call},
        "input": {"at": "2026-11-28"},
    }
    assert runs.list(RunQuery()) == []


@pytest.mark.parametrize("input", ['{"$":["secret","KEY"]}', "{"])
def test_an_input_that_cannot_be_had_is_asked_for(
    shop: ByHand, runs: DynamoRuns, played: PlayedAws, input: str
) -> None:
    queued = state("Plain", durable=False, input=input)
    runs.create([queued])
    with pytest.raises(ProviderError, match="01X cannot be started again") as caught:
        Wake(shop.deployment, runs)(queued)
    assert "--edit-input" in (caught.value.hint or "")
    [left] = runs.list(RunQuery())
    assert (left.status, left.owner) == (RunStatus.QUEUED, None)


def test_what_nobody_could_start_stays_queued(
    shop: ByHand, runs: DynamoRuns, played: PlayedAws
) -> None:
    queued = state("Plain", durable=False)
    runs.create([queued])
    played.broken = True
    with pytest.raises(Exception, match="no"):
        Wake(shop.deployment, runs)(queued)
    [left] = runs.list(RunQuery())
    assert left.status is RunStatus.QUEUED


def test_workflows_that_nobody_knows(shop: ByHand, runs: DynamoRuns) -> None:
    wake = Wake(shop.deployment, runs)
    with pytest.raises(ProviderError, match="the plan has no workflow /Gone"):
        wake(state("/Gone"))
    (shop.deployment.home / "plan.json").unlink()
    with pytest.raises(ProviderError, match="the project has no plan"):
        Wake(shop.deployment, runs)(state("Pausing"))
