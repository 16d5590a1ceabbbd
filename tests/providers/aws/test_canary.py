from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from nodegx.providers.aws import canary as module
from nodegx.providers.aws.canary import Canary, alarm_names
from nodegx.providers.aws.deploy import Deployer, Traffic
from nodegx.providers.aws.publish import Published, publish
from nodegx.providers.aws.review import review

from tests.providers.conftest import Deploy
from tests.support.by_hand import ByHand
from tests.support.listening import Heard
from tests.support.projects import manual, write_project

pytestmark = pytest.mark.slow


@pytest.fixture
def shop(by_hand: Deploy) -> ByHand:
    """Two workflows, of which one has new code that is not deployed."""
    made = by_hand(manual("One"), manual("Two"))
    write_project(made.root, manual("Two", value=2), name=made.deployment.project.name)
    made.prepare()
    return made


@pytest.fixture
def published(shop: ByHand) -> list[Published]:
    """The new code as a version without traffic."""
    return publish(shop.deployment, [shop.prepared.bundles["two"]], {})


@pytest.fixture
def canary(shop: ByHand, published: list[Published]) -> Canary:
    names = alarm_names(
        shop.deployment, [f for f in shop.prepared.plan.functions if f.slug == "two"]
    )
    return Canary(shop.deployment.cloud, published, 0.1, names)


def count(shop: ByHand, version: str, invocations: int, errors: int) -> None:
    """Lets a version have been invoked, as Lambda would report it."""
    function = shop.deployment.names.function("two")
    shop.client("cloudwatch").put_metric_data(
        Namespace="AWS/Lambda",
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": module._dimensions(function, version),
                "Timestamp": datetime.now(UTC),
                "Value": value,
            }
            for name, value in (("Invocations", invocations), ("Errors", errors))
        ],
    )


def test_alarms_that_tell_something_soon(canary: Canary, shop: ByHand) -> None:
    names = shop.deployment.names
    expected = {
        names.alarm("two", kind) for kind in ("errors", "failures", "throttles", "duration")
    }
    assert set(canary.alarms["two"]) == expected


def test_a_share_of_the_traffic(shop: ByHand, canary: Canary) -> None:
    canary.start()
    assert shop.alias("two") == ("1", {"2": 0.1})
    assert shop.alias("one") == ("1", {})
    canary.promote()
    assert shop.alias("two") == ("2", {})


def test_back_to_the_version_before(shop: ByHand, canary: Canary) -> None:
    canary.start()
    canary.withdraw()
    assert shop.alias("two") == ("1", {})


def test_all_is_well(shop: ByHand, canary: Canary) -> None:
    shop.alarm("two", "errors", "OK")
    canary.start()
    count(shop, "2", invocations=10, errors=0)
    look = canary.look()
    assert look.troubles == ()
    assert (look.invocations, look.errors) == (10, 0)


def test_an_alarm_goes_on(shop: ByHand, canary: Canary) -> None:
    shop.alarm("two", "errors", "OK")
    canary.start()
    name = shop.alarm("two", "errors", "ALARM")
    (trouble,) = canary.look().troubles
    assert trouble.slug == "two"
    assert name in trouble.text


def test_an_alarm_that_was_on_before_says_nothing(shop: ByHand, canary: Canary) -> None:
    name = shop.alarm("two", "duration", "ALARM")
    assert canary.start() == {name}
    assert canary.look().troubles == ()


def test_alarms_of_other_workflows_say_nothing(shop: ByHand, canary: Canary) -> None:
    canary.start()
    shop.alarm("one", "errors", "ALARM")
    assert canary.look().troubles == ()


def test_new_failures(shop: ByHand, canary: Canary) -> None:
    canary.start()
    count(shop, "1", invocations=90, errors=0)
    count(shop, "2", invocations=10, errors=3)
    (trouble,) = canary.look().troubles
    assert "3 of 10 runs failed, 0% before" in trouble.text


def test_failures_as_usual(shop: ByHand, canary: Canary) -> None:
    canary.start()
    count(shop, "1", invocations=90, errors=27)
    count(shop, "2", invocations=10, errors=3)
    assert canary.look().troubles == ()


def test_the_watch_ends_in_time(canary: Canary) -> None:
    canary.start()
    slept: list[float] = []
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        canary._begun -= seconds  # as if it had passed

    look = canary.watch(25, seen=lambda look: looks.append(look.seconds), sleep=sleep)
    assert look.troubles == ()
    assert look.seconds >= 25
    assert [round(each) for each in slept] == [10, 10, 5]
    assert len(looks) == 4


# ------------------------------------------------------------------------------- as a deployment


def run(shop: ByHand, heard: Heard, watch: float = 0) -> bool:
    found = review(shop.deployment, shop.prepared)
    deployer = Deployer(shop.deployment, shop.prepared, Traffic(0.25, watch), heard)
    return deployer.code(found, ["one", "two"]).ok


def test_a_good_version_is_promoted(shop: ByHand) -> None:
    heard = Heard()
    assert run(shop, heard)
    assert shop.alias("two") == ("2", {})
    assert "25% of the traffic goes to the new versions of two" in heard.said
    assert heard.said[-1] == "all traffic goes to the new versions"


def test_a_bad_version_is_taken_back(shop: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    start = Canary.start

    def start_and_fail(self: Canary) -> frozenset[str]:
        found = start(self)
        assert shop.alias("two") == ("1", {"2": 0.25})
        shop.alarm("two", "errors", "ALARM")
        return found

    monkeypatch.setattr(Canary, "start", start_and_fail)
    assert not run(shop, heard, watch=60)
    assert shop.alias("two") == ("1", {})
    assert heard.said[-1] == "all traffic goes to the versions from before"
    assert heard.looks[-1].troubles


def test_ctrl_c_takes_it_back(shop: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupted)
    monkeypatch.setattr(
        Canary.watch, "__kwdefaults__", {**Canary.watch.__kwdefaults__, "sleep": interrupted}
    )
    with pytest.raises(KeyboardInterrupt):
        run(shop, Heard(), watch=60)
    assert shop.alias("two") == ("1", {})
