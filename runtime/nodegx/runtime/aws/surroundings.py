"""What surrounds durable executions inside a Lambda function."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple

from nodegx.runtime.durable.codec import Codec
from nodegx.runtime.durable.dynamodb import DynamoRuns
from nodegx.runtime.durable.dynamodb_access import Sleeper
from nodegx.runtime.durable.state import RunState
from nodegx.runtime.durable.store import Change, Suspend
from nodegx.runtime.durable.tokens import new_secret
from nodegx.runtime.durable.writer import RunWriter
from nodegx.runtime.errors import FatalError, NodegxError
from nodegx.runtime.history.dynamodb_items import execution_key
from nodegx.runtime.history.plain import plain
from nodegx.runtime.history.record import GOING_ON, Status

from .client import AwsError
from .outbound import address, invoke
from .waking import Waker, Wakes

if TYPE_CHECKING:
    from nodegx.runtime.durable.execution import DurableExecution, Runs
    from nodegx.runtime.host import HistorySink

    from .context import Context
    from .host import AwsHost

HOLD = 2.0
"""Seconds that an execution waits in memory, which is paid for."""
LATE = 2.0
"""Seconds after an invocation's end until it is surely over, on everybody's clock."""
PAUSE = 1.0
"""Seconds between two looks at an execution that is still under way."""
LIVE = "live"
"""The alias that takes the traffic."""
CALLED = ""
"""The trigger of an execution that another workflow has asked for: whichever takes calls."""
YIELD = "yield"
"""What branches wait for that make room."""


class Settings(NamedTuple):
    """What the infrastructure tells functions with executions that may be woken.

    Args:
        table: DynamoDB table of the executions (`NODEGX_RUNS_TABLE`).
        url: how the world reaches this function's resume URLs (`NODEGX_URL`), None if it cannot.
        wakes: how executions are woken later (`NODEGX_WAKES`, JSON), None if they cannot.
        durable: workflows that this one may call and whose answers come later (`NODEGX_DURABLE`,
            a JSON list).
    """

    table: str
    url: str | None = None
    wakes: Wakes | None = None
    durable: frozenset[str] = frozenset()

    @classmethod
    def read(cls) -> Settings:
        """Reads the variables of this process.

        Raises:
            NodegxError: there is no table.
        """
        given = {name: value for name, value in os.environ.items() if value}
        table = given.get("NODEGX_RUNS_TABLE")
        if table is None:
            raise NodegxError("NODEGX_RUNS_TABLE is not set", code="environment")
        wakes = given.get("NODEGX_WAKES")
        return cls(
            table,
            given.get("NODEGX_URL"),
            None if wakes is None else Wakes(**json.loads(wakes)),
            frozenset(json.loads(given.get("NODEGX_DURABLE", "[]"))),
        )


class Exists(NodegxError):
    """There is an execution of that id already."""

    def __init__(self, execution: str) -> None:
        super().__init__(f"There is an execution {execution} already", code="execution.exists")


class Surroundings:
    """A `DurableHost`. One for a process.

    Args:
        host: the function's host.
        workflow: name of the function's workflow.
        settings: what the infrastructure tells.
        hold: seconds that an execution waits in memory.

    Attributes:
        runs: where executions are kept.
        store: the same, for calls that block.
        writer: writes to the store, and calls it in threads.
        waker: wakes executions.
        active: executions under way in this invocation, by id.
        function: ARN of the function, without a version; None if nobody has said.
    """

    def __init__(
        self, host: AwsHost, workflow: str, settings: Settings, *, hold: float = HOLD
    ) -> None:
        environment = host.environment
        self.hold = hold
        self._host = host
        self.store = DynamoRuns(
            settings.table,
            dynamodb=host.client("dynamodb"),
            s3=host.client("s3") if environment.bucket else None,
            bucket=environment.bucket,
            retention_days=environment.retention_days,
        )
        self.writer = RunWriter(self.store, self._holds)
        self.runs: Runs = _AwsRuns(self)
        self.waker = Waker(host.client, settings.wakes)
        self.active: dict[str, DurableExecution] = {}
        self.function: str | None = None
        self._workflow = workflow
        self._settings = settings

    def begin(self, context: Context | None) -> None:
        """An invocation begins, and with it a new owner of executions. The host's has begun."""
        stream = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")
        request = getattr(context, "aws_request_id", "")
        arn: str | None = getattr(context, "invoked_function_arn", None)
        self.function = None if arn is None else ":".join(arn.split(":")[:7])
        end = self._host.end
        self.store.enter(f"{stream}/{request}", self._target())
        if end is not None:
            self.store.beat(end + LATE - time())

    def _holds(self) -> bool:
        """Whether this invocation is not over: a process that was frozen may wake up later."""
        end = self._host.end
        return end is None or time() < end + LATE

    def _target(self) -> str | None:
        """The code that runs now: its version, if it is one that stays."""
        version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "")
        return f"{self.function}:{version}" if self.function and version.isdigit() else None

    # --- what executions use -------------------------------------------------------------------

    @property
    def vars(self) -> Mapping[str, Any]:
        """See `Host`."""
        return self._host.vars

    @property
    def env(self) -> Mapping[str, str]:
        """See `Host`."""
        return self._host.env

    @property
    def secrets(self) -> Mapping[str, str]:
        """See `Host`."""
        return self._host.secrets

    @property
    def history(self) -> HistorySink | None:
        """See `Host`."""
        return self._host.history

    @property
    def url(self) -> str:
        """See `DurableHost`.

        Raises:
            FatalError: code `wait.unsupported`; this function has no resume URLs.
        """
        if self._settings.url is None:
            raise FatalError("This function has no resume URLs", code="wait.unsupported")
        return self._settings.url

    async def call(
        self, workflow: str, payload: Any, *, parent: str, depth: int, wait: bool = True
    ) -> Any:
        """See `Host`."""
        return await self._host.call(workflow, payload, parent=parent, depth=depth, wait=wait)

    async def emit(self, event: str, payload: Any, *, source: str, depth: int) -> str:
        """See `Host`."""
        return await self._host.emit(event, payload, source=source, depth=depth)

    def links(self, execution: str) -> Mapping[str, str]:
        """See `Host`."""
        return self._host.links(execution)

    async def call_once(
        self, workflow: str, payload: Any, *, id: str, parent: str, step: str | None, depth: int
    ) -> Mapping[str, Any] | None:
        """See `DurableHost`. A durable workflow tells how it has ended later; others do when they
        have.

        Raises:
            FatalError: this function may not call it, or not with so large an input.
            NodegxError: code `call.failed`; its function has failed.
            AwsError: it could not be invoked.
        """
        if workflow in self._settings.durable:
            called = RunState(
                id=id,
                workflow=workflow,
                revision="",
                trigger=CALLED,
                trigger_type="",
                input=Codec({}, {}).encode(plain(payload)),
                started=time(),
                secret=new_secret(),
                parent=parent,
                parent_step=step,
                depth=depth,
            )
            target = address(self._host, workflow, payload)
            # Should it be lost now how it is woken, its sweep finds it.
            await self.writer.do(self.store.create, [called])
            await self.wake(Sleeper(id, workflow, target))
            return None
        call: dict[str, Any] = {"parent": parent, "depth": depth, "execution": id}
        if step is None:
            await invoke(self._host, workflow, payload, call, wait=False)
            return None
        await self._until_over(id)
        return await invoke(self._host, workflow, payload, call, wait=True)

    async def answered(self, execution: str, key: str, value: str) -> bool:
        """See `DurableHost`."""
        sleeper = await self.writer.do(self.store.answered, execution, key, value)
        if sleeper is None:
            return False
        if sleeper.due is not None:
            await self.wake(sleeper)
        return True

    # --- waking --------------------------------------------------------------------------------

    async def sleeps(self, execution: DurableExecution) -> None:
        """Sees to it that an execution that this host has suspended is woken."""
        id = execution.id
        due = self.store.alarms.pop(id, None)
        if due is not None:
            await self.arm(
                Sleeper(id, self._workflow, self.store.target, due, execution.state.fence)
            )

    async def arm(self, sleeper: Sleeper) -> None:
        """Has an execution go on when it is due. What fails here is left to the sweep."""
        target = self.target_of(sleeper)
        if target is None or sleeper.due is None:
            return
        with self._leniently(sleeper):
            await self.writer.do(self.waker.at, sleeper.id, sleeper.fence, target, sleeper.due)

    async def wake(self, sleeper: Sleeper) -> None:
        """Has an execution go on at once. What fails here is left to the sweep."""
        target = self.target_of(sleeper)
        if target is None:
            return
        with self._leniently(sleeper):
            await self.writer.do(self.waker.now, sleeper.id, target)

    def target_of(self, sleeper: Sleeper) -> str | None:
        """The code that goes on with an execution: what it began on, or the latest of this
        function. None if that is not known here."""
        if sleeper.target is not None or sleeper.workflow != self._workflow:
            return sleeper.target
        return None if self.function is None else f"{self.function}:{LIVE}"

    @contextmanager
    def _leniently(self, sleeper: Sleeper) -> Generator[None]:
        try:
            yield
        except AwsError as error:
            message = f"the sweep will have to wake it: {error.message}"
            self._host.log.write("error", message, execution=sleeper.id, workflow=sleeper.workflow)

    # --- executions of others ------------------------------------------------------------------

    async def status(self, execution: str) -> str | None:
        """How an execution stands: one that is kept, or one in the history. None if there is none
        of that id."""
        kept = await self.writer.do(self.store.load, execution)
        if kept is not None:
            return kept.state.status.value
        item = await self.writer.do(self._recorded, execution)
        return None if item is None else item["status"]["S"]

    async def _until_over(self, execution: str) -> None:
        """Waits as long as an execution of that id runs, which an earlier pass has begun."""
        while True:
            item = await self.writer.do(self._recorded, execution)
            if item is None or Status(item["status"]["S"]) not in GOING_ON:
                return
            if "deadline" in item and float(item["deadline"]["N"]) < time():
                return
            await asyncio.sleep(PAUSE)

    def _recorded(self, execution: str) -> dict[str, Any] | None:
        """What the history has of an execution."""
        table = self._host.environment.history_table
        if table is None:
            return None
        request = {
            "TableName": table,
            "Key": {"pk": {"S": execution_key(execution)}},
            "ProjectionExpression": "#s, deadline",
            "ExpressionAttributeNames": {"#s": "status"},
            "ConsistentRead": True,
        }
        return self._host.client("dynamodb").call("GetItem", request).get("Item")


class _AwsRuns:
    """Where executions of a function are kept."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    async def create(self, state: RunState) -> bool:
        """See `Runs`.

        Raises:
            Exists: it is there already; whoever was asked for it twice does it once.
        """
        if not await self._surroundings.writer.create(state):
            raise Exists(state.id)
        return True

    async def change(self, change: Change) -> bool:
        """See `Runs`."""
        surroundings = self._surroundings
        if isinstance(change, Suspend) and makes_room(change):
            change = change._replace(due=time())
        done = await surroundings.writer.change(change)
        reason = surroundings.store.wanted.pop(change.id, None)
        if reason is not None and change.id in surroundings.active:
            surroundings.active[change.id].cancel(reason)
            await asyncio.sleep(0)  # lets that come through before anything else is done
        return done


def makes_room(change: Suspend) -> bool:
    """Whether an execution waits for nothing but the next invocation."""
    return any(wait.kind == YIELD for wait in change.waits)
