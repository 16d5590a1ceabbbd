"""Compiled workflows do what the drawing means: the interpreter in tests/support is the judge.

`NODEGX_HYPOTHESIS_PROFILE=deep` looks at many more drawings than the default.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from nodegx.compiler.diagnostics import DiagnosticError

from tests.support.compiled import Bundle, Outcome, in_directory
from tests.support.drawing import NAME, callees
from tests.support.flow import IllFormed
from tests.support.interpreter import Interpreter, Result
from tests.support.misdrawn import Broken, arbitrary_workflows, broken_workflows
from tests.support.scope import Tie
from tests.support.trace import differences, steps
from tests.support.tricky import CASES, Tricky
from tests.support.workflows import Case, well_formed_workflows

DEEP = os.environ.get("NODEGX_HYPOTHESIS_PROFILE") == "deep"
MARKS = {"success": "", "error": "!", "cancelled": "~", "skipped": "-"}


def profile(examples: int) -> settings:
    """Settings of a property; `deep` multiplies the examples."""
    return settings(
        max_examples=examples * 40 if DEEP else examples,
        deadline=None,
        derandomize=not DEEP,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


def compile_case(document: dict[str, Any], directory: Path) -> Bundle:
    return Bundle([document, *callees()], directory)


def disagreements(expected: Result, outcome: Outcome) -> list[str]:
    """In what the compiled workflow did something else."""
    wrong = differences(expected.trace, outcome.steps)
    for what, want, have in (
        ("status", expected.status, outcome.status),
        ("answer", expected.answer, outcome.answer),
    ):
        if want != have:
            wrong.append(f"the {what} is {have!r}, should be {want!r} ({outcome.error})")
    return wrong


def compare(bundle: Bundle, document: dict[str, Any], runs: list[tuple[str, Any]]) -> None:
    """Holds the compiled workflow against the interpreter for some inputs."""
    interpreter = Interpreter([document, *callees()])
    for trigger, value in runs:
        try:
            expected = interpreter.run(NAME, trigger, value)
        except Tie:
            continue
        outcome = bundle.run(trigger, value)
        wrong = disagreements(expected, outcome)
        if wrong:
            report = "\n".join(wrong)
            ran = " ".join(step.id + MARKS.get(step.status, "?") for step in outcome.steps)
            want = " ".join(step.id + MARKS[step.status] for step in steps(expected.trace))
            pytest.fail(
                f"{report}\n\nran:  {ran}\nwant: {want}\n{trigger} {json.dumps(value)}\n\n"
                f"{json.dumps(document)}\n\n{bundle.text}"
            )


@profile(200)
@given(well_formed_workflows())
def test_well_formed_workflows_run_as_drawn(case: Case) -> None:
    document = case.document

    def run(directory: Path) -> None:
        try:
            bundle = compile_case(document, directory)
        except DiagnosticError as exc:
            findings = "\n".join(f"{d.code} {d.node}: {d.message}" for d in exc.diagnostics)
            pytest.fail(f"refused:\n{findings}\n\n{json.dumps(document)}")
        compare(bundle, document, case.runs)

    in_directory(run)


@profile(250)
@given(arbitrary_workflows())
def test_arbitrary_wiring_runs_as_drawn_or_is_refused(case: Case) -> None:
    document = case.document

    def run(directory: Path) -> None:
        try:
            bundle = compile_case(document, directory)
        except DiagnosticError as exc:
            event(f"refused: {exc.diagnostics[0].code}")
            return
        event("compiled")
        try:
            compare(bundle, document, case.runs)
        except IllFormed as exc:
            pytest.fail(f"compiled, although {exc}\n\n{json.dumps(document)}\n\n{bundle.text}")

    in_directory(run)


@profile(120)
@given(broken_workflows())
def test_mistakes_are_refused_with_their_place(broken: Broken) -> None:
    document = broken.case.document

    def run(directory: Path) -> None:
        with pytest.raises(DiagnosticError) as caught:
            compile_case(document, directory)
        found = caught.value.diagnostics
        assert any(d.code.startswith(broken.codes) for d in found), found
        assert all(d.line and d.column for d in found if d.pointer)
        assert all(d.hint for d in found if d.code.startswith(broken.codes))

    in_directory(run)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_tricky_drawings(case: Tricky, tmp_path: Path) -> None:
    document = case.document()
    bundle = compile_case(document, tmp_path)
    outcome = bundle.run(case.start, case.input)
    ran = [step.id + MARKS[step.status] for step in outcome.steps]
    assert ran == case.steps.split(), bundle.text
    assert outcome.status == case.status
    assert (outcome.answer[1] if outcome.answer else None) == case.answer


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_interpreter_reads_tricky_drawings_as_people_do(case: Tricky) -> None:
    result = Interpreter([case.document(), *callees()]).run(NAME, case.start, case.input)
    assert sorted(step.id + MARKS[step.status] for step in steps(result.trace)) == sorted(
        case.steps.split()
    )
    assert result.status == case.status
    assert (result.answer[1] if result.answer else None) == case.answer


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_tricky_drawings_with_other_inputs(case: Tricky, tmp_path: Path) -> None:
    document = case.document()
    items = [{"n": 4}, {"n": 0}, {"n": 2}]
    compare(
        compile_case(document, tmp_path),
        document,
        [(case.start, {"n": n, "items": items}) for n in range(7)],
    )
