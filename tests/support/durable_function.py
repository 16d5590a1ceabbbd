"""A function with durable executions in this process: its table and bucket on moto, Lambda and
Scheduler played."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from nodegx.runtime import Node, Run, Workflow, workflow
from nodegx.runtime.aws import adapter as adapters
from nodegx.runtime.aws.adapter import Adapter, Process
from nodegx.runtime.aws.durable import Function, continued, durable
from nodegx.runtime.aws.entry import http, manual
from nodegx.runtime.durable.dynamodb import DynamoRuns
from nodegx.runtime.durable.store import Kept, RunQuery
from nodegx.runtime.history.dynamodb import DynamoHistory
from nodegx.runtime.history.dynamodb_table import table_definition
from nodegx.runtime.history.record import ExecutionRecord
from nodegx.runtime.history.store import Query

from tests.support.lambda_events import http_event
from tests.support.moto import Moto
from tests.support.played_aws import PlayedAws, played_aws

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:shop-dev-flow"
WAKES = {"group": "group", "role": "arn:role", "prefix": "flow", "dead_letters": "arn:dlq"}
URL = "https://api.example.com/_nodegx/flow"
NAME = "/#__cloud__/Flow"

WAIT = Node("wait", "logic.wait")
ANSWER = Node("answer", "cloud.response")
CALL = Node("call", "workflow.call")

Body = Callable[[Run], Awaitable[None]]


class Context:
    """What Lambda says about an invocation."""

    def __init__(self, seconds: float) -> None:
        self.aws_request_id = str(uuid4())
        self.invoked_function_arn = f"{FUNCTION}:live"
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


class DurableFunction:
    """The function.

    Attributes:
        aws: the services that wake executions.
        done: what its steps have done, in order.
        table: name of the table.
    """

    def __init__(self, cloud: Moto, aws: PlayedAws, table: str) -> None:
        self.aws = aws
        self.table = table
        self.done: list[Any] = []
        self._cloud = cloud
        self._handler: Function | None = None

    # --- making it -----------------------------------------------------------------------------

    def is_durable(
        self,
        body: Body,
        *adapters: str,
        hold: float = 0.0,
        inputs: Any = (),
        **settings: Any,
    ) -> None:
        """Makes it run a durable workflow; `adapters` are `http` or `manual`, which takes
        `inputs`."""
        flow = workflow(NAME, durable=True, **settings)(body)
        first, *others = self._bound(flow, adapters or ("manual",), inputs)
        self._handler = durable(first, *others)
        self.surroundings.hold = hold

    def is_continued(self, body: Body, *adapters: str, **settings: Any) -> None:
        """Makes it run one that is not, but goes on after its answer."""
        first, *others = self._bound(workflow(NAME, **settings)(body), adapters or ("http",))
        self._handler = continued(first, *others)

    def _bound(self, flow: Workflow, kinds: tuple[str, ...], inputs: Any = ()) -> list[Adapter]:
        made = {
            "http": lambda: http(flow, "web", {"method": "POST", "path": "/flow"}),
            "manual": lambda: manual(flow, "start", {"inputs": inputs}),
        }
        return [made[kind]() for kind in kinds]

    @property
    def surroundings(self) -> Any:
        assert self._handler is not None
        return self._handler._surroundings

    def step(self, name: str) -> Callable[..., Any]:
        """What a step may do: it says that it was done."""

        def done(value: Any = None) -> Any:
            self.done.append(name)
            return value

        return done

    # --- using it ------------------------------------------------------------------------------

    def invoke(self, event: Any, *, seconds: float = 30.0) -> Any:
        assert self._handler is not None
        return self._handler(event, Context(seconds))

    def call(self, input: Any = None, **call: Any) -> Any:
        """Starts it by hand, or as another workflow does."""
        return self.invoke({"nodegx": {"call": call}, "input": input})

    def request(self, body: Any = None) -> tuple[int, Any]:
        """A request to its webhook: status and body of the answer."""
        answer = self.invoke(http_event(path="/flow", body=body))
        return answer["statusCode"], json.loads(answer["body"] or "null")

    def resume(self, id: str) -> Any:
        return self.invoke({"nodegx": {"resume": {"execution": id}}})

    def sweep(self) -> Any:
        return self.invoke({"nodegx": {"sweep": {}}})

    def deliver(self) -> list[Any]:
        """Hands it the invocations that it has asked for, and those that follow; returns what came
        of them."""
        results: list[Any] = []
        while events := self.aws.events():
            results += [self.invoke(event) for event in events]
        return results

    # --- looking at it -------------------------------------------------------------------------

    def runs(self, host: str = "test") -> DynamoRuns:
        """The store, as somebody else sees it."""
        clients = (self._cloud.client("dynamodb"), self._cloud.client("s3"))
        return DynamoRuns(
            self.table, dynamodb=clients[0], s3=clients[1], bucket=self.table, host=host
        )

    @property
    def kept(self) -> list[Kept]:
        """The unfinished executions."""
        runs = self.runs()
        found = [runs.load(state.id) for state in runs.list(RunQuery())]
        return [kept for kept in found if kept is not None]

    @property
    def records(self) -> list[ExecutionRecord]:
        """The history, the first first."""
        history = DynamoHistory(self.table, dynamodb=self._cloud.client("dynamodb"))
        found = [history.get(each.id) for each in history.list(Query()).records]
        return [record for record in reversed(found) if record is not None]


@contextmanager
def durable_function(cloud: Moto, monkeypatch: pytest.MonkeyPatch) -> Iterator[DurableFunction]:
    """A function's process, of which nothing is left afterwards."""
    table = f"f-{os.urandom(6).hex()}"
    cloud.client("dynamodb").call("CreateTable", table_definition(table))
    cloud.make_bucket(table)
    with played_aws() as aws:
        variables = {
            **cloud.environment,
            "AWS_ENDPOINT_URL_LAMBDA": aws.url,
            "AWS_ENDPOINT_URL_SCHEDULER": aws.url,
            "AWS_LAMBDA_FUNCTION_VERSION": "7",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/28/[7]abc",
            "NODEGX_STACK": "dev",
            "NODEGX_HISTORY_TABLE": table,
            "NODEGX_RUNS_TABLE": table,
            "NODEGX_DATA_BUCKET": table,
            "NODEGX_REVISION": "r1",
            "NODEGX_WAKES": json.dumps(WAKES),
            "NODEGX_URL": URL,
            "NODEGX_FUNCTIONS": json.dumps(
                {"/Child": "arn:child:live", "/Plain": "arn:plain:live"}
            ),
            "NODEGX_DURABLE": '["/Child"]',
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(adapters.Process, "_only", None)
        yield DurableFunction(cloud, aws, table)
        Process.get().loop.close()
        asyncio.set_event_loop(None)
    cloud.client("dynamodb").call("DeleteTable", {"TableName": table})
