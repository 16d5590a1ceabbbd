from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nodegx.compiler.project import load_project
from nodegx.providers.aws import preflight
from nodegx.providers.aws.cloud import Cloud, explain, translated
from nodegx.providers.aws.deployment import Deployment
from nodegx.providers.aws.package import Bundle, Delivery, Sizes
from nodegx.providers.aws.stackfiles import StackFile
from nodegx.providers.errors import ProviderError

from tests.providers.conftest import Deploy
from tests.support.by_hand import ByHand, new_name, write_stack
from tests.support.moto import REGION
from tests.support.projects import manual, write_project

MB = 1_000_000


@pytest.fixture
def deployment(aws: None, tmp_path: Path) -> Deployment:
    root = write_project(tmp_path / "project", manual("One"), name=new_name())
    write_stack(root)
    return Deployment.of(load_project(root), None)


class FakeLambda:
    """Answers what moto does not: the limits of an account."""

    def __init__(self, concurrency: int = 1000, code: int = 75_000 * MB, used: int = 0) -> None:
        self._answer = {
            "AccountLimit": {"ConcurrentExecutions": concurrency, "TotalCodeSize": code},
            "AccountUsage": {"TotalCodeSize": used},
        }

    def get_account_settings(self) -> dict[str, Any]:
        return self._answer


def limited(deployment: Deployment, **limits: int) -> Deployment:
    deployment.cloud._clients["lambda"] = FakeLambda(**limits)
    return deployment


def bundle(tmp_path: Path, **given: Any) -> Bundle:
    sizes = Sizes(1000, 400_000, given.pop("packages", 0))
    values = {"zipped": 200_000, "delivery": Delivery.DIRECT, **given}
    path = tmp_path / ("one.zip" if values["zipped"] else "one.context")
    return Bundle("one", "/x/One", path, "00", sizes=sizes, **values)


# ---------------------------------------------------------------------------------- credentials


