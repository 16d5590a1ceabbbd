"""The build step around a compiler of three lines: what is written, left alone and removed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from nodegx.compiler.build import cache, files, fingerprint
from nodegx.compiler.build.files import build_files
from nodegx.compiler.build.report import BuildReport, State
from nodegx.compiler.build.worker import Outcome, Unit
from nodegx.compiler.checks.across import Call, Interface
from nodegx.compiler.diagnostics import Diagnostic, Excerpt, Severity


def fake_compile(path: Path, *, durable: frozenset[str]) -> Outcome:
    """A file holds {slug: text}; `warn` and `fail` make findings. Nothing here is durable."""
    del durable
    data: dict[str, str] = json.loads(path.read_bytes())
    if "fail" in data:
        return Outcome([], [Diagnostic("NX999", data["fail"], file=path)], [])
    warnings = [
        Diagnostic(
            "NX998",
            data["warn"],
            ("warn", 0),
            severity=Severity.WARNING,
            file=path,
            line=1,
            column=2,
            excerpt=Excerpt("x", 1),
        )
        for _ in range("warn" in data)
    ]
    units = [
        Unit(
            f"/{slug}",
            slug,
            {"handler.py": text.encode(), "manifest.json": b'{"formatVersion": 1}'},
            ("errors.py", "history/record.py") if "small" in text else ("errors.py", "node.py"),
        )
        for slug, text in data.items()
        if slug != "warn"
    ]
    called = tuple(Call(text, None, ("x",)) for text in data.values() if text.startswith("/"))
    interfaces = [
        Interface(unit.name, unit.slug, path, (), callable=True, routes=(), calls=called)
        for unit in units
    ]
    return Outcome(units, warnings, interfaces)


class Project:
    """A directory with workflow files, built with `fake_compile`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.out = root / "build"
        (root / "workflows").mkdir()

    def write(self, file: str, **content: str) -> None:
        (self.root / "workflows" / file).write_text(json.dumps(content))

    def build(self, *files: str, **options: object) -> BuildReport:
        found = files or sorted(os.listdir(self.root / "workflows"))
        sources = {f"workflows/{file}": self.root / "workflows" / file for file in found}
        return build_files(
            self.root,
            sources,
            self.out,
            lambda: fake_compile,
            whole=not files,
            **options,  # pyright: ignore[reportArgumentType]
        )

    def snapshot(self) -> dict[str, tuple[int, bytes]]:
        """Time and content of every output file."""
        return {
            path.relative_to(self.out).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
            for path in sorted(self.out.rglob("*"))
            if path.is_file() and path.name != cache.FILE_NAME
        }


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.write("orders.json", orders="first")
    made.write("reports.json", reports="small one")
    return made


def states(report: BuildReport) -> dict[str, State]:
    return {built.slug or built.source: built.state for built in report.workflows}


def test_writes_own_files_and_the_runtime_that_is_needed(shop: Project) -> None:
    report = shop.build()
    assert states(report) == {"orders": State.WRITTEN, "reports": State.WRITTEN}
    assert set(shop.snapshot()) == {
        "orders/handler.py",
        "orders/manifest.json",
        "orders/nodegx/runtime/errors.py",
        "orders/nodegx/runtime/node.py",
        "reports/handler.py",
        "reports/manifest.json",
        "reports/nodegx/runtime/errors.py",
        "reports/nodegx/runtime/history/record.py",
    }
    orders = report.workflows[0]
    assert (orders.name, orders.source) == ("/orders", "workflows/orders.json")
    assert orders.size == len(b"first") + len(b'{"formatVersion": 1}')
    assert orders.runtime_files == 2
    assert orders.runtime_size > 1000


def test_unchanged_output_is_left_alone(shop: Project) -> None:
    shop.build()
    before = shop.snapshot()
    report = shop.build()
    assert set(states(report).values()) == {State.UNCHANGED}
    assert shop.snapshot() == before


