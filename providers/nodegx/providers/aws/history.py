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
    cloud = deployment.cloud
    credentials = CredentialChain(cloud.credentials())
    clients = {
        service: AwsClient(service, region=cloud.region, credentials=credentials)
        for service in ("dynamodb", "s3")
    }
    return DynamoHistory(
        deployment.names.history,
        dynamodb=clients["dynamodb"],
        s3=clients["s3"],
        bucket=deployment.place.data_bucket_name,
        host="cli",
    )
