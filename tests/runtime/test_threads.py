from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading
import time

import pytest
from nodegx.runtime.threads import Threads

from tests.support.until import until

tenant: contextvars.ContextVar[str] = contextvars.ContextVar("tenant")


async def test_results_errors_and_context_pass_through() -> None:
    threads = Threads("t", limit=4)
    tenant.set("blue")
    assert await threads.run(lambda: (tenant.get(), threading.current_thread().name[:2])) == (
        "blue",
        "t-",
    )
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 / 0)
    with pytest.raises(RuntimeError, match="StopIteration"):
        await threads.run(lambda: next(iter(())))


async def test_threads_grow_with_the_load_up_to_the_limit() -> None:
    threads = Threads("t", limit=3)
    for _ in range(3):
        await threads.run(time.sleep, 0)
        await until(lambda: threads.idle == threads.alive)
    assert threads.alive == 1
    start = time.perf_counter()
    await asyncio.gather(*(threads.run(time.sleep, 0.05) for _ in range(6)))
    assert threads.alive == 3
    assert time.perf_counter() - start >= 0.09


async def test_many_calls_all_end() -> None:
    threads = Threads("t", limit=8)
    found = await asyncio.gather(*(threads.run(lambda n=n: n * 2) for n in range(2000)))
    assert found == [n * 2 for n in range(2000)]


async def test_a_cancelled_call_that_waits_never_begins() -> None:
    threads = Threads("t", limit=1)
    release, ran = threading.Event(), threading.Event()
    busy = asyncio.create_task(threads.run(release.wait))
    await asyncio.sleep(0.01)
    waiting = asyncio.create_task(threads.run(ran.set))
    await asyncio.sleep(0)
    waiting.cancel()
    release.set()
    await busy
    await threads.run(time.sleep, 0)
    assert waiting.cancelled()
    assert not ran.is_set()


def test_a_blocked_thread_does_not_keep_the_process() -> None:
    code = (
        "import asyncio, time\n"
        "from nodegx.runtime.threads import Threads\n"
        "async def main():\n"
        "    try:\n"
        "        await asyncio.wait_for(Threads('t', 1).run(time.sleep, 60), 0.05)\n"
        "    except TimeoutError:\n"
        "        print('done')\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=20, capture_output=True, text=True)
    assert done.stdout == "done\n"