def test_unchanged_sources_are_not_compiled(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.build()
    compiled: list[str] = []
    shop.write("orders.json", orders="second")
    report = shop.build(progress=lambda _done, _total, name: compiled.append(name))
    assert compiled == ["workflows/orders.json", ""]
    assert states(report) == {"orders": State.WRITTEN, "reports": State.UNCHANGED}


def test_only_files_whose_bytes_change_are_written(shop: Project) -> None:
    shop.build()
    before = shop.snapshot()
    shop.write("orders.json", orders="second")
    shop.build()
    after = shop.snapshot()
    assert {name for name in after if after[name] != before[name]} == {"orders/handler.py"}


def test_same_bytes_when_compiled_again(shop: Project) -> None:
    shop.build()
    before = shop.snapshot()
    report = shop.build(force=True)
    assert set(states(report).values()) == {State.UNCHANGED}
    assert shop.snapshot() == before


def test_pool_gives_the_same_as_one_process(shop: Project) -> None:
    for number in range(6):
        shop.write(f"more{number}.json", **{f"more{number}": "x"})
    shop.build(jobs=1)
    before = {name: content for name, (_, content) in shop.snapshot().items()}
    report = shop.build(force=True, jobs=2)
    assert {name: content for name, (_, content) in shop.snapshot().items()} == before
    assert len(report.workflows) == 8


@pytest.mark.parametrize("victim", ["orders/handler.py", "orders/nodegx/runtime/errors.py"])
@pytest.mark.parametrize("damage", ["edit", "delete"])
def test_damaged_output_is_mended(shop: Project, victim: str, damage: str) -> None:
    shop.build()
    before = shop.snapshot()[victim][1]
    (shop.out / victim).unlink()
    if damage == "edit":
        (shop.out / victim).write_bytes(b"# edited by hand" + before)
    report = shop.build()
    assert states(report) == {"orders": State.WRITTEN, "reports": State.UNCHANGED}
    assert shop.snapshot()[victim][1] == before


def test_output_of_a_deleted_workflow_is_removed(shop: Project) -> None:
    shop.build()
    (shop.root / "workflows/orders.json").unlink()
    report = shop.build()
    assert (report.removed, report.kept) == (["orders"], [])
    assert not (shop.out / "orders").exists()
    assert shop.build().removed == []


def test_compiled_python_goes_with_its_source(shop: Project) -> None:
    shop.build()
    directory = shop.out / "orders/nodegx/runtime"
    subprocess.run([sys.executable, "-m", "compileall", "-q", directory], check=True)
    assert list(directory.glob("__pycache__/*.pyc"))
    (shop.root / "workflows/orders.json").unlink()
    assert shop.build().removed == ["orders"]


def test_foreign_files_survive_removal(shop: Project) -> None:
    shop.build()
    notes = shop.out / "orders/nodegx/notes.txt"
    notes.write_text("mine")
    stranger = shop.out / "tools/handler.py"
    stranger.parent.mkdir()
    stranger.write_text("mine too")
    (shop.root / "workflows/orders.json").unlink()
    report = shop.build()
    assert (report.removed, report.kept) == ([], ["orders"])
    assert [path for path in (shop.out / "orders").rglob("*") if path.is_file()] == [notes]
    assert stranger.read_text() == "mine too"


def test_directories_of_others_are_refused(shop: Project) -> None:
    handler = shop.out / "orders/handler.py"
    handler.parent.mkdir(parents=True)
    handler.write_text("mine")
    report = shop.build()
    assert [d.code for d in report.diagnostics] == ["NX606"]
    assert not report.ok
    assert states(report) == {"workflows/orders.json": State.FAILED, "reports": State.WRITTEN}
    assert handler.read_text() == "mine"


def test_links_are_not_followed(shop: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    shop.out.mkdir()
    (shop.out / "orders").symlink_to(outside)
    assert [d.code for d in shop.build().diagnostics] == ["NX606"]
    assert list(outside.iterdir()) == []


def test_cache_cannot_point_outside(shop: Project) -> None:
    """A cache file may come with a repository: what it names is only ever removed inside."""
    shop.build()
    precious = shop.root / "precious.txt"
    precious.write_text("keep")
    record = shop.out / cache.FILE_NAME
    data = json.loads(record.read_text())
    entry = data["sources"]["workflows/orders.json"]["workflows"]
    stamp = [4, precious.stat().st_mtime_ns]
    entry["orders"]["files"] |= {"../../precious.txt": stamp, str(precious): stamp}
    entry["../workflows"] = {"name": "x", "files": {"reports.json": [1, 1]}, "subset": "none"}
    record.write_text(json.dumps(data))
    (shop.root / "workflows/orders.json").unlink()
    shop.build()
    assert precious.read_text() == "keep"
    assert (shop.root / "workflows/reports.json").exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": "0"}'])
def test_damaged_cache_counts_as_none(shop: Project, content: str) -> None:
    shop.build()
    (shop.out / cache.FILE_NAME).write_text(content)
    assert set(states(shop.build()).values()) == {State.UNCHANGED}
    (shop.root / "workflows/orders.json").unlink()
    assert shop.build().removed == ["orders"]


def test_files_that_are_no_longer_part_of_the_output_go(shop: Project) -> None:
    shop.build()
    shop.write("reports.json", reports="large one")
    shop.build()
    assert not (shop.out / "reports/nodegx/runtime/history").exists()
    assert (shop.out / "reports/nodegx/runtime/node.py").exists()


def test_a_failed_workflow_keeps_its_last_output(shop: Project) -> None:
    shop.build()
    before = shop.snapshot()
    shop.write("orders.json", fail="broken")
    report = shop.build()
    assert states(report) == {"orders": State.FAILED, "reports": State.UNCHANGED}
    assert shop.snapshot() == before
    assert not shop.build().ok, "an error does not vanish because nothing changed"
    shop.write("orders.json", orders="mended")
    assert shop.build().ok
    (shop.root / "workflows/orders.json").unlink()
    assert shop.build().removed == ["orders"]


def test_warnings_are_told_again(shop: Project) -> None:
    shop.write("orders.json", orders="first", warn="careful")
    first = shop.build().diagnostics
    second = shop.build().diagnostics
    assert [d.message for d in first] == ["careful"]
    assert second == first
    assert second[0].excerpt == first[0].excerpt


def test_two_files_cannot_share_a_directory(shop: Project) -> None:
    shop.write("again.json", orders="other")
    report = shop.build()
    assert [(d.code, d.line) for d in report.diagnostics] == [("NX604", 1)]
    assert states(report) == {
        "orders": State.WRITTEN,
        "workflows/orders.json": State.FAILED,
        "reports": State.WRITTEN,
    }


def test_calls_are_checked_against_all_workflows(shop: Project) -> None:
    shop.write("orders.json", orders="/reports")
    assert shop.build().ok
    (shop.root / "workflows/reports.json").unlink()
    for _ in range(2):
        report = shop.build()
        assert [d.code for d in report.diagnostics] == ["NX603"]
        assert states(report) == {"orders": State.FAILED}
    shop.write("reports.json", reports="back")
    report = shop.build()
    assert report.ok
    assert states(report) == {"orders": State.UNCHANGED, "reports": State.WRITTEN}


def test_a_broken_file_does_not_make_its_callers_wrong(shop: Project) -> None:
    shop.write("orders.json", orders="/reports")
    shop.write("reports.json", fail="broken")
    assert [d.code for d in shop.build().diagnostics] == ["NX999"]


def test_building_one_file_knows_the_others(shop: Project) -> None:
    shop.write("orders.json", orders="/reports")
    shop.build()
    shop.write("orders.json", orders="/reports", more="x")
    assert shop.build("orders.json").diagnostics == []
    shop.write("orders.json", orders="/nowhere")
    report = shop.build("orders.json")
    assert [(d.code, d.severity) for d in report.diagnostics] == [("NX603", Severity.WARNING)]
    assert not shop.build().ok


def test_a_renamed_file_keeps_its_output(shop: Project) -> None:
    shop.build()
    before = shop.snapshot()
    (shop.root / "workflows/orders.json").rename(shop.root / "workflows/sales.json")
    report = shop.build()
    assert report.ok
    assert report.removed == []
    assert shop.snapshot() == before


def test_building_some_files_leaves_the_others(shop: Project) -> None:
    shop.build()
    shop.write("orders.json", orders="second")
    (shop.root / "workflows/reports.json").unlink()
    report = shop.build("orders.json")
    assert states(report) == {"orders": State.WRITTEN}
    assert report.removed == []
    assert shop.build().removed == ["reports"]


def test_settings_count_as_a_change(shop: Project) -> None:
    shop.build(settings=b"a")
    compiled: list[str] = []
    shop.build(settings=b"b", progress=lambda _done, _total, name: compiled.append(name))
    assert len(compiled) == 3


def test_a_changed_compiler_counts_as_a_change(
    shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.build()
    monkeypatch.setattr(files, "compiler_fingerprint", lambda: "another")
    compiled: list[str] = []
    shop.build("orders.json", progress=lambda _done, _total, name: compiled.append(name))
    assert compiled == ["workflows/orders.json", ""]
    shop.build(progress=lambda _done, _total, name: compiled.append(name))
    assert compiled == ["workflows/orders.json", "", "workflows/reports.json", ""]


def test_fingerprint_covers_the_sources() -> None:
    assert len(fingerprint.compiler_fingerprint()) == 64
    assert fingerprint.compiler_fingerprint() == fingerprint.compiler_fingerprint()


def test_leftovers_of_a_killed_build_are_swept(shop: Project) -> None:
    half = shop.out / ".nodegx-tmp-1-orders"
    half.mkdir(parents=True)
    (half / "handler.py").write_text("half")
    shop.build()
    assert half.exists(), "it may belong to a build that is going on"
    os.utime(half, (1, 1))
    shop.build(force=True)
    assert not half.exists()
    assert not list(shop.out.rglob("*.tmp"))


def test_nothing_heavy_is_imported_for_an_unchanged_project(shop: Project) -> None:
    shop.build()
    program = f"""
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from nodegx.compiler.build.files import build_files
root = Path({str(shop.root)!r})
files = {{f"workflows/{{p.name}}": p for p in sorted((root / "workflows").iterdir())}}
report = build_files(root, files, root / "build", lambda: 1 / 0)
assert report.workflows and all(b.state == "unchanged" for b in report.workflows), report
heavy = {{"pydantic", "jinja2", "rich", "asyncio", "multiprocessing"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_cache_does_not_grow(shop: Project) -> None:
    shop.build()
    size = (shop.out / cache.FILE_NAME).stat().st_size
    for text in ("small", "large", "small", "first"):
        shop.write("orders.json", orders=text)
        shop.build()
    assert (shop.out / cache.FILE_NAME).stat().st_size == size
    digest = hashlib.sha256((shop.root / "workflows/orders.json").read_bytes()).hexdigest()
    assert digest in (shop.out / cache.FILE_NAME).read_text()


def test_workflows_share_runtime_files_but_not_changes(shop: Project) -> None:
    shop.build()
    mine, other = (shop.out / slug / "nodegx/runtime/errors.py" for slug in ("orders", "reports"))
    if not os.path.samefile(mine, other):
        pytest.skip("this file system has no hard links")
    before = other.read_bytes()
    mine.unlink()
    mine.write_bytes(b"# mine")
    assert other.read_bytes() == before
    shop.build()
    assert mine.read_bytes() == other.read_bytes() == before
    with open(other, "ab") as file:
        file.write(b"# appended in place, so to both")
    shop.build()
    assert mine.read_bytes() == other.read_bytes() == before


def test_file_systems_without_links(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    shop.build()
    mine, other = (shop.out / slug / "nodegx/runtime/errors.py" for slug in ("orders", "reports"))
    assert mine.read_bytes() == other.read_bytes()
    assert not os.path.samefile(mine, other)
    assert set(states(shop.build()).values()) == {State.UNCHANGED}


def test_nothing_is_left_of_what_was_not_written(shop: Project) -> None:
    shop.write("orders.json", orders="/nowhere")
    shop.write("again.json", reports="other")
    report = shop.build()
    assert sorted(d.code for d in report.diagnostics) == ["NX603", "NX604"]
    assert sorted(path.name for path in shop.out.iterdir()) == [cache.FILE_NAME, "reports"]
    assert (shop.out / "reports/handler.py").read_text() == "other"


def test_the_second_of_two_rivals_gets_its_own_files(shop: Project) -> None:
    """The first is got ready before it turns out to be wrong."""
    shop.write("orders.json", orders="/nowhere", more="x")
    shop.write("sales.json", orders="second")
    report = shop.build()
    assert not report.ok
    assert "sales" not in {path.name for path in shop.out.iterdir()}
    (shop.root / "workflows/orders.json").unlink()
    assert shop.build().ok
    assert (shop.out / "orders/handler.py").read_text() == "second"


def test_an_interrupted_build_leaves_nothing_half_done(shop: Project) -> None:
    def interrupt(done: int, total: int, name: str) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop.build(progress=interrupt)
    assert list(shop.out.iterdir()) == []
    assert shop.build().ok


def test_two_builds_at_once(shop: Project) -> None:
    for number in range(20):
        shop.write(f"more{number}.json", **{f"more{number}": "x" * number})

    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(lambda _: shop.build(), range(3)))
    assert all(report.ok for report in reports)
    assert len(list(shop.out.glob("*/handler.py"))) == 22
    assert not list(shop.out.glob(".nodegx-tmp*"))
    assert shop.build().ok
