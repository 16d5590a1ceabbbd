"""A whole server: from the build directory to a listening socket, and back down in good order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import uvicorn
from nodegx.runtime.durable.store import RunStore
from nodegx.runtime.durable.stores import open_runs
from nodegx.runtime.errors import NodegxError
from nodegx.runtime.history.masking import masked_output
from nodegx.runtime.history.store import HistoryStore
from nodegx.runtime.history.stores import open_history
from nodegx.runtime.history.writer import HistoryWriter
from nodegx.runtime.logs import Log
from nodegx.runtime.triggers.resume import ResumeApp

from . import registry as registries
from .app import Application
from .durable import DurableRuns
from .environment import EnvironmentSecrets, environment
from .host import ServerHost
from .listening import ServerError, listen, loop_factory, url_of
from .management import Management
from .options import ServerOptions
from .protocol import BoundedProtocol
from .registry import Registry
from .requestlog import RequestLog
from .retention import keep_pruned
from .scheduler import Scheduler
from .versions import Versions
from .waits import ServerWaits
from .workflows import load_all, release

if TYPE_CHECKING:
    from .idempotency import Idempotency

log = logging.getLogger("nodegx.server")

LAST_WORDS = 2.0  # seconds that answers have to be written once every execution has ended
YOUNG = 20_000  # objects more than before, after which young ones are looked at for garbage
STATE = ".nodegx/schedules.json"
VERSIONS = ".nodegx/versions"

Notify = Callable[[str], None]


class Reloaded(NamedTuple):
    """What a reload changed: names of workflows, and what cannot be served."""

    added: list[str]
    changed: list[str]
    removed: list[str]
    problems: list[str]


class _Uvicorn(uvicorn.Server):
    """Leaves signals to us, because what comes after the last request matters, too; wakes up once
    a second instead of ten times, and at once to leave."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._leaving = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    def leave(self) -> None:
        """Stops accepting connections and ends once the open ones are done."""
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), 1.0)


