from __future__ import annotations

import json

import pytest
from nodegx.providers.aws import limits, publish
from nodegx.providers.aws.deploy import Deployer, Traffic
from nodegx.providers.aws.journal import read_journal
from nodegx.providers.aws.review import check_code_only, review
from nodegx.providers.aws.versions import versions
from nodegx.providers.errors import ProviderError

from tests.providers.conftest import Deploy
from tests.support.by_hand import ByHand
from tests.support.listening import Heard
from tests.support.projects import manual, write_project

pytestmark = pytest.mark.slow


@pytest.fixture
def shop(by_hand: Deploy) -> ByHand:
    return by_hand(manual("One"), manual("Two"))


def change(shop: ByHand, *workflows: dict[str, object]) -> None:
    name = json.loads((shop.root / "nodegx.json").read_text())["name"]
    write_project(shop.root, *workflows, name=name)
    shop.prepare()


def deployer(shop: ByHand, heard: Heard | None = None, **traffic: float) -> Deployer:
    return Deployer(shop.deployment, shop.prepared, Traffic(**traffic), heard or Heard())


def deploy_code(shop: ByHand, *slugs: str) -> Heard:
    heard = Heard()
    found = review(shop.deployment, shop.prepared)
    deployer(shop, heard).code(found, slugs or ("one", "two"))
    return heard


def test_nothing_is_outdated_after_a_deployment(shop: ByHand) -> None:
    found = publish.outdated(shop.deployment, shop.prepared.bundles.values())
    assert found == {"one": False, "two": False}


def test_only_what_has_changed_is_published(shop: ByHand) -> None:
    change(shop, manual("Two", value=2))
    heard = deploy_code(shop)
    assert [each.slug for each in heard.versions] == ["two"]
    assert shop.alias("two") == ("2", {})
    assert shop.alias("one") == ("1", {})
    again = deploy_code(shop)
    assert again.versions == []


def test_the_code_is_what_was_bundled(shop: ByHand) -> None:
    change(shop, manual("Two", value=2))
    deploy_code(shop)
    bundle = shop.prepared.bundles["two"]
    latest = versions(shop.deployment.cloud, shop.deployment.names.function("two"))[0]
    assert latest.sha256 == bundle.code_sha256
    assert latest.revision == shop.prepared.manifests["two"].revision
    assert latest.share == 1
    assert latest.size == bundle.zipped


def test_settings_stay_as_they_are(shop: ByHand) -> None:
    name = shop.deployment.names.function("two")
    before = shop.client("lambda").get_function_configuration(FunctionName=name)
    change(shop, manual("Two", value=2))
    deploy_code(shop)
    after = shop.client("lambda").get_function_configuration(FunctionName=name)
    for key in ("Timeout", "MemorySize", "Role", "Architectures", "Handler", "Runtime"):
        assert before[key] == after[key]
    changed = {"NODEGX_REVISION"}
    assert {
        key: value for key, value in after["Environment"]["Variables"].items() if key not in changed
    } == {
        key: value
        for key, value in before["Environment"]["Variables"].items()
        if key not in changed
    }


def test_large_code_goes_through_the_bucket(shop: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    change(shop, manual("Two", value=2))
    monkeypatch.setattr(limits, "DIRECT", 1000)
    shop.prepare()
    deploy_code(shop)
    assert shop.alias("two") == ("2", {})
    bucket = shop.deployment.place.data_bucket_name
    stored = shop.client("s3").get_object(Bucket=bucket, Key="bundles/two.zip")["Body"].read()
    assert stored == shop.prepared.bundles["two"].path.read_bytes()


def test_more_than_code_needs_the_whole_deployment(shop: ByHand) -> None:
    deploy_code(shop)  # notes nothing, as nothing has changed
    found = review(shop.deployment, shop.prepared)
    heard = Heard()
    deployer(shop, heard)._note("deploy", found)
    change(shop, manual("Two", value=2, memory=1024))
    found = review(shop.deployment, shop.prepared)
    with pytest.raises(ProviderError) as caught:
        check_code_only(found, ["one", "two"])
    assert "memory 256 MiB → 1024 MiB" in caught.value.message
    assert caught.value.kind == "usage"
    assert check_code_only(found, ["one"]) == []


def test_new_workflows_need_the_whole_deployment(shop: ByHand) -> None:
    change(shop, manual("Three"))
    with pytest.raises(ProviderError, match="Three is not deployed"):
        check_code_only(review(shop.deployment, shop.prepared), ["three"])


def test_deployments_of_code_are_noted(shop: ByHand) -> None:
    change(shop, manual("Two", value=2))
    deploy_code(shop)
    bucket = shop.deployment.place.data_bucket_name
    entry = read_journal(shop.deployment.cloud, bucket).last
    assert entry is not None
    assert (entry.number, entry.kind) == (1, "code")
    assert entry.versions == {"one": "1", "two": "2"}
    assert entry.revisions["two"] == shop.prepared.manifests["two"].revision
    assert entry.caller == shop.deployment.cloud.caller


def test_a_journal_that_cannot_be_written_undoes_nothing(shop: ByHand) -> None:
    change(shop, manual("Two", value=2))
    found = review(shop.deployment, shop.prepared)
    bucket = shop.deployment.place.data_bucket_name
    heard = Heard()
    shop.client("s3").delete_bucket(Bucket=bucket)
    result = deployer(shop, heard).code(found, ["two"])
    assert result.ok
    assert shop.alias("two") == ("2", {})
    assert any("could not be noted down" in text for text in heard.said)
