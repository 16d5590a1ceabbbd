from __future__ import annotations

import pytest
from nodegx.providers.aws import versions
from nodegx.providers.aws.deploy import Deployer, Traffic, roll_back
from nodegx.providers.aws.journal import Journal, read_journal, write_journal
from nodegx.providers.aws.review import review
from nodegx.providers.errors import ProviderError

from tests.providers.conftest import Deploy
from tests.support.by_hand import ByHand
from tests.support.listening import Heard
from tests.support.projects import manual, write_project

pytestmark = pytest.mark.slow


@pytest.fixture
def shop(by_hand: Deploy) -> ByHand:
    """Two workflows after three deployments: both, the second alone, both."""
    made = by_hand(manual("One"), manual("Two"))
    deployer = Deployer(made.deployment, made.prepared, Traffic(), Heard())
    deployer._note("deploy", review(made.deployment, made.prepared))
    for one, two in ((1, 2), (2, 3)):
        name = made.deployment.project.name
        write_project(made.root, manual("One", value=one), manual("Two", value=two), name=name)
        made.prepare()
        found = review(made.deployment, made.prepared)
        Deployer(made.deployment, made.prepared, Traffic(), Heard()).code(found, ["one", "two"])
    assert state(made) == {"one": "2", "two": "3"}
    return made


def state(shop: ByHand) -> dict[str, str]:
    return {slug: shop.alias(slug)[0] for slug in ("one", "two")}


def journal(shop: ByHand) -> Journal:
    return read_journal(shop.deployment.cloud, shop.deployment.place.data_bucket_name)


def test_one_back(shop: ByHand) -> None:
    heard = Heard()
    moved = roll_back(shop.deployment, None, None, heard)
    assert state(shop) == {"one": "1", "two": "2"}
    assert {(m.slug, m.before, m.version) for m in moved} == {("one", "2", "1"), ("two", "3", "2")}
    assert {each.slug for each in heard.versions} == {"one", "two"}


def test_only_what_differs_goes_back(shop: ByHand) -> None:
    roll_back(shop.deployment, None, None, Heard())
    moved = roll_back(shop.deployment, None, None, Heard())
    assert [m.slug for m in moved] == ["two"]
    assert state(shop) == {"one": "1", "two": "1"}


def test_to_a_deployment(shop: ByHand) -> None:
    roll_back(shop.deployment, "1", None, Heard())
    assert state(shop) == {"one": "1", "two": "1"}
    roll_back(shop.deployment, "3", None, Heard())
    assert state(shop) == {"one": "2", "two": "3"}


def test_rollbacks_are_noted(shop: ByHand) -> None:
    roll_back(shop.deployment, "2", None, Heard())
    found = journal(shop)
    assert [entry.kind for entry in found.entries] == ["deploy", "code", "code", "rollback"]
    assert found.entries[-1].versions == {"one": "1", "two": "2"}
    assert found.entries[-1].revisions == found.entries[1].revisions


def test_there_already(shop: ByHand) -> None:
    assert roll_back(shop.deployment, "3", None, Heard()) == []
    assert len(journal(shop).entries) == 3


def test_one_workflow_one_back(shop: ByHand) -> None:
    roll_back(shop.deployment, None, "two", Heard())
    assert state(shop) == {"one": "2", "two": "2"}


def test_one_workflow_to_a_version(shop: ByHand) -> None:
    roll_back(shop.deployment, "1", "two", Heard())
    assert state(shop) == {"one": "2", "two": "1"}
    assert roll_back(shop.deployment, "1", "two", Heard()) == []


def test_out_of_a_canary(shop: ByHand) -> None:
    name = shop.deployment.names.function("two")
    versions.send(shop.deployment.cloud, name, "2", {"3": 0.5})
    roll_back(shop.deployment, None, "two", Heard())
    assert shop.alias("two") == ("2", {})


def test_nothing_to_go_back_to(shop: ByHand) -> None:
    roll_back(shop.deployment, "1", None, Heard())
    with pytest.raises(ProviderError, match="no version before 1"):
        roll_back(shop.deployment, None, "two", Heard())
    with pytest.raises(ProviderError, match="no deployment to go back to"):
        roll_back(shop.deployment, None, None, Heard())


@pytest.mark.parametrize(
    ("wanted", "slug", "message"),
    [
        ("9", None, "no deployment 9"),
        ("9", "two", "no version 9"),
        ("latest", None, "not the number"),
        (None, "three", "three is not deployed"),
    ],
)
def test_wrong_wishes(shop: ByHand, wanted: str | None, slug: str | None, message: str) -> None:
    with pytest.raises(ProviderError, match=message) as caught:
        roll_back(shop.deployment, wanted, slug, Heard())
    assert caught.value.kind in ("usage", "not found")
    assert state(shop) == {"one": "2", "two": "3"}


def test_versions_of_a_function(shop: ByHand) -> None:
    name = shop.deployment.names.function("two")
    versions.send(shop.deployment.cloud, name, "2", {"3": 0.25})
    found = versions.versions(shop.deployment.cloud, name)
    assert [(each.number, each.share) for each in found] == [("3", 0.25), ("2", 0.75), ("1", 0.0)]
    assert all(each.revision and each.size and each.published > 1e9 for each in found)


def test_functions_without_alias(shop: ByHand) -> None:
    name = shop.deployment.names.function("two")
    shop.client("lambda").delete_alias(FunctionName=name, Name="live")
    with pytest.raises(ProviderError, match="no alias live"):
        versions.traffic(shop.deployment.cloud, name)
    assert versions.code_of(shop.deployment.cloud, name) is None


# -------------------------------------------------------------------------------------- journal


def test_an_empty_journal(shop: ByHand) -> None:
    cloud = shop.deployment.cloud
    assert read_journal(cloud, "nodegx-has-no-such-bucket").entries == []
    shop.client("s3").delete_object(
        Bucket=shop.deployment.place.data_bucket_name, Key="deployments/journal.json"
    )
    assert journal(shop).plan is None


def test_a_damaged_journal(shop: ByHand) -> None:
    bucket = shop.deployment.place.data_bucket_name
    key = "deployments/journal.json"
    for body in (b"no JSON", b'{"deployments": [{"number": 1}]}'):
        shop.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        with pytest.raises(ProviderError, match="cannot be read"):
            journal(shop)


def test_a_journal_does_not_grow_for_ever(shop: ByHand) -> None:
    found = Journal()
    for number in range(150):
        found.add("deploy", "arn", {"one": str(number)})
    assert len(found.entries) == 100
    assert found.entries[-1].number == 150
    write_journal(shop.deployment.cloud, shop.deployment.place.data_bucket_name, found)
    assert journal(shop) == found
