"""What is looked at before anything is changed, so that a deployment does not fail half way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from nodegx.providers.errors import ProviderError

from . import image, limits
from .deployment import THREADS, Deployment
from .package import Bundle, Delivery

REPOSITORY = "ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY"


def check_all(
    deployment: Deployment,
    functions: Sequence[Mapping[str, Any]],
    bundles: Iterable[Bundle],
    outputs: Mapping[str, Any],
) -> None:
    """Looks at everything that can be known beforehand.

    Args:
        deployment: what is to be deployed.
        functions: its functions, as the plan's JSON data has them.
        bundles: of all its functions.
        outputs: of the stack's last deployment.

    Raises:
        ProviderError: something stands in the way.
    """
    check_credentials(deployment)
    check_place(deployment, outputs)
    listed = list(bundles)
    check_bundles(deployment, listed)
    check_names(deployment, [str(function["slug"]) for function in functions])
    check_quotas(deployment, functions, listed)


def check_credentials(deployment: Deployment) -> None:
    """Raises `ProviderError` if there are no credentials, or AWS refuses them."""
    _ = deployment.cloud.account


def check_place(deployment: Deployment, outputs: Mapping[str, Any]) -> None:
    """Makes sure that a stack stays in its account and region.

    Raises:
        ProviderError: it was deployed elsewhere.
    """
    arn = str(outputs.get("alarmTopic") or "")
    parts = arn.split(":")
    if len(parts) < 6:
        return
    region, account = parts[3], parts[4]
    cloud = deployment.cloud
    if region != cloud.region:
        source = "its file" if deployment.file.region else "AWS_REGION"
        raise ProviderError(
            f"the stack {deployment.stack} is in {region}, but {source} says {cloud.region}",
            f"`nodegx stacks config set aws:region {region}`, or use another stack for "
            f"{cloud.region}",
        )
    if account != cloud.account:
        raise ProviderError(
            f"the stack {deployment.stack} is in account {account}, "
            f"but the credentials are for {cloud.account}",
            "choose other credentials with AWS_PROFILE, or use another stack",
        )


def check_bundles(deployment: Deployment, bundles: Iterable[Bundle]) -> None:
    """Raises `ProviderError` if a bundle is too large for Lambda and has no image yet."""
    for bundle in bundles:
        if bundle.delivery is not Delivery.IMAGE or image.reference(bundle.path).is_file():
            continue
        sizes = bundle.sizes
        raise ProviderError(
            f"{bundle.workflow} takes {_megabytes(sizes.total)} unpacked, of which its packages "
            f"take {_megabytes(sizes.packages)}; Lambda takes {_megabytes(limits.UNZIPPED)}",
            "use smaller packages, or a container image, whose Dockerfile is ready: "
            + image.instructions(bundle.slug, bundle.path, "arm64", REPOSITORY),
        )


def check_names(deployment: Deployment, slugs: Iterable[str]) -> None:
    """Makes sure that the functions' names are free, or ours.

    Raises:
        ProviderError: something else has one of them.
    """
    names = [deployment.names.function(slug) for slug in slugs]
    with ThreadPoolExecutor(THREADS) as pool:
        for name, found in zip(names, pool.map(deployment.find, names), strict=True):
            if found is not None and not deployment.owns(found.get("Tags") or {}):
                raise ProviderError(
                    f"there is a function {name} already that is not ours",
                    "choose another name for the project or the stack, or remove the function",
                )


def check_quotas(
    deployment: Deployment, functions: Sequence[Mapping[str, Any]], bundles: Sequence[Bundle]
) -> None:
    """Makes sure that the account has room for the functions, if it tells.

    Raises:
        ProviderError: it has not.
    """
    from botocore.exceptions import ClientError

    try:
        found: dict[str, Any] = deployment.cloud.client("lambda").get_account_settings()
    except ClientError:
        return  # whoever deploys need not be allowed to ask
    _check_concurrency(functions, found["AccountLimit"])
    size = sum(bundle.zipped for bundle in bundles if not bundle.reused)
    used = int(found.get("AccountUsage", {}).get("TotalCodeSize", 0))
    limit = int(found["AccountLimit"].get("TotalCodeSize", 0))
    if limit and used + size > limit:
        raise ProviderError(
            f"the account's functions take {_megabytes(used)} of {_megabytes(limit)}, and "
            f"{_megabytes(size)} more are to come",
            "remove old versions of functions, or ask AWS for more",
        )


def _check_concurrency(functions: Sequence[Mapping[str, Any]], limit: Mapping[str, Any]) -> None:
    account = int(limit.get("ConcurrentExecutions", 0))
    reserved = {str(f["slug"]): int(f["concurrency"]) for f in functions if f.get("concurrency")}
    wanted = sum(reserved.values())
    if not account or not wanted or wanted <= account - limits.UNRESERVED:
        return
    listed = sorted(reserved.items(), key=lambda item: -item[1])
    shown = ", ".join(f"{slug} {count}" for slug, count in listed[:4])
    raise ProviderError(
        f"the workflows reserve {wanted:,} concurrent executions ({shown}), but of the account's "
        f"{account:,} at most {max(0, account - limits.UNRESERVED):,} can be reserved",
        "ask AWS for a higher quota, lower `concurrency` in the workflows' settings, or set "
        f"functions.{listed[0][0]}.shared to true in the stack's file",
    )


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
