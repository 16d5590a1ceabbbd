"""Compiled workflows do what the drawing means: the interpreter in tests/support is the judge.

`NODEGX_HYPOTHESIS_PROFILE=deep` looks at many more drawings than the default.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from nodegx.compiler.diagnostics import DiagnosticError

from tests.support.compiled import Bundle, in_directory
from tests.support.drawing import NAME, callees
from tests.support.flow import IllFormed
from tests.support.interpreter import Interpreter
from tests.support.misdrawn import Broken, arbitrary_workflows, broken_workflows
from tests.support.reduce import reduced
from tests.support.scope import Tie
from tests.support.trace import differences, steps
from tests.support.tricky import CASES, Node, Tricky, again, each, fail, guard, put, when
from tests.support.workflows import Case, well_formed_workflows

pytestmark = pytest.mark.slow

DEEP = os.environ.get("NODEGX_HYPOTHESIS_PROFILE") == "deep"
MARKS = {"success": "", "error": "!", "cancelled": "~", "skipped": "-"}


def profile(examples: int) -> settings:
    """Settings of a property; `deep` multiplies the examples."""
    return settings(
        max_examples=examples * 40 if DEEP else examples,
        deadline=None,
        derandomize=not DEEP,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )


def compile_case(document: dict[str, Any], directory: Path) -> Bundle:
    return Bundle([document, *callees()], directory)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a compiled workflow. `kind` stays the same while it gets smaller."""

    kind: str
    report: str


def disagreement(bundle: Bundle, case: Case) -> Fault | None:
    """In what the compiled workflow does something else than the interpreter, if it does."""
    interpreter = Interpreter([case.document, *callees()])
    for trigger, value in case.runs:
        try:
            expected = interpreter.run(NAME, trigger, value)
        except Tie:
            continue
        except IllFormed as exc:
            return Fault("compiled", f"compiled, although {exc}")
        outcome = bundle.run(trigger, value)
        wrong = differences(expected.trace, outcome.steps)
        for what, want, have in (
            ("status", expected.status, outcome.status),
            ("answer", expected.answer, outcome.answer),
        ):
            if want != have:
                wrong.append(f"the {what} is {have!r}, should be {want!r} ({outcome.error})")
        if wrong:
            ran = " ".join(step.id + MARKS.get(step.status, "?") for step in outcome.steps)
            want = " ".join(step.id + MARKS[step.status] for step in steps(expected.trace))
            lines = [*wrong, f"ran:  {ran}", f"want: {want}", f"{trigger}: {json.dumps(value)}"]
            return Fault("behaviour", "\n".join(lines))
    return None


def fault_of(case: Case, *, may_be_refused: bool = False) -> Fault | None:
    """What is wrong with the compilation of a drawing or with what it gives, if anything is."""

    def examine(directory: Path) -> Fault | None:
        try:
            bundle = compile_case(case.document, directory)
        except DiagnosticError as exc:
            first = exc.diagnostics[0]
            if may_be_refused:
                event(f"refused: {first.code}")
                return None
            return Fault(first.code, f"refused: {first.code} {first.node}: {first.message}")
        fault = disagreement(bundle, case)
        return fault and Fault(fault.kind, f"{fault.report}\n\n{bundle.text}")

    return in_directory(examine)


def expect_no_fault(case: Case, *, may_be_refused: bool = False) -> None:
    """Fails with the smallest drawing that shows the same fault, its JSON and its handler."""

    def look(document: dict[str, Any]) -> Fault | None:
        return fault_of(Case(document, case.runs), may_be_refused=may_be_refused)

    def shows(document: dict[str, Any]) -> bool:
        try:
            found = look(document)
        except Exception:
            return False
        return found is not None and found.kind == fault.kind

    fault = look(case.document)
    if fault is not None:
        is_about_names = fault.kind.startswith("NX4")  # any smaller drawing lacks some name
        small = case.document if is_about_names else reduced(case.document, shows)
        found = look(small) or fault
        pytest.fail(f"{found.report}\n\n{json.dumps(small)}")


@profile(200)
@given(well_formed_workflows())
def test_well_formed_workflows_run_as_drawn(case: Case) -> None:
    expect_no_fault(case)


@profile(250)
@given(arbitrary_workflows())
def test_arbitrary_wiring_runs_as_drawn_or_is_refused(case: Case) -> None:
    expect_no_fault(case, may_be_refused=True)


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
    runs = [(case.start, {"n": n, "items": items}) for n in range(7)]
    bundle = compile_case(document, tmp_path)
    fault = disagreement(bundle, Case(document, runs))
    assert fault is None, f"{fault.report}\n\n{bundle.text}"


NESTS: dict[str, tuple[Node, str]] = {
    "handlers": (fail(), "{0}.failure > {1}"),
    "tries": (guard(), "{0}.try > {1}; {0}.catch > c{0}"),
    "tries with finally": (guard(), "{0}.try > {1}; {0}.catch > c{0}; {0}.finally > f{0}"),
    "catches with finally": (guard(), "{0}.try > b{0}; {0}.catch > {1}; {0}.finally > f{0}"),
    "finally parts": (guard(), "{0}.try > b{0}; {0}.finally > {1}"),
    "conditions": (when("{{ start.n > 2 }}"), "{0}.true > {1}; {0}.false > e{0}"),
    "loops": (each([1]), "{0}.iteration > {1}"),
    "attempts": (again(2), "{0}.attempt > {1}"),
    "branches": (put(), "{0} > {1} e{0}"),
}


@pytest.mark.parametrize("depth", [1, 5, 7, 8, 9, 12, 16, 17, 20, 24, 30, 47, 60, 120])
@pytest.mark.parametrize("kind", NESTS)
def test_deep_nesting_runs_or_is_refused(kind: str, depth: int) -> None:
    outer, pattern = NESTS[kind]
    wires = "start > n0;" + ";".join(pattern.format(f"n{at}", f"n{at + 1}") for at in range(depth))
    used = {word.partition(".")[0] for word in wires.replace(">", " ").replace(";", " ").split()}
    nodes = {
        name: outer if name.startswith("n") and name != f"n{depth}" else put()
        for name in sorted(used - {"start"})
    }
    for name in nodes:
        if name.startswith("b"):
            nodes[name] = fail()
    drawing = Tricky(kind, nodes, wires, "")
    fault = fault_of(Case(drawing.document(), [("start", drawing.input)]))
    assert fault is None or (fault.kind == "NX509" and depth > 6), fault
