"""Steps: one action node each, under its retry policy and time limit, on record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from time import perf_counter
from types import CoroutineType, NoneType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from .errors import FatalError
from .failure import Failure
from .node import Node, Retry
from .values import ExecutionInfo, iso_time

if TYPE_CHECKING:
    from typing import Self

    from .execution import Execution
    from .history.recorder import Recorder

_HARMLESS = frozenset({"data.set", "data.json", "data.transform", "cloud.response"})
"""Types of nodes that do nothing but compute, or hold an answer ready."""

_PLAIN = frozenset({NoneType, bool, int, float, str, list, dict, tuple})

P = ParamSpec("P")
T = TypeVar("T")


class Steps:
    """What a `Run` is made of: its surroundings and `step`.

    Attributes:
        trigger: the value of the trigger that started this execution.
        vars: the project's variables.
        env: the environment variables that workflows may read.
        secrets: secrets by name; whatever is read here is kept out of the history.
    """

    __slots__ = ("_attempt", "_owner", "_recorder", "_suffix", "env", "secrets", "trigger", "vars")

    trigger: Any
    vars: Mapping[str, Any]
    env: Mapping[str, str]
    secrets: Mapping[str, str]

    def __init__(self, owner: Execution, recorder: Recorder | None, attempt: int) -> None:
        self._owner = owner
        self._recorder = recorder
        self._attempt = attempt
        self._suffix = "" if attempt == 1 else f"#{attempt}"
        self.trigger = owner.trigger.value
        self.vars = owner.host.vars
        self.env = owner.host.env
        self.secrets = owner.secrets

    def _scope(self, node: Node, suffix: str) -> Self:
        """A run for one pass through the body of `node`; its steps are told apart by `suffix`."""
        scope = object.__new__(type(self))
        scope._owner = self._owner
        scope._recorder = self._recorder
        scope._suffix = self._suffix + suffix
        scope.trigger = self.trigger
        scope.vars = self.vars
        scope.env = self.env
        scope.secrets = self.secrets
        scope._attempt = self._attempt
        return scope

    @property
    def execution(self) -> ExecutionInfo:
        """Id, workflow, start and attempt of this execution."""
        owner = self._owner
        started = iso_time(owner.record.started)
        return ExecutionInfo(owner.id, owner.workflow.name, started, self._attempt)

    @property
    def halted(self) -> bool:
        """Whether the execution is over for good; steps do nothing then but raise."""
        return self._owner.halted

    @property
    def suffix(self) -> str:
        """What the ids of this run's steps end with: `[3]` in an iteration, `#2` in a second
        attempt."""
        return self._suffix

    # --- steps ---------------------------------------------------------------------------------

    @overload
    async def step(
        self,
        node: Node,
        fn: Callable[P, Coroutine[Any, Any, T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T: ...
    @overload
    async def step(
        self, node: Node, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...
    async def step(self, node: Node, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Runs one action node: `fn(*args, **kwargs)`, awaited if it is asynchronous, under the
        node's retry policy and time limit, and records it.

        Raises:
            Exception: whatever the last attempt raised.
        """
        if self._recorder is not None or node.retry is not None or node.timeout is not None:
            return await self._recorded_step(node, fn, args, kwargs)
        if self._owner.halted:
            raise asyncio.CancelledError
        try:
            result = fn(*args, **kwargs)
            return await result if _is_awaitable(result) else result
        except Exception as error:
            Failure.mark(error, self._owner.id, node.id, 1)
            raise
        except SystemExit as error:
            raise _not_an_exit(error, self._owner.id, node.id) from error

    async def _block(self, node: Node, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Runs a node whose body has steps of its own."""
        return await self.step(node, fn, *args, **kwargs)

    async def _recorded_step(
        self,
        node: Node,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        attempt: int = 1,
        ago: float = 0.0,
    ) -> Any:
        """Runs a step that began `ago` seconds ago and is at its attempt number `attempt`."""
        if self._owner.halted:
            raise asyncio.CancelledError
        if self._owner.unrecorded and node.type not in _HARMLESS:
            await self._owner.put_on_record()
        recorder = self._recorder
        record = None
        if recorder is not None:
            record = recorder.begin(node, self._suffix, fn, args, kwargs)
        start = perf_counter() - ago
        try:
            if attempt > 1:
                await self._until_attempt(node, attempt)
            while True:
                try:
                    if node.timeout is not None:
                        from .retry import within

                        result = await within(
                            node.timeout, lambda: settled(fn(*args, **kwargs)), f"`{node.id}`"
                        )
                    else:
                        result = fn(*args, **kwargs)
                        if _is_awaitable(result):
                            result = await result
                    break
                except SystemExit as error:
                    raise _not_an_exit(error, self._owner.id, node.id) from error
                except Exception as error:
                    if not await self._wait_for_retry(node, node.retry, attempt, error):
                        raise
                    attempt += 1
        except Exception as error:
            failure = Failure.mark(error, self._owner.id, node.id, attempt)
            if record is not None and recorder is not None:
                failure.recorded = True
                info = self._owner.describe(error)
                recorder.fail(record, perf_counter() - start, info, attempt)
            raise
        except BaseException as error:
            if record is not None and recorder is not None:
                recorder.abort(record, perf_counter() - start, attempt, error)
            raise
        if record is not None and recorder is not None:
            recorder.end(record, perf_counter() - start, result, attempt)
        return result

    async def _until_attempt(self, node: Node, attempt: int) -> None:
        """Waits until the time of an attempt that a step begins with has come."""

    async def _wait_for_retry(
        self, node: Node, policy: Retry | None, attempt: int, error: Exception
    ) -> bool:
        """Sleeps as long as the policy says, or returns False if it wants no further attempt."""
        if policy is None:
            return False
        from .retry import next_delay

        delay = next_delay(policy, attempt, error)
        if delay is None:
            return False
        self._owner.log_retry(node.id, attempt, policy.attempts, delay, error)
        await asyncio.sleep(delay)
        return True


def _not_an_exit(error: SystemExit, execution: str, node: str) -> FatalError:
    """A failure in place of `sys.exit()`, which would end the process with all its executions."""
    failure = FatalError("The code of this node called exit()", code="exit")
    Failure.mark(failure, execution, node, 1)
    return failure


def _is_awaitable(result: object) -> bool:
    """Whether a call was asynchronous. Nearly all results are coroutines or plain JSON, which is
    told at once; the search through a type's bases takes its time."""
    kind = type(result)
    if kind is CoroutineType:
        return True
    return kind not in _PLAIN and hasattr(kind, "__await__")


async def settled(result: Any) -> Any:
    """The result of a call that may be asynchronous."""
    return await result if _is_awaitable(result) else result
