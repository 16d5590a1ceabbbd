"""How long a function takes to answer its first event, in Lambda's own runtime client.

Compared are process-order as it is deployed, unpacked from its zip; the same thing written by hand
over the same HTTP adapter and the same thin client with a single write to DynamoDB; and written
with boto3 and pydantic, which come with compiled modules, as Python's own and Lambda's client do.
Functions cannot write to their own folder, so their code is compiled in every cold start. DynamoDB
answers at once. Runs take turns, and what counts is the median: of the times, and of the ratios between
runs that followed each other, as the speed of a machine changes with what else it does.
"""

from __future__ import annotations

import json
import shutil
import socketserver
import statistics
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nodegx.compiler.build.closure import runtime_files, runtime_root
from nodegx.compiler.project import load_project
from nodegx.providers.aws.prepare import prepare
from nodegx.providers.aws.slim import slim

from tests.benchmarks.row import Row
from tests.support.projects import copy_example
from tests.support.runtime_api import function

WEB = ("mangum", "typing_extensions")
ROUNDS = 30
WARM = 200

ORDER = {"id": "A-1", "total": 12.5, "card": "4242424242424242"}
EVENT = {
    "version": "2.0",
    "routeKey": "POST /orders",
    "rawPath": "/orders",
    "rawQueryString": "",
    "headers": {"content-type": "application/json", "host": "shop.example"},
    "requestContext": {
        "http": {"method": "POST", "path": "/orders", "sourceIp": "192.0.2.1"},
        "stage": "$default",
    },
    "body": json.dumps(ORDER),
    "isBase64Encoded": False,
}

APP = """
async def app(scope, receive, send):
    body = (await receive())["body"]
    try:
        order = check(body)
    except ValueError as error:
        status, answer = 422, {"error": str(error)}
    else:
        status, answer = 200, {"order": order["id"], "total": order["total"], "terms": "net 30"}
        write(order)
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


handler = Mangum(app, lifespan="off")
"""

BY_HAND = f"""
import json

from mangum import Mangum
from nodegx.runtime.aws.client import AwsClient

dynamodb = AwsClient("dynamodb")


def check(body):
    order = json.loads(body)
    if not isinstance(order.get("id"), str) or not order["id"]:
        raise ValueError("id must be text")
    if not isinstance(order.get("total"), (int, float)) or order["total"] <= 0:
        raise ValueError("total must be a positive number")
    if not isinstance(order.get("card"), str):
        raise ValueError("card must be text")
    return order


def write(order):
    item = {{"pk": {{"S": order["id"]}}, "total": {{"N": str(order["total"])}}}}
    dynamodb.call("PutItem", {{"TableName": "orders", "Item": item}})

{APP}"""

WITH_SDK = f"""
import json

import boto3
from mangum import Mangum
from pydantic import BaseModel, Field

dynamodb = boto3.client("dynamodb")


class Order(BaseModel):
    id: str = Field(min_length=1)
    total: float = Field(gt=0)
    card: str


def check(body):
    return Order.model_validate_json(body).model_dump()


def write(order):
    item = {{"pk": {{"S": order["id"]}}, "total": {{"N": str(order["total"])}}}}
    dynamodb.put_item(TableName="orders", Item=item)

{APP}"""


ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\n\r\n{}"
)


