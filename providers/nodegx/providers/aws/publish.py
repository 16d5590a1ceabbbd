"""New code for functions that exist: in seconds, without the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from nodegx.providers.errors import ProviderError

from . import versions
from .cloud import translated
from .deployment import THREADS, Deployment
from .package import Bundle, Delivery

REVISION = "NODEGX_REVISION"
UPLOADS = "bundles"
"""Where bundles lie in the deployment's bucket."""


@dataclass(frozen=True, slots=True)
class Published:
    """A new version of a function.

    Args:
        slug: of its workflow.
        function: the function's name.
        before: the version that takes the traffic until now.
        version: the new one.
        revision: hash of the workflow.
    """

    slug: str
    function: str
    before: str
    version: str
    revision: str


def outdated(deployment: Deployment, bundles: Iterable[Bundle]) -> dict[str, bool]:
    """Whether the code that takes the traffic differs from the bundles, by slug; functions that are
    not deployed are left out."""

    def differs(bundle: Bundle) -> tuple[str, bool | None]:
        code = versions.code_of(deployment.cloud, deployment.names.function(bundle.slug))
        return bundle.slug, None if code is None else code != bundle.code_sha256

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(differs, [b for b in bundles if b.delivery is not Delivery.IMAGE]))
    return {slug: differs for slug, differs in found if differs is not None}


def publish(
    deployment: Deployment,
    bundles: Iterable[Bundle],
    revisions: Mapping[str, str],
    *,
    done: Callable[[Published], None] = lambda published: None,
) -> list[Published]:
    """Publishes bundles as new versions of their functions, which take no traffic yet.

    Args:
        deployment: the deployment.
        bundles: what to publish.
        revisions: hashes of the workflows, by slug.
        done: told of each version that is there.

    Raises:
        ProviderError: a function does not exist, or Lambda refuses the code.
    """

    def one(bundle: Bundle) -> Published:
        published = _publish(deployment, bundle, revisions.get(bundle.slug, ""))
        done(published)
        return published

    listed = list(bundles)
    for bundle in listed:
        if bundle.delivery is Delivery.IMAGE:
            raise ProviderError(
                f"{bundle.workflow} is a container image", "deploy it without --code-only", "usage"
            )
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, listed))


def _publish(deployment: Deployment, bundle: Bundle, revision: str) -> Published:
    cloud = deployment.cloud
    client = cloud.client("lambda")
    live = deployment.function(bundle.slug)
    before = versions.traffic(cloud, live.name).version
    with translated():
        variables = live.variables
        if revision and variables.get(REVISION) != revision:
            client.update_function_configuration(
                FunctionName=live.name, Environment={"Variables": {**variables, REVISION: revision}}
            )
            versions.wait_until_changed(cloud, live.name)
        updated = client.update_function_code(
            FunctionName=live.name,
            Architectures=list(live.configuration.get("Architectures") or ["x86_64"]),
            **_code(deployment, bundle),
        )
        if updated["CodeSha256"] != bundle.code_sha256:
            raise ProviderError(
                f"Lambda has other code of {bundle.workflow} than was sent", kind="failure"
            )
        versions.wait_until_changed(cloud, live.name)
        version = client.publish_version(
            FunctionName=live.name,
            CodeSha256=bundle.code_sha256,
            Description=f"code of {revision[:12] or bundle.sha256[:12]}",
        )
    return Published(bundle.slug, live.name, before, version["Version"], revision)


def _code(deployment: Deployment, bundle: Bundle) -> dict[str, Any]:
    """The bundle as an argument: the zip itself, or where in the bucket it has been put."""
    if bundle.delivery is Delivery.DIRECT:
        return {"ZipFile": bundle.path.read_bytes()}
    bucket = deployment.place.data_bucket_name
    key = f"{UPLOADS}/{bundle.slug}.zip"
    deployment.cloud.client("s3").upload_file(str(bundle.path), bucket, key)
    return {"S3Bucket": bucket, "S3Key": key}
