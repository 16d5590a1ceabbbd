"""Compiles many files at once, on every core."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from .worker import Outcome

WORTH_A_POOL = 48
"""Files below which starting processes costs more than it saves."""
CHUNK = 16


class Compile(Protocol):
    """Compiles one file, given the names of the durable workflows in others."""

    def __call__(self, path: Path, *, durable: frozenset[str]) -> Outcome: ...


def compile_all(
    paths: list[Path], jobs: int | None, compile_one: Callable[[Path], Outcome]
) -> Iterator[Outcome]:
    """Outcomes for `paths`, in their order, as they come.

    Args:
        paths: workflow files.
        jobs: processes to use; None takes one for each core where that pays, 1 uses none.
        compile_one: what to do with a file; it is sent to other processes, so no lambda.
    """
    wanted = jobs if jobs is not None else _cores() if len(paths) >= WORTH_A_POOL else 1
    if wanted <= 1 or len(paths) < 2:
        return map(compile_one, paths)
    return _in_pool(paths, wanted, compile_one)


def _in_pool(
    paths: Iterable[Path], jobs: int, compile_one: Callable[[Path], Outcome]
) -> Iterator[Outcome]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Not forked: the caller may have threads (a progress display, a server).
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context)
    try:
        yield from pool.map(compile_one, paths, chunksize=CHUNK)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