class Server:
    """Serves the workflows of a build directory. `start` and `stop` bracket its life; it is an
    asynchronous context manager that calls them.

    Args:
        options: its settings.

    Attributes:
        secrets: what may never be printed; filled when it starts.
        host: what runs the workflows.
        scheduler: what fires them.
        url: where it listens, once it does.
    """

    host: ServerHost
    scheduler: Scheduler
    url: str

    def __init__(self, options: ServerOptions) -> None:
        self.options = options
        self.secrets = EnvironmentSecrets({})
        self._store: HistoryStore | None = None
        self._writer: HistoryWriter | None = None
        self._durable: DurableRuns | None = None
        self._idempotency: Idempotency | None = None
        self._app: Application
        self._uvicorn: _Uvicorn | None = None
        self._serving: asyncio.Task[None] | None = None
        self._pruning: asyncio.Task[None] | None = None
        self._reloading = asyncio.Lock()
        self._request_log = RequestLog() if options.request_log else None

    async def __aenter__(self) -> Server:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    # --- up ------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Loads the workflows and listens.

        Raises:
            ServerError: the address cannot be listened on.
            NodegxError: the history cannot be opened.
        """
        options = self.options
        listener = listen(options.host, options.port)
        try:
            if options.history is not None:
                self._store = await asyncio.to_thread(open_history, options.history)
                self._writer = HistoryWriter(self._store)
            await self._build()
            self.url = url_of(listener)
            self.host.url = options.url or self.url
            if self._durable is not None:
                await self._durable.start()
            await self._listen(listener)
        except BaseException:
            listener.close()
            await self._close_history()
            raise
        self.scheduler.start()
        if self._store is not None:
            self._pruning = asyncio.create_task(
                keep_pruned(
                    self._store,
                    lambda: self.host.registry.workflows.values(),
                    options.retention_days,
                )
            )

    async def _build(self) -> None:
        options = self.options
        variables = environment(options.root)
        self.secrets.replace(variables)
        found = load_all(options.build)
        registry = registries.build(found.workflows, self.secrets)
        registry.problems[:0] = found.problems
        self.host = ServerHost(
            registry,
            vars=options.vars,
            env={name: variables[name] for name in options.env if name in variables},
            secrets=self.secrets,
            history=self._writer,
            queue=options.queue,
            log=Log(options.log_level),
        )
        state = options.root / STATE if options.root is not None else None
        self.scheduler = Scheduler(self.host.fire, state)
        self.scheduler.replace(registry.schedules)
        target = options.runs_target
        if target is not None:
            store = await asyncio.to_thread(open_runs, target)
            folder = (options.root or options.build) / VERSIONS
            self._durable = DurableRuns(
                self.host,
                store,
                Versions(folder),
                options.pace,
                retention_days=options.retention_days,
                history=self._store,
            )
            self.host.durable = self._durable
            self._keep_versions(registry)
        await self._tell_repeats(registry)
        management = Management(self.host, self.scheduler, self._store, options.token)
        resume = (
            None
            if self._durable is None
            else ResumeApp(ServerWaits(self._durable), observe=self._request_log)
        )
        self._app = Application(
            self.host,
            management,
            resume=resume,
            trusted_proxies=options.trusted_proxies,
            observe=self._request_log,
        )

    async def _tell_repeats(self, registry: Registry) -> None:
        """Opens the store of idempotency keys, once a trigger asks for it.

        Raises:
            NodegxError: it cannot be opened.
        """
        if self._idempotency is not None or not registry.tells_repeats:
            return
        from nodegx.runtime.idempotency.fate import fates

        from .idempotency import Idempotency

        self._idempotency = await Idempotency.open(
            self.options.keys_target,
            fates(self._store, None if self._durable is None else self._durable.store),
            lease=self.options.pace.lease,
            log=self.host.log,
        )
        self.host.idempotency = self._idempotency

    def _keep_versions(self, registry: Registry) -> None:
        """Keeps the code of durable workflows, for executions that outlive it."""
        if self._durable is None:
            return
        for entry in registry.workflows.values():
            if entry.workflow.settings.durable:
                try:
                    self._durable.versions.keep(entry, self.options.build)
                except OSError as exc:
                    registry.problems.append(f"{entry.name}: its code cannot be kept: {exc}")

    async def _listen(self, listener: socket.socket) -> None:
        config = uvicorn.Config(
            self._app,
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=4096,
        )
        server = self._uvicorn = _Uvicorn(config)
        self._serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            if self._serving.done():
                self._serving.result()
                raise ServerError("the HTTP server ended before it had started")
            await asyncio.sleep(0.005)

    # --- while it runs -------------------------------------------------------------------------

    @property
    def registry(self) -> Registry:
        """What is being served."""
        return self.host.registry

    @property
    def store(self) -> HistoryStore | None:
        """The execution history; None where none is kept."""
        return self._store

    @property
    def runs(self) -> RunStore:
        """The executions that are not over.

        Raises:
            ServerError: none are kept.
        """
        if self._durable is None:
            raise ServerError("this server keeps no unfinished executions")
        return self._durable.store

    async def reload(self, options: ServerOptions | None = None) -> Reloaded:
        """Serves what the build directory holds now. Executions under way finish on the code they
        started with; a workflow that cannot be loaded any more stays as it was.

        Args:
            options: new settings, of which variables and environment take effect.
        """
        async with self._reloading:
            if options is not None:
                self.options = replace(self.options, vars=options.vars, env=options.env)
                self.host.vars = options.vars
            variables = environment(self.options.root)
            self.secrets.replace(variables)
            self.host.env = {
                name: variables[name] for name in self.options.env if name in variables
            }
            before = self.registry
            known = list(before.workflows.values())
            found = await asyncio.to_thread(load_all, self.options.build, known)
            registry = registries.build(found.workflows, self.secrets, before)
            registry.problems[:0] = found.problems
            self._keep_versions(registry)
            try:
                await self._tell_repeats(registry)
            except NodegxError as exc:
                registry.problems.append(exc.message)
            self._app.swap(registry)
            self.scheduler.replace(registry.schedules)
            release(known, found.workflows)
        return Reloaded(
            added=[name for name in registry.workflows if name not in before.workflows],
            changed=[
                name
                for name, entry in registry.workflows.items()
                if name in before.workflows and before.workflows[name] is not entry
            ],
            removed=[name for name in before.workflows if name not in registry.workflows],
            problems=registry.problems,
        )

    # --- down ----------------------------------------------------------------------------------

    async def stop(self, drain: float | None = None) -> None:
        """Accepts nothing more, waits for what is under way, cancels what takes longer than
        `drain` seconds, and closes the history with everything in it."""
        self.scheduler.stop()
        self.host.stopping = True
        if self._idempotency is not None:
            self._idempotency.stop_waiting()
        if self._uvicorn is not None:
            self._uvicorn.leave()
        if self._pruning is not None:
            self._pruning.cancel()
        if self._durable is not None:
            await self._durable.stop()
        await self.host.drain(self.options.drain if drain is None else drain)
        if self._serving is not None and self._uvicorn is not None:
            await asyncio.wait([self._serving], timeout=LAST_WORDS)
            self._uvicorn.force_exit = True
            await self._serving
        if self._request_log is not None:
            self._request_log.flush()
        await self._close_history()

    async def abort(self) -> None:
        """Cancels what `stop` is waiting for."""
        await self.host.cancel_all()

    async def _close_history(self) -> None:
        if self._idempotency is not None:
            await self._idempotency.close()
        if self._durable is not None:
            await self._durable.close()
        if self._writer is not None:
            await asyncio.to_thread(self._writer.close)
        if self._store is not None:
            await asyncio.to_thread(self._store.close)


def catch_signals(server: Server, notify: Notify) -> asyncio.Event:
    """An event that SIGINT and SIGTERM set from now on; a second one cancels what is still under
    way. To be called before anybody is told that the server is up, and may stop it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    aborting: list[asyncio.Task[None]] = []

    def signalled() -> None:
        if not stop.is_set():
            stop.set()
            return
        notify("cancelling what is still under way")
        aborting.append(asyncio.ensure_future(server.abort()))

    def from_handler(_number: int, _frame: object) -> None:
        loop.call_soon_threadsafe(signalled)

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, signalled)
        except NotImplementedError:  # Windows
            signal.signal(number, from_handler)
    return stop


