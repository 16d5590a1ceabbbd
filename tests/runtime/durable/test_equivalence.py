"""A durable execution does what the same workflow does that is not durable: however often it leaves
its process, and wherever that dies. The interpreter in tests/support is the judge.

`NODEGX_HYPOTHESIS_PROFILE=deep` looks at many more drawings than the default.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from nodegx.runtime import waiting
from nodegx.runtime.durable import execution as executions
from nodegx.runtime.durable import run as durable_run
from nodegx.runtime.durable import suspension, waits
from nodegx.runtime.logs import Log
from nodegx.runtime.values import Trigger

from tests.support.compiled import Bundle, Outcome, in_directory, jump, observed
from tests.support.drawing import NAME, callees
from tests.support.durable_memory import DurableLocalHost, MemoryRuns, run_to_the_end
from tests.support.interpreter import Interpreter
from tests.support.probe import counting
from tests.support.scope import Tie
from tests.support.trace import differences
from tests.support.tricky import CASES, Tricky
from tests.support.workflows import Case, well_formed_workflows

pytestmark = pytest.mark.slow

DEEP = os.environ.get("NODEGX_HYPOTHESIS_PROFILE") == "deep"
IN_MEMORY = 1e9
"""Seconds of `hold` for which nothing leaves the process."""

MOST_DEATHS = 40
"""Places in one execution at which its host dies."""

CONCURRENT = ("run.all(", "run.any(", "concurrency=")


def profile(examples: int) -> settings:
    return settings(
        max_examples=examples * 40 if DEEP else examples,
        deadline=None,
        derandomize=not DEEP,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )


def run(
    bundle: Bundle, trigger: str, value: Any, *, hold: float, deaths: Iterable[int] = ()
) -> tuple[Outcome, int]:
    """What a durable execution of the first workflow does, and how often it wrote."""
    runs: list[MemoryRuns] = []

    async def main() -> Any:
        loop = asyncio.get_running_loop()

        def clock() -> float:
            return 1e6 + loop.time()

        with ExitStack() as stack:
            for module in (suspension, waits, durable_run, executions, waiting):
                if hasattr(module, "time"):
                    stack.enter_context(mock.patch.object(module, "time", clock))
            runs.append(MemoryRuns())
            host = DurableLocalHost(runs[0], hold=hold, workflows=bundle.workflows)
            workflow = bundle.workflows[bundle.compiled[0].name]
            log = Log(stream=io.StringIO())
            starts = Trigger(trigger, "trigger.manual", value)
            return await run_to_the_end(workflow, starts, host, deaths=deaths, log=log)

    with counting({}):
        execution = jump(main())
    record, reply = execution.record, execution.answer
    error = json.loads(record.error)["message"] if record.error else None
    answer = (reply.status, reply.body) if reply else None
    return Outcome(str(record.status), error, answer, observed(record.steps)), runs[0].appends


def disagreements(bundle: Bundle, document: dict[str, Any], trigger: str, value: Any) -> list[str]:
    try:
        expected = Interpreter([document, *callees()]).run(NAME, trigger, value)
    except Tie:
        return []
    found: list[str] = []

    def compare(name: str, outcome: Outcome) -> None:
        found.extend(f"{name}: {each}" for each in differences(expected.trace, outcome.steps))
        for what, want, have in (
            ("status", expected.status, outcome.status),
            ("answer", expected.answer, outcome.answer),
        ):
            if want != have:
                found.append(f"{name}: the {what} is {have!r}, not {want!r} ({outcome.error})")

    outcome, _ = run(bundle, trigger, value, hold=IN_MEMORY)
    compare("in memory", outcome)
    outcome, writes = run(bundle, trigger, value, hold=0.0)
    compare("suspended at each wait", outcome)
    if any(mark in bundle.text for mark in CONCURRENT):
        return found  # what was under way when a host died begins anew, and may lose its race
    deaths = range(1, writes + 1, 1 + writes // MOST_DEATHS)
    for position in deaths:
        outcome, _ = run(bundle, trigger, value, hold=0.0, deaths=[position])
        compare(f"dead after write {position}", outcome)
    outcome, _ = run(bundle, trigger, value, hold=0.0, deaths=deaths)
    compare("dead after each of these writes", outcome)
    return found


def check(case: Case) -> None:
    def examine(directory: Path) -> str:
        bundle = Bundle([case.document, *callees()], directory)
        for trigger, value in case.runs:
            found = disagreements(bundle, case.document, trigger, value)
            if found:
                return "\n".join([*found, f"{trigger}: {json.dumps(value)}", bundle.text])
        return ""

    fault = in_directory(examine)
    if fault:
        pytest.fail(fault)


@profile(60)
@given(well_formed_workflows())
def test_well_formed_workflows_end_the_same_wherever_they_are_interrupted(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_tricky_drawings_end_the_same_wherever_they_are_interrupted(case: Tricky) -> None:
    check(Case(case.document(), [(case.start, case.input)]))
