"""What `nodegx compile --target aws` writes."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nodegx.compiler.project import Project
from nodegx.compiler.targets.aws.emit import Emitted, emit_aws

from tests.support.manifests import EXAMPLES, compiled, drawn, manifests_of, write_project

GOLDEN = Path(__file__).with_name("golden")
MANUAL = ("trigger.manual", {})


def example(name: str, directory: Path) -> Project:
    """A copy of an example, compiled."""
    shutil.copytree(EXAMPLES / name, directory, ignore=shutil.ignore_patterns("build", ".nodegx"))
    return compiled(directory)


def emit(project: Project, out: Path | None = None) -> Emitted:
    return emit_aws(project, manifests_of(project), out)


def tree(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_program_of_an_example(tmp_path: Path) -> None:
    emitted = emit(example("process-order", tmp_path / "p"))
    assert emitted.ok
    names = ["__main__.py", "Pulumi.yaml", "plan.json"]
    names += [f"functions/{slug}/entry.py" for slug in ("process_order", "notify_ops")]
    texts = {name: (emitted.directory / name).read_text("utf-8") for name in names}
    texts["stack.yaml"] = (tmp_path / "p/stacks/aws/Pulumi.prod.yaml").read_text("utf-8")
    for name, text in texts.items():
        golden = GOLDEN / f"{name.replace('/', '.')}.txt"
        if os.environ.get("UPDATE_GOLDEN"):
            golden.write_text(text, "utf-8")
        assert text == golden.read_text("utf-8"), name


def test_what_goes_into_a_bundle(tmp_path: Path) -> None:
    emitted = emit(example("process-order", tmp_path / "p"))
    files = tree(emitted.directory / "functions/process_order")
    own = {name for name in files if not name.startswith("nodegx/")}
    assert own == {"entry.py", "handler.py", "handler.map.json", "manifest.json"}
    assert {"nodegx/runtime/aws/entry.py", "nodegx/runtime/aws/http.py"} <= files.keys()
    assert "nodegx/runtime/nodes/http.py" in files
    assert "nodegx/runtime/__main__.py" not in files
    assert "nodegx/runtime/history/sqlite.py" not in files
    for name, content in files.items():
        if name.endswith(".py"):
            ast.parse(content)


def test_an_entry_is_importable_where_only_its_bundle_is(tmp_path: Path) -> None:
    write_project(tmp_path / "p", drawn("/Flow", MANUAL))
    emitted = emit(compiled(tmp_path / "p"))
    run = subprocess.run(
        [sys.executable, "-S", "-c", "import entry; print(entry.handler({'input': 1}, None))"],
        cwd=emitted.directory / "functions/flow",
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "'status': 'success'" in run.stdout, run.stderr


def test_two_checkouts_give_the_same_bytes(tmp_path: Path) -> None:
    one = emit(example("event-fanout", tmp_path / "one"))
    other = emit(example("event-fanout", tmp_path / "deeper/down/other"))
    assert tree(one.directory) == tree(other.directory)


def test_what_is_right_is_left_alone(tmp_path: Path) -> None:
    project = example("nightly-report", tmp_path / "p")
    first = emit(project)
    assert {path.name for path in first.changed} == {
        "__main__.py",
        "Pulumi.yaml",
        "requirements.txt",
        "plan.json",
        "nightly_report",
    }
    stamps = {path: path.stat().st_mtime_ns for path in first.directory.rglob("*")}
    second = emit(project)
    assert not second.changed
    assert not second.created
    assert {path: path.stat().st_mtime_ns for path in first.directory.rglob("*")} == stamps


def test_files_of_stacks_are_written_once(tmp_path: Path) -> None:
    project = write_project(tmp_path / "p", drawn("/Flow", MANUAL))
    created = emit(project).created
    assert [path.name for path in created] == ["Pulumi.dev.yaml", "Pulumi.prod.yaml"]
    created[0].write_text("config: {}\n")
    created[1].unlink()
    assert not emit(project).created
    assert created[0].read_text() == "config: {}\n"


def test_a_workflow_that_is_gone_leaves_no_function(tmp_path: Path) -> None:
    project = write_project(tmp_path / "p", drawn("/A", MANUAL), drawn("/B", MANUAL))
    emitted = emit(project)
    (emitted.directory / "functions/notes").mkdir()
    (tmp_path / "p/workflows/B.json").unlink()
    again = emit(compiled(tmp_path / "p"))
    assert emitted.directory / "functions/b" in again.changed
    left = {path.name for path in (emitted.directory / "functions").iterdir()}
    assert left == {"a", "notes"}


def test_nothing_is_written_where_something_is_wrong(tmp_path: Path) -> None:
    flow = drawn("/Flow", ("trigger.schedule", {"cron": "0 0 13 * FRI"}))
    emitted = emit(write_project(tmp_path / "p", flow))
    assert not emitted.ok
    (found,) = emitted.diagnostics
    assert (found.code, found.node) == ("NX701", "trigger0")
    assert found.file == tmp_path / "p/workflows/Flow.json"
    assert found.excerpt is not None
    assert "0 0 13 * FRI" in found.excerpt.text
    assert found.pointer == ("nodes", 1, "parameters", "cron")
    assert not emitted.directory.exists()


def test_findings_have_places_in_bundles_and_settings(tmp_path: Path) -> None:
    directory = tmp_path / "p"
    project = write_project(directory, drawn("/Flow", MANUAL))
    bundle = {"components": [drawn("/A", MANUAL), drawn("/B", MANUAL, memory=64)]}
    (directory / "workflows/bundle.json").write_text(json.dumps(bundle, indent=1))
    found = emit(compiled(project.root)).diagnostics
    assert [(each.code, each.pointer) for each in found] == [
        ("NX703", ("components", 1, "settings", "memory"))
    ]
    assert found[0].line


def test_a_file_that_has_changed_meanwhile(tmp_path: Path) -> None:
    project = write_project(tmp_path / "p", drawn("/Flow", MANUAL, memory=64))
    (tmp_path / "p/workflows/Flow.json").write_text("{")
    (found,) = emit(project).diagnostics
    assert (found.code, found.line) == ("NX703", None)


def test_a_workflow_of_that_name_is_in_the_way(tmp_path: Path) -> None:
    emitted = emit(write_project(tmp_path / "p", drawn("/Aws", MANUAL)))
    assert [found.code for found in emitted.diagnostics] == ["NX606"]


def test_another_build_directory(tmp_path: Path) -> None:
    project = write_project(tmp_path / "p", drawn("/Flow", MANUAL))
    out = tmp_path / "elsewhere"
    shutil.copytree(project.build, out)
    emitted = emit(project, out)
    assert emitted.directory == out / "aws"
    settings = (out / "aws/Pulumi.yaml").read_text()
    assert 'stackConfigDir: "../../p/stacks/aws"' in settings


@pytest.mark.parametrize(
    "name", ['"""\nimport os', "a\\", "Größe {{ x }} {% y %}", "#: !yaml", "'; x"]
)
def test_whatever_a_project_is_called(tmp_path: Path, name: str) -> None:
    line = " ".join(name.split())
    flow = {**drawn("/Flow", MANUAL), "description": f"{name}\n{name}"}
    emitted = emit(write_project(tmp_path / "p", flow, name=line, vars={"x": "\"'{{"}))
    text = (emitted.directory / "__main__.py").read_text("utf-8")
    module = ast.parse(text)
    calls = [each.value for each in module.body if isinstance(each, ast.Assign)]
    assert isinstance(calls[0], ast.Call)
    assert ast.literal_eval(calls[0].args[0]) == line
    assert isinstance(calls[1], ast.Call)
    function = calls[1].args[1]
    assert isinstance(function, ast.Call)
    given = {each.arg: each.value for each in function.keywords}
    assert ast.literal_eval(given["description"]) == f"{name}\n{name}"
