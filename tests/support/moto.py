"""moto's server: the state of nearly every AWS API, in a thread of this process."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.server import ThreadedMotoServer
from nodegx.runtime.aws.client import AwsClient
from nodegx.runtime.aws.credentials import CredentialChain

REGION = "eu-central-1"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}


def make_item_writes_atomic() -> None:
    """Changes of items follow one another, as in DynamoDB; moto's threads would otherwise lose
    one of two additions to a number."""
    lock = threading.RLock()

    def one_at_a_time(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def locked(*args: Any, **options: Any) -> Any:
            with lock:
                return method(*args, **options)

        return locked

    for name in ("put_item", "update_item", "delete_item", "transact_write_items"):
        setattr(DynamoDBBackend, name, one_at_a_time(getattr(DynamoDBBackend, name)))


class Moto:
    """A running server."""

    def __init__(self) -> None:
        make_item_writes_atomic()
        logging.getLogger("werkzeug").setLevel(logging.WARNING)  # it logs every request
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        atexit.register(server.stop)
        host, port = server.get_host_and_port()
        self.url = f"http://{host}:{port}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead a process to this server."""
        return {**KEYS, "AWS_REGION": REGION, "AWS_ENDPOINT_URL": self.url}

    def client(self, service: str) -> AwsClient:
        """The thin client of a service."""
        return AwsClient(
            service, region=REGION, endpoint=self.url, credentials=CredentialChain(KEYS)
        )

    def make_bucket(self, name: str) -> None:
        """Makes an S3 bucket."""
        body = (
            "<CreateBucketConfiguration>"
            f"<LocationConstraint>{REGION}</LocationConstraint>"
            "</CreateBucketConfiguration>"
        )
        self.client("s3").request("PUT", f"/{name}", body=body.encode())

    def boto3(self, service: str) -> Any:
        """The SDK's client of a service."""
        from boto3.session import Session

        session: Any = Session()
        return session.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )


@cache
def moto_server() -> Moto:
    """The server that all tests of this process share; what they put there needs names of its
    own."""
    return Moto()
