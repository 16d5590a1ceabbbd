"""Handlers read as if written by hand: golden pairs, and the rules behind them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nodegx.compiler.pipeline import compile_source
from nodegx.compiler.read import read

from tests.support.graphs import (
    body,
    compiled,
    data_wire,
    document,
    findings,
    node,
    put,
    when,
)

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(GOLDEN.glob("*.json"))


def handler(path: Path) -> str:
    (one,) = compile_source(read(path))
    return one.handler


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_golden(path: Path, update_golden: bool) -> None:
    expected = path.with_suffix(".py")
    text = handler(path)
    if update_golden:
        expected.write_text(text, "utf-8")
    assert text == expected.read_text("utf-8"), "see --update-golden"
    compile(text, str(expected), "exec", dont_inherit=True)


def test_there_is_a_pair_for_every_construct() -> None:
    assert len(CASES) >= 40
    assert {path.stem for path in CASES} == {path.stem for path in GOLDEN.glob("*.py")}


@pytest.mark.parametrize(
    "command", [["format", "--check", "--line-length", "100"], ["check"]], ids=["format", "check"]
)
def test_golden_handlers_satisfy_ruff(command: list[str], tmp_path: Path) -> None:
    for path in CASES:
        (tmp_path / f"{path.stem}.py").write_text(handler(path), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def own_lines(text: str) -> int:
    """Lines of a handler that are not the header and not the user's own parameters: a statement
    counts one line however many its arguments take."""
    module = ast.parse(text)
    return sum(
        isinstance(part, ast.stmt | ast.ExceptHandler) and not _is_header(part, module)
        for part in ast.walk(module)
    ) + sum(bool(getattr(part, "orelse", None)) for part in ast.walk(module))


def _is_header(part: ast.AST, module: ast.Module) -> bool:
    is_text = isinstance(part, ast.Expr) and part is module.body[0]
    return is_text or isinstance(part, ast.Import | ast.ImportFrom)


def test_process_order_takes_about_two_lines_a_node() -> None:
    source = read(GOLDEN / "process-order.json")
    text = handler(GOLDEN / "process-order.json")
    nodes = len(source.data["nodes"])
    declarations = sum(" = Node(" in line for line in text.splitlines())
    signature = 1
    assert own_lines(text) - declarations - signature <= 2 * nodes
    assert own_lines(text) <= 3 * nodes


def test_process_order_nests_no_deeper_than_needed() -> None:
    text = handler(GOLDEN / "process-order.json")
    function = text[text.index("async def") :]
    statements = [line for line in function.splitlines() if line.strip().startswith("await run")]
    assert max(len(line) - len(line.lstrip()) for line in statements) <= 12


# ------------------------------------------------------------------------------ variables


def test_what_nobody_reads_is_not_assigned() -> None:
    assert body(document("start > a > b")) == (
        "    await run.step(A, data.set, 0)\n    await run.step(B, data.set, 0)"
    )


def test_a_variable_that_may_be_missing_starts_as_none_right_before_the_branching() -> None:
    drawn = document(
        "start > first > big; big.true > a > end; big.false > end",
        when("big"),
        put("end", "{{ a }}"),
    )
    assert body(drawn) == (
        "    start = run.trigger\n"
        "    await run.step(FIRST, data.set, 0)\n"
        "    a = None\n"
        '    if run.branch(BIG, start["n"] > 1):\n'
        "        a = await run.step(A, data.set, 0)\n"
        "    await run.step(END, data.set, a)"
    )


def test_a_variable_that_is_only_read_in_its_branch_stays_there() -> None:
    drawn = document(
        "start > a b; a > a2 > m; b > m", node("m", "logic.merge"), put("a2", "{{ a }}")
    )
    text = body(drawn)
    assert "nonlocal" not in text
    assert "None" not in text.replace("-> None", "")


def test_every_attempt_starts_without_the_values_of_the_last_one() -> None:
    drawn = document(
        "start > again > end; again.attempt > big; big.true > a > b; big.false > b",
        node("again", "logic.retry"),
        when("big"),
        put("b", "{{ a }}"),
        put("end", "{{ a }}"),
    )
    assert "        nonlocal a\n        a = None\n" in body(drawn)


# ------------------------------------------------------------------------------ parameters


def test_defaults_are_left_out() -> None:
    call = node("call", "http.request", url="https://x.example.com", method="GET", timeout=30)
    assert (
        body(document("start > call", call))
        == '    await run.step(CALL, http.request, "GET", "https://x.example.com")'
    )


def test_a_data_wire_overrides_the_parameter() -> None:
    drawn = data_wire(document("start > a > b"), "a.value", "b.value")
    assert body(drawn).endswith("await run.step(B, data.set, a)")


def test_a_data_wire_from_a_named_port() -> None:
    drawn = data_wire(
        document("start > call > b", node("call", "http.request", url="https://x.example.com")),
        "call.status",
        "b.value",
    )
    assert body(drawn).endswith("await run.step(B, data.set, call.status)")


def test_only_imports_what_is_used() -> None:
    imports = [
        line for line in compiled(document("start > a")).handler.splitlines() if "import" in line
    ]
    assert imports == [
        "from nodegx.runtime import Node, Run, workflow",
        "from nodegx.runtime.nodes import data",
    ]


def test_names_of_nodes_cannot_take_over_names_of_the_code() -> None:
    ids = ["run", "Node", "workflow", "data", "fx", "exc", "print", "drawn", "Any", "match"]
    drawn = document(
        "start > " + " > ".join(ids) + " > end",
        put("end", [f'{{{{ nodes["{id}"] }}}}' for id in ids]),
    )
    text = compiled(drawn).handler
    compile(text, "handler", "exec")
    assigned = {
        target.id
        for part in ast.walk(ast.parse(text))
        if isinstance(part, ast.Assign)
        for target in part.targets
        if isinstance(target, ast.Name)
    }
    assert not assigned & {"run", "Node", "workflow", "data", "fx", "exc", "print", "drawn", "Any"}


# ------------------------------------------------------------------------------ pure nodes


def pure(id: str, value: Any) -> dict[str, Any]:
    return node(id, "data.value", value=value)


LONG = "{{ sum([line.a * line.b for line in start.lines]) }}"


def test_a_trivial_pure_node_is_written_at_each_use() -> None:
    drawn = document(
        "start > a > b",
        pure("who", "{{ start.who }}"),
        put("a", "{{ who }}"),
        put("b", "{{ who }}"),
    )
    assert body(drawn).count('start["who"]') == 2


def test_a_pure_node_that_is_used_once_is_written_in_its_place() -> None:
    assert "total =" not in body(
        document("start > a", pure("total", LONG), put("a", "{{ total }}"))
    )


def test_a_pure_node_that_is_used_twice_is_computed_once() -> None:
    drawn = document(
        "start > a > b", pure("total", LONG), put("a", "{{ total }}"), put("b", "{{ total }}")
    )
    assert body(drawn).count("sum(") == 1


def test_a_pure_node_under_a_condition_is_not_computed_before_it() -> None:
    value = "{{ total if start.lines else 0 }}"
    drawn = document("start > a > b", pure("total", LONG), put("a", value), put("b", value))
    assert body(drawn).count("sum(") == 2


def test_a_pure_node_that_may_read_a_missing_value_is_computed_at_each_use() -> None:
    drawn = document(
        "start > big; big.true > x > a; big.false > a > b",
        when("big"),
        pure("total", "{{ [x, x, x, x, x, x] }}"),
        put("a", "{{ total }}"),
        put("b", "{{ total }}"),
    )
    assert body(drawn).count("[x, x") == 2


def test_values_of_values_without_end_are_refused() -> None:
    chain = [pure(f"v{at}", f"{{{{ [v{at - 1}, v{at - 1}] }}}}") for at in range(1, 60)]
    drawn = document("start > a", pure("v0", "{{ start }}"), *chain, put("a", "{{ v59 }}"))
    assert {found.code for found in findings(drawn)} == {"NX401"}


# ------------------------------------------------------------------------------ user code


def code(text: str, **parameters: Any) -> dict[str, Any]:
    return document("start > c > end", node("c", "code.python", code=text, **parameters))


def test_code_is_kept_to_the_letter() -> None:
    text = 'x = """a\n  b"""  # note\nif x:\n\n  return  [ x,\n     1 ]\nreturn f"""{x}\nend"""'
    handler = compiled(code(text)).handler
    function = ast.parse(handler).body
    (made,) = (part for part in function if isinstance(part, ast.FunctionDef))
    assert [ast.dump(part) for part in made.body] == [
        ast.dump(part) for part in ast.parse(text).body
    ]
    assert "# note" in handler
    assert "return  [ x," in handler


@pytest.mark.parametrize(
    "text",
    [
        "return 1\n\ndef inner():\n    return 2",
        "class A:\n\tx = 1\nreturn A.x",
        'return """\n)\n\nimport os\n"""',
        "# only a comment",
        "return (1 +\n2)",
        "x = 1 \\\n  + 2\nreturn x",
        "return [\n# c\n1]",
        "return 1\r\n",
    ],
)
def test_code_stays_one_function(text: str) -> None:
    module = ast.parse(compiled(code(text)).handler)
    functions = [part.name for part in module.body if isinstance(part, ast.FunctionDef)]
    assert functions == ["c_code"]
    assert not any(isinstance(part, ast.ClassDef) for part in module.body)


def test_code_that_awaits_runs_on_the_event_loop() -> None:
    text = compiled(code("import asyncio\nawait asyncio.sleep(0)")).handler
    assert "async def c_code() -> Any:" in text
    assert "run.step(C, c_code)" in text


def test_code_that_only_defines_something_that_awaits_runs_in_a_thread() -> None:
    text = compiled(code("async def later():\n    await x\nreturn 1")).handler
    assert "python.in_thread(c_code)" in text


@pytest.mark.parametrize(
    ("text", "line"),
    [("x = 1\nreturn )", 2), ("yield 1", 1), ("x = 1\nif x:\nreturn", 3), ("nonlocal x", 1)],
)
def test_wrong_code_is_pointed_at_inside_the_json(text: str, line: int) -> None:
    drawn = code(text)
    (found,) = findings(drawn)
    assert found.code == "NX319"
    assert found.pointer[-2:] == ("parameters", "code")
    assert text.count("\n", 0, found.offset) + 1 == line


# ------------------------------------------------------------------------------ source map


def test_every_step_can_be_traced_to_its_node() -> None:
    (one,) = compile_source(read(GOLDEN / "process-order.json"))
    lines = one.handler.splitlines()
    owners = {node: (first, last) for first, last, node in one.source_map}
    for name in ("validate", "reject", "large", "charge", "accept", "refuse", "invoice", "confirm"):
        first, last = owners[name]
        assert any(name.upper() in line for line in lines[first - 1 : last])


def test_code_of_users_belongs_to_its_node() -> None:
    one = compiled(code("return 1"))
    number = one.handler.splitlines().index("    return 1") + 1
    assert any(first <= number <= last for first, last, node in one.source_map if node == "c")
