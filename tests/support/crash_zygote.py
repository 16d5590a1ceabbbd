"""Drives the processes that fork servers; see `crash_server`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WITHIN = 60.0
"""Seconds that a server may take to end."""

SIGKILL = signal.SIGKILL.value


class Zygote:
    """A process that forks servers, one at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._died: asyncio.Task[int] | None = None
        self.url = ""
        self.pid = 0

    async def start(self, order: dict[str, Any]) -> None:
        """Starts a server, and returns once it listens or is dead."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(order)}\n".encode())
        await self._process.stdin.drain()
        self.pid = int(await self._line("pid"))
        word, value = await self._read()
        if word == "up":
            self.url = value
            self._died = asyncio.create_task(self._ended())
        else:
            assert word == "ended", (word, value)
            self._died = asyncio.create_task(_value(int(value)))

    @property
    def dead(self) -> bool:
        """Whether the server has ended."""
        return self._died is not None and self._died.done()

    async def wait(self) -> int:
        """The signal that has killed the server; 0 if it was none."""
        assert self._died is not None
        return await asyncio.wait_for(asyncio.shield(self._died), WITHIN)

    async def _ended(self) -> int:
        return int(await self._line("ended"))

    async def _line(self, word: str) -> str:
        found, value = await self._read()
        assert found == word, f"{found} {value} in place of {word}"
        return value

    async def _read(self) -> tuple[str, str]:
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode()
        assert line, "the process that forks servers has ended"
        word, _, value = line.strip().partition(" ")
        return word, value


async def _value(value: int) -> int:
    return value


@asynccontextmanager
async def zygote() -> AsyncIterator[Zygote]:
    """A process that forks servers. Those that still run at the end are killed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.crash_server"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    made = Zygote(process)
    try:
        yield made
    finally:
        await kill(made)
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def kill(server: Zygote, number: int = signal.SIGKILL) -> None:
    """Sends a signal to the server, if it runs, and waits until it has ended."""
    if server.pid and not server.dead:
        os.kill(server.pid, number)
        await server.wait()
