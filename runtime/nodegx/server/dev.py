"""The development server: compiles and reloads whatever is saved."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import watchfiles
from nodegx.runtime.history.masking import masked_output
from watchfiles import Change

from .options import ServerOptions
from .serving import (
    Notify,
    Reloaded,
    Server,
    catch_signals,
    loop_factory,
    to_stderr,
    until_stopped,
)

STEP = 20  # milliseconds without a further change until a group of changes is complete
GROUP = 200  # milliseconds that a group of changes may take at most
SUFFIXES = (".json", ".py", ".env")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a compilation brought.

    Args:
        report: findings, as the user should see them; empty if there are none.
        options: the server's settings, read anew, where they may have changed. Variables and
            environment take effect.
    """

    report: str = ""
    options: ServerOptions | None = None


Watch = Callable[..., AsyncGenerator[set[tuple[Change, str]], None]]

Compile = Callable[[], Outcome]
"""Compiles the project into its build directory. Runs in a thread; workflows with errors keep
what was built of them before."""


def serve(
    options: ServerOptions,
    compile: Compile,
    watch: Iterable[Path],
    notify: Notify = to_stderr,
    *,
    ready: Callable[[Server], None] | None = None,
) -> None:
    """Serves a project until SIGINT or SIGTERM, and reloads it when a file is saved.

    Args:
        options: the server's settings; `options.root` itself is watched as well, for
            `nodegx.json` and `.env`.
        compile: compiles the project; called at the start and after each change.
        watch: directories of workflow files.
        notify: told what happens, a sentence at a time.
        ready: told once the server listens.

    Raises:
        ServerError: the server cannot start.
        NodegxError: the history cannot be opened.
    """
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(options, compile, tuple(watch), notify, ready))


async def _serve(
    options: ServerOptions,
    compile: Compile,
    watch: tuple[Path, ...],
    notify: Notify,
    ready: Callable[[Server], None] | None,
) -> None:
    outcome = await asyncio.to_thread(compile)
    if outcome.report:
        notify(outcome.report)
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
            reloading = asyncio.create_task(keep_fresh(server, compile, watch, notify))
            try:
                await until_stopped(stop, server, notify)
            finally:
                reloading.cancel()
                await asyncio.wait([reloading])


async def keep_fresh(
    server: Server, compile: Compile, watch: Iterable[Path], notify: Notify
) -> None:
    """Compiles and reloads after each change, until it is cancelled."""
    dirty = asyncio.Event()
    watchers = [asyncio.create_task(_watch(path, dirty, recursive=True)) for path in watch]
    if server.options.root is not None:
        watchers.append(asyncio.create_task(_watch(server.options.root, dirty, recursive=False)))
    try:
        while True:
            await dirty.wait()
            dirty.clear()
            await _refresh(server, compile, notify)
    finally:
        for watcher in watchers:
            watcher.cancel()


async def _watch(path: Path, dirty: asyncio.Event, *, recursive: bool) -> None:
    awatch = cast(Watch, watchfiles.awatch)  # pyright: ignore[reportUnknownMemberType]
    async for _ in awatch(
        path,
        recursive=recursive,
        watch_filter=_relevant,
        step=STEP,
        debounce=GROUP,
    ):
        dirty.set()


def _relevant(change: Change, path: str) -> bool:
    name = path.replace("\\", "/").rpartition("/")[2]
    if name == ".env":
        return True
    return name.endswith(SUFFIXES) and not name.startswith(".")


async def _refresh(server: Server, compile: Compile, notify: Notify) -> None:
    begin = time.perf_counter()
    try:
        outcome = await asyncio.to_thread(compile)
        if outcome.report:
            notify(outcome.report)
        reloaded = await server.reload(outcome.options)
    except Exception as exc:  # whatever went wrong, the old version goes on serving
        notify(f"not reloaded: {exc}")
        return
    summary = describe(reloaded)
    if summary:
        notify(f"{summary} ({(time.perf_counter() - begin) * 1000:.0f} ms)")
    for problem in reloaded.problems:
        notify(f"not served: {problem}")


def describe(reloaded: Reloaded) -> str:
    """A reload in words; empty if nothing has changed."""
    parts = [
        f"{word} {', '.join(name.rpartition('/')[2] for name in names)}"
        for word, names in (
            ("added", reloaded.added),
            ("reloaded", reloaded.changed),
            ("removed", reloaded.removed),
        )
        if names
    ]
    return "; ".join(parts)
