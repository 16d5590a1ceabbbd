"""Projects: finding them, their settings, and their workflow files."""

import json
from pathlib import Path
from typing import Any

import pytest
from nodegx.compiler.diagnostics import DiagnosticError
from nodegx.compiler.project import find_project, load_project

EXAMPLES = Path(__file__).parents[2] / "examples"


def project_at(root: Path, **settings: Any) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / "nodegx.json").write_text(json.dumps({"name": "shop", **settings}))
    return root


def test_defaults(tmp_path: Path) -> None:
    project = load_project(project_at(tmp_path))
    assert project.name == "shop"
    assert project.workflows == tmp_path / "workflows"
    assert project.build == tmp_path / "build"
    assert project.history_path == tmp_path / ".nodegx" / "history.sqlite3"
    assert (project.vars, project.env) == ({}, [])
    assert (project.spec.server.host, project.spec.server.port) == ("127.0.0.1", 8080)
    assert project.spec.history.retention_days == 30


def test_every_setting(tmp_path: Path) -> None:
    project = load_project(
        project_at(
            tmp_path,
            workflows="flows/cloud",
            build="out",
            vars={"url": "https://a.example", "regions": ["n", None, {"a": 1.5}]},
            env=["REGION"],
            history={"path": "/var/lib/shop.sqlite3", "retentionDays": 7},
            server={"host": "::1", "port": 0},
        )
    )
    assert project.workflows == tmp_path / "flows" / "cloud"
    assert project.history_path == Path("/var/lib/shop.sqlite3")
    assert project.vars["regions"] == ["n", None, {"a": 1.5}]


def test_a_project_is_found_from_below(tmp_path: Path) -> None:
    root = project_at(tmp_path / "shop")
    deep = root / "workflows" / "a" / "b"
    deep.mkdir(parents=True)
    assert find_project(deep) == root
    assert find_project(root) == root
    assert find_project(tmp_path) is None


def test_workflow_files_in_order(tmp_path: Path) -> None:
    root = project_at(tmp_path)
    for name in ("b.json", "a/z.json", "a.json", "a/.hidden.json", ".git/x.json", "note.txt"):
        path = root / "workflows" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    (root / "workflows" / "folder.json").mkdir()
    files = load_project(root).workflow_files()
    assert [path.relative_to(root / "workflows").as_posix() for path in files] == [
        "a.json",
        "a/z.json",
        "b.json",
    ]


def test_no_workflows_at_all(tmp_path: Path) -> None:
    assert load_project(project_at(tmp_path)).workflow_files() == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"name": 1}, "NX203 name"),
        ({"nmae": "x"}, "NX201 nmae"),
        ({"build": "../elsewhere"}, "NX204 build"),
        ({"build": "/etc"}, "NX204 build"),
        ({"build": "C:/x"}, "NX204 build"),
        ({"build": "a/../../b"}, "NX204 build"),
        ({"build": "..\\b"}, "NX204 build"),
        ({"build": "."}, "NX204 build"),
        ({"workflows": ""}, "NX204 workflows"),
        ({"vars": {"not a name": 1}}, "NX204 vars/not a name"),
        ({"env": ["A-B"]}, "NX204 env/0"),
        ({"env": ["NODEGX_SECRET_KEY"]}, "NX204 env/0"),
        ({"server": {"port": 70000}}, "NX204 server/port"),
        ({"server": {"port": "80"}}, "NX203 server/port"),
        ({"history": {"retentionDays": 0}}, "NX204 history/retentionDays"),
    ],
)
def test_wrong_settings(tmp_path: Path, settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        load_project(project_at(tmp_path, **settings))
    (found,) = caught.value.diagnostics
    assert f"{found.code} {'/'.join(str(part) for part in found.pointer)}" == expected
    assert found.file == tmp_path / "nodegx.json"
    assert found.line == 1


def test_no_project(tmp_path: Path) -> None:
    with pytest.raises(DiagnosticError, match=r"no nodegx\.json"):
        load_project(tmp_path)
    (tmp_path / "nodegx.json").write_text("[]")
    with pytest.raises(DiagnosticError, match="one JSON object"):
        load_project(tmp_path)


@pytest.mark.parametrize(
    "path", sorted(EXAMPLES.glob("*/nodegx.json")), ids=lambda p: p.parent.name
)
def test_examples(path: Path) -> None:
    assert load_project(path.parent).workflow_files()