class _DynamoDB(socketserver.StreamRequestHandler):
    """Answers every call, whatever it is, with next to no work: what is measured are functions."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        length = 0
        for line in self.rfile:
            if line.lower().startswith(b"content-length:"):
                length = int(line[15:])
            elif line == b"\r\n":
                self.rfile.read(length)
                self.connection.sendall(ANSWER)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None: ...


@contextmanager
def dynamodb() -> Iterator[str]:
    """The endpoint of a DynamoDB that answers at once."""
    server = _Server(("127.0.0.1", 0), _DynamoDB)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@dataclass
class Candidate:
    """A function to measure. Times are in seconds: until its first event, and its first answer."""

    name: str
    bundle: Path
    handler: str = "app.handler"
    python_path: tuple[Path, ...] = ()
    zipped: int = 0
    ready: list[float] = field(default_factory=list[float])
    answered: list[float] = field(default_factory=list[float])
    warm: list[float] = field(default_factory=list[float])

    def start(self, environment: Mapping[str, str], warm: int = 0) -> None:
        """Starts it, has it answer one event and `warm` more."""
        with function(
            self.bundle,
            environment,
            handler=self.handler,
            python_path=self.python_path,
            write_bytecode=False,
        ) as started:
            first = started.send(EVENT)
            assert first.result["statusCode"] == 200, (first.result, first.error, started.log)
            self.ready.append(started.ready())
            self.answered.append(started.ready() + first.seconds)
            times = [started.send(EVENT).seconds for _ in range(warm)]
            if times:
                self.warm.append(statistics.median(times))


def copy_package(name: str, folder: Path) -> None:
    """Copies an installed module or package, sources only."""
    spec = find_spec(name)
    assert spec is not None, name
    assert spec.origin is not None, name
    origin = Path(spec.origin)
    if origin.name == "__init__.py":
        ignored = shutil.ignore_patterns("__pycache__", "*.pyi", "py.typed")
        shutil.copytree(origin.parent, folder / name, ignore=ignored)
    else:
        shutil.copyfile(origin, folder / origin.name)


def candidates(folder: Path) -> tuple[Candidate, Candidate, Candidate]:
    """The three functions."""
    project = copy_example("process-order", folder / "project")
    bundle = prepare(load_project(project)).bundles["process_order"]
    ours = folder / "ours"
    with zipfile.ZipFile(bundle.path) as archive:
        archive.extractall(ours)

    by_hand = folder / "by_hand"
    by_hand.mkdir()
    (by_hand / "app.py").write_text(BY_HAND)
    for name in runtime_files("import nodegx.runtime.aws.client", runnable=False):
        # Of the runtime it has the client, and what that imports.
        if name in ("errors.py", "net/tls.py") or name.startswith("aws/"):
            target = by_hand / "nodegx" / "runtime" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(slim((runtime_root() / name).read_bytes()))

    with_sdk = folder / "with_sdk"
    with_sdk.mkdir()
    (with_sdk / "app.py").write_text(WITH_SDK)
    for place in (by_hand, with_sdk):
        for name in WEB:
            copy_package(name, place)

    import boto3

    libraries = Path(boto3.__file__).parents[1]
    return (
        Candidate("process-order", ours, "entry.handler", zipped=bundle.zipped),
        Candidate("by hand", by_hand),
        Candidate("boto3 and pydantic", with_sdk, python_path=(libraries,)),
    )


def measure(rounds: int = ROUNDS) -> list[Row]:
    """Milliseconds of cold starts and warm invocations, kilobytes of the zip."""
    with tempfile.TemporaryDirectory() as name, dynamodb() as url:
        found = candidates(Path(name))
        environment = {
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_ENDPOINT_URL": url,
            "NODEGX_HISTORY_TABLE": "history",
            "NODEGX_LOG_LEVEL": "warning",
        }
        for each in found:  # the first of all reads from disk
            each.start(environment)
            each.ready.clear()
            each.answered.clear()
        for _ in range(rounds):
            for each in found:
                each.start(environment)
        ours, by_hand, with_sdk = found
        cold = [
            _against(by_hand.name, ours.answered, by_hand.answered, "cold start", 1.25),
            _against(with_sdk.name, ours.answered, with_sdk.answered, "cold start", 0.45),
            _against(by_hand.name, ours.ready, by_hand.ready, "init", None),
        ]
        for _ in range(3):
            for each in (ours, by_hand):
                each.start(environment, WARM)
    warm = [min(each.warm) * 1000 for each in (ours, by_hand)]
    return [
        *cold,
        Row("warm invocation over one by hand", warm[0] - warm[1], "ms", limit=1.0),
        Row("zip of process-order", ours.zipped / 1000, "kB", limit=200.0),
    ]


def _against(
    other: str, ours: list[float], others: list[float], what: str, limit: float | None
) -> Row:
    name = f"{what} in Lambda's client vs {other}"
    value, baseline = statistics.median(ours) * 1000, statistics.median(others) * 1000
    ratio = statistics.median(one / two for one, two in zip(ours, others, strict=True))
    return Row(name, value, "ms", baseline, ratio, limit)


if __name__ == "__main__":
    begin = time.perf_counter()
    for row in measure():
        print(row)
    print(f"{time.perf_counter() - begin:.1f} s")
