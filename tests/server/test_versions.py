from __future__ import annotations

from pathlib import Path

from nodegx.compiler.build.project import build_project
from nodegx.server.versions import Versions
from nodegx.server.workflows import LoadedWorkflow, load_all

from tests.support.projects import manual, write_project

NAME = "/#__cloud__/Hello"


def compiled(root: Path, answer: str) -> LoadedWorkflow:
    write_project(root, manual(NAME, answer))
    assert build_project(root, jobs=1).ok
    [entry] = load_all(root / "build").workflows
    return entry


def test_a_workflow_of_the_past_is_found_by_its_revision(tmp_path: Path) -> None:
    versions = Versions(tmp_path / "versions")
    old = compiled(tmp_path, "old")
    versions.keep(old, tmp_path / "build")
    new = compiled(tmp_path, "new")
    assert new.workflow.revision != old.workflow.revision
    found = versions.find(NAME, old.workflow.revision)
    assert found is not None
    assert "old" in Path(found.source.filename).read_text()
    assert versions.find(NAME, old.workflow.revision) is found
    assert versions.find(NAME, new.workflow.revision) is None
    assert versions.find("/#__cloud__/Other", old.workflow.revision) is None


def test_what_is_kept_is_not_written_again(tmp_path: Path) -> None:
    versions = Versions(tmp_path / "versions")
    entry = compiled(tmp_path, "hi")
    for _ in range(2):
        versions.keep(entry, tmp_path / "build")
    [place] = (tmp_path / "versions").glob("*/*")
    assert sorted(file.name for file in place.iterdir()) == [
        "handler.map.json",
        "handler.py",
        "manifest.json",
    ]


def test_what_nobody_needs_is_removed(tmp_path: Path) -> None:
    versions = Versions(tmp_path / "versions")
    old, new = compiled(tmp_path, "old"), None
    versions.keep(old, tmp_path / "build")
    new = compiled(tmp_path, "new")
    versions.keep(new, tmp_path / "build")
    assert versions.find(NAME, old.workflow.revision) is not None
    assert versions.prune({(NAME, new.workflow.revision)}) == 1
    assert versions.find(NAME, old.workflow.revision) is None
    assert versions.find(NAME, new.workflow.revision) is not None


def test_a_revision_is_no_way_to_another_folder(tmp_path: Path) -> None:
    entry = compiled(tmp_path, "hi")
    versions = Versions(tmp_path / "versions")
    versions.keep(entry, tmp_path / "build")
    for revision in ("*", "../../build/hello", "", "[a-z0-9]*"):
        assert versions.find(NAME, revision) is None