def test_no_credentials(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(ProviderError, match="there are no AWS credentials") as caught:
        preflight.check_credentials(deployment)
    assert "AWS_PROFILE" in caught.value.hint
    assert caught.value.kind == "environment"
    with pytest.raises(ProviderError, match="there are no AWS credentials"):
        deployment.cloud.credentials()


def refusal(code: str, message: str = "no") -> Exception:
    from botocore.exceptions import ClientError

    return ClientError({"Error": {"Code": code, "Message": message}}, "GetCallerIdentity")


def sso() -> Exception:
    from botocore.exceptions import UnauthorizedSSOTokenError

    return UnauthorizedSSOTokenError()


def unreachable() -> Exception:
    from botocore.exceptions import EndpointConnectionError

    return EndpointConnectionError(endpoint_url="https://sts.nowhere-1.amazonaws.com")


@pytest.mark.parametrize(
    ("make", "message", "hint"),
    [
        (lambda: refusal("ExpiredToken"), "have expired", "log in again"),
        (sso, "have expired", "aws sso login"),
        (lambda: refusal("InvalidClientTokenId"), "does not accept the credentials", "log in"),
        (lambda: refusal("AccessDenied", "not yours"), "lack a permission: not yours", "policy"),
        (lambda: refusal("403", "Forbidden"), "lack a permission", "policy"),
        (unreachable, "cannot be reached", "region"),
        (lambda: refusal("ServiceException", "broken\n here"), "AWS: broken here", ""),
    ],
)
def test_what_aws_refuses(make: Callable[[], Exception], message: str, hint: str) -> None:
    found = explain(make())
    assert message in found.message
    assert hint in found.hint


def test_only_errors_of_the_sdk_are_translated() -> None:
    with pytest.raises(ZeroDivisionError), translated():
        _ = 1 / 0
    with pytest.raises(Exception, match="no") as caught, translated("Fine"):
        raise refusal("Fine")
    assert not isinstance(caught.value, ProviderError)


def test_without_the_sdk() -> None:
    with pytest.raises(ProviderError, match="boto3 is not installed"), translated():
        raise ModuleNotFoundError("No module named 'boto3'", name="boto3")
    with pytest.raises(ModuleNotFoundError), translated():
        raise ModuleNotFoundError("No module named 'other'", name="other")


# --------------------------------------------------------------------------------------- region


def test_no_region(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(ProviderError, match="which region") as caught:
        Cloud()
    assert "stacks config set aws:region" in caught.value.hint


def test_the_stack_decides_over_the_environment(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    assert Cloud().region == "us-east-1"
    assert Cloud("eu-west-1").region == "eu-west-1"


def test_a_profile_that_does_not_exist(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ProviderError, match="nobody"):
        Cloud()


def topic(region: str = REGION, account: str = "123456789012") -> dict[str, str]:
    return {"alarmTopic": f"arn:aws:sns:{region}:{account}:shop-dev-alarms"}


def test_a_stack_stays_where_it_is(deployment: Deployment) -> None:
    preflight.check_place(deployment, {})
    preflight.check_place(deployment, topic(account=deployment.cloud.account))


def test_another_region(deployment: Deployment) -> None:
    with pytest.raises(ProviderError) as caught:
        preflight.check_place(deployment, topic("us-east-1"))
    assert "is in us-east-1, but its file says eu-central-1" in caught.value.message
    deployment.file = StackFile(Path("x"), deployment.project.name)
    with pytest.raises(ProviderError, match="AWS_REGION says"):
        preflight.check_place(deployment, topic("us-east-1"))


def test_another_account(deployment: Deployment) -> None:
    with pytest.raises(ProviderError, match="is in account 999999999999") as caught:
        preflight.check_place(deployment, topic(account="999999999999"))
    assert "AWS_PROFILE" in caught.value.hint


# --------------------------------------------------------------------------------- names, sizes


def test_names_that_are_ours(by_hand: Deploy) -> None:
    shop = by_hand(manual("One"))
    preflight.check_names(shop.deployment, ["one", "two"])
    assert list(shop.deployment.functions(["one", "two"])) == ["one"]


def test_a_function_of_somebody_else(by_hand: Deploy) -> None:
    shop: ByHand = by_hand(manual("One"))
    name = shop.deployment.names.function("one")
    found = shop.client("lambda").get_function(FunctionName=name)
    arn = found["Configuration"]["FunctionArn"]
    shop.client("lambda").untag_resource(Resource=arn, TagKeys=["nodegx:project"])
    with pytest.raises(ProviderError, match=f"function {name} already that is not ours"):
        preflight.check_names(shop.deployment, ["one"])
    assert shop.deployment.functions(["one"]) == {}


def test_bundles_that_need_an_image(deployment: Deployment, tmp_path: Path) -> None:
    large = bundle(tmp_path, packages=400 * MB, zipped=0, delivery=Delivery.IMAGE)
    with pytest.raises(ProviderError) as caught:
        preflight.check_bundles(deployment, [bundle(tmp_path), large])
    assert "takes 400.4 MB unpacked, of which its packages take 400.0 MB" in caught.value.message
    assert "docker buildx build --platform linux/arm64" in caught.value.hint
    (tmp_path / "one.image").write_text(
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com/x@sha256:0"
    )
    preflight.check_bundles(deployment, [large])


# --------------------------------------------------------------------------------------- quotas


def functions(*concurrency: int | None) -> list[dict[str, Any]]:
    return [{"slug": f"f{n}", "concurrency": value} for n, value in enumerate(concurrency)]


@pytest.mark.parametrize(
    ("account", "reserved"),
    [(1000, (900,)), (1000, (None, None)), (10, (None,)), (1000, (0, 900)), (0, (5,))],
)
def test_room_for_concurrency(
    deployment: Deployment, account: int, reserved: tuple[int | None, ...]
) -> None:
    preflight.check_quotas(limited(deployment, concurrency=account), functions(*reserved), [])


def test_too_much_concurrency(deployment: Deployment) -> None:
    with pytest.raises(ProviderError) as caught:
        preflight.check_quotas(limited(deployment, concurrency=1000), functions(50, 900), [])
    assert "reserve 950 concurrent executions (f1 900, f0 50)" in caught.value.message
    assert "at most 900 can be reserved" in caught.value.message
    assert "functions.f1.shared" in caught.value.hint


def test_too_much_code(deployment: Deployment, tmp_path: Path) -> None:
    full = limited(deployment, code=100 * MB, used=99 * MB)
    preflight.check_quotas(full, [], [bundle(tmp_path, zipped=MB)])
    old = replace(bundle(tmp_path, zipped=50 * MB), reused=True)
    preflight.check_quotas(full, [], [old])
    with pytest.raises(ProviderError, match=r"take 99.0 MB of 100.0 MB, and 2.0 MB more"):
        preflight.check_quotas(full, [], [bundle(tmp_path, zipped=2 * MB)])


def test_accounts_that_do_not_tell(deployment: Deployment) -> None:
    # moto has no such call, and refuses it.
    preflight.check_quotas(deployment, functions(100_000), [])