async def until_stopped(stop: asyncio.Event, server: Server, notify: Notify) -> None:
    """Waits for the event of `catch_signals`."""
    _settle()
    await stop.wait()
    count = len(server.host.active)
    if count:
        notify(f"stopping: {count} execution{'s' if count > 1 else ''} under way")


def _settle() -> None:
    """Has the garbage collector leave alone what was there before the first request, and look less
    often after what a thousand requests at once leave. For a process that is all the server's."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)


def to_stderr(text: str) -> None:
    """Prints one message."""
    print(text, file=sys.stderr, flush=True)


Ready = Callable[[Server], None]
"""Told once the server listens."""


async def _serve(options: ServerOptions, notify: Notify, ready: Ready | None) -> None:
    server = Server(options)
    with masked_output(server.secrets):
        async with server:
            stop = catch_signals(server, notify)
            for problem in server.registry.problems:
                notify(f"not served: {problem}")
            if ready is not None:
                ready(server)
            else:
                notify(f"serving {len(server.registry.workflows)} workflows on {server.url}")
            await until_stopped(stop, server, notify)


def serve(
    options: ServerOptions, notify: Notify = to_stderr, *, ready: Ready | None = None
) -> None:
    """Serves compiled workflows until SIGINT or SIGTERM. Needs no compiler.

    Args:
        options: the server's settings.
        notify: told what happens, a sentence at a time.
        ready: told once the server listens.

    Raises:
        ServerError: the server cannot start.
        NodegxError: the history cannot be opened.
    """
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(options, notify, ready))
