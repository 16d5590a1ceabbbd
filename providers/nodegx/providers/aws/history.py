"""The executions of a deployment, where its functions record them."""

from __future__ import annotations

from nodegx.runtime.aws.client import AwsClient
from nodegx.runtime.aws.credentials import CredentialChain
from nodegx.runtime.history.dynamodb import DynamoHistory

from .deployment import Deployment


def open_history(deployment: Deployment) -> DynamoHistory:
    """The history of a deployment, to be closed by the caller.

    Raises:
        ProviderError: there are no credentials.
    """
    clients = thin_clients(deployment, "dynamodb", "s3")
    return DynamoHistory(
        deployment.names.history,
        dynamodb=clients["dynamodb"],
        s3=clients["s3"],
        bucket=deployment.place.data_bucket_name,
        host="cli",
    )


def thin_clients(deployment: Deployment, *services: str) -> dict[str, AwsClient]:
    """The runtime's own clients of services, in a deployment's account and region.

    Raises:
        ProviderError: there are no credentials.
    """
    cloud = deployment.cloud
    credentials = CredentialChain(cloud.credentials())
    return {
        service: AwsClient(service, region=cloud.region, credentials=credentials)
        for service in services
    }
