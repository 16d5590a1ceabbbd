"""The build of a whole project: compile what changed, leave what did not, remove what is gone."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nodegx.compiler.diagnostics import Diagnostic, has_errors

from . import cache as records
from .cache import Cache, SourceEntry, WorkflowEntry
from .fingerprint import compiler_fingerprint
from .pool import Compile, compile_all
from .report import BuildReport, Built, State
from .worker import Outcome, Unit, compile_file
from .writer import Placed, is_free, place, remove, sweep

Progress = Callable[[int, int, str], None]
"""Called before each file that is compiled: how many are done, how many there are, its name."""


@dataclass(slots=True)
class _Build:
    """State of one build: what was there, what is there now. `owners` maps slugs to the files they
    come from, `previous` slugs to what an earlier build wrote for them."""

    root: Path
    out: Path
    old: Cache
    new: Cache
    report: BuildReport
    owners: dict[str, str] = field(default_factory=dict[str, str])
    previous: dict[str, WorkflowEntry] = field(default_factory=dict[str, WorkflowEntry])

    def __post_init__(self) -> None:
        for source in self.old["sources"].values():
            self.previous.update(source["workflows"])


def build_files(
    root: Path,
    sources: Mapping[str, Path],
    out: Path,
    *,
    whole: bool = True,
    settings: bytes = b"",
    force: bool = False,
    jobs: int | None = None,
    progress: Progress = lambda done, total, name: None,
    compile_one: Compile = compile_file,
) -> BuildReport:
    """Compiles workflow files into `out`.

    Args:
        root: the project's directory.
        sources: the files by their names in reports and in the cache, relative to `root`.
        out: the build directory; made if need be.
        whole: whether `sources` are all there are, so that output without a source is removed.
        settings: whatever else decides the output, such as the project file's bytes.
        force: compiles files that have not changed, too.
        jobs: processes; None decides by the number of files.
        progress: told about each file before it is compiled.
        compile_one: the compiler.

    Raises:
        OSError: the file system refused.
    """
    started = time.perf_counter()
    key = hashlib.sha256(compiler_fingerprint().encode() + settings).hexdigest()
    build = _Build(root, out, records.load(out), records.empty(key), BuildReport(out))
    changed = dict(_changed(build, sources, usable=not force and build.old["key"] == key))
    if not whole:
        _carry_over(build, sources)
    if changed:
        out.mkdir(parents=True, exist_ok=True)
        sweep(out)
        _compile(build, sources, changed, jobs, progress, compile_one)
    _remove_stale(build)
    if build.new != build.old and (changed or build.old["sources"]):
        records.save(out, build.new)
    build.report.workflows.sort(key=lambda built: (built.source, built.slug))
    build.report.seconds = time.perf_counter() - started
    return build.report


def _changed(
    build: _Build, sources: Mapping[str, Path], *, usable: bool
) -> Iterator[tuple[str, str]]:
    """Names and hashes of the files that have to be compiled; the others are reported."""
    known = build.old["sources"] if usable else {}
    for name, path in sources.items():
        try:
            with open(path, "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
        except OSError:
            digest = "unreadable"  # the compiler says why
        entry = known.get(name)
        if entry is None or entry["hash"] != digest or not _is_intact(build, entry):
            yield name, digest
            continue
        _keep(build, name, entry)
        build.report.workflows.extend(_unchanged(build, name, entry))
        build.report.diagnostics.extend(records.unpack(entry["warnings"], build.root))


def _is_intact(build: _Build, entry: SourceEntry) -> bool:
    subsets = build.old["subsets"]
    out = str(build.out)
    return all(
        workflow["subset"] in subsets
        and records.intact(out, slug, workflow, subsets[workflow["subset"]])
        for slug, workflow in entry["workflows"].items()
    )


def _unchanged(build: _Build, source: str, entry: SourceEntry) -> Iterator[Built]:
    for slug, workflow in entry["workflows"].items():
        placed = Placed(workflow["files"], build.old["subsets"][workflow["subset"]], 0)
        yield _built(source, slug, workflow["name"], State.UNCHANGED, placed)


def _carry_over(build: _Build, compiled: Mapping[str, Path]) -> None:
    """Keeps what is known of files outside this build. Where the compiler or the settings have
    changed since, such a file counts as changed the next time."""
    current = build.old["key"] == build.new["key"]
    for name, entry in build.old["sources"].items():
        if name not in compiled:
            _keep(build, name, entry if current else {**entry, "hash": ""})


def _keep(build: _Build, name: str, entry: SourceEntry) -> None:
    build.new["sources"][name] = entry
    build.owners.update(dict.fromkeys(entry["workflows"], name))
    for workflow in entry["workflows"].values():
        subset = workflow["subset"]
        if subset in build.old["subsets"]:
            build.new["subsets"][subset] = build.old["subsets"][subset]


def _compile(
    build: _Build,
    sources: Mapping[str, Path],
    changed: Mapping[str, str],
    jobs: int | None,
    progress: Progress,
    compile_one: Compile,
) -> None:
    outcomes = compile_all([sources[name] for name in changed], jobs, compile_one)
    failed: list[str] = []
    for done, name in enumerate(changed):
        progress(done, len(changed), name)
        outcome = next(outcomes)
        build.report.diagnostics.extend(outcome.diagnostics)
        if has_errors(outcome.diagnostics) or not _write(build, name, changed[name], outcome):
            build.report.workflows.append(Built("", "", name, State.FAILED))
            failed.append(name)
    progress(len(changed), len(changed), "")
    for name in failed:
        # What an earlier build made of it stays, and stays known as ours.
        if name in build.old["sources"]:
            entry = build.old["sources"][name]
            mine = {
                s: w for s, w in entry["workflows"].items() if build.owners.get(s, name) == name
            }
            _keep(build, name, {**entry, "hash": "", "workflows": mine})


def _write(build: _Build, name: str, digest: str, outcome: Outcome) -> bool:
    """Writes the workflows of a file; False, with a diagnostic, where one has no place to go."""
    slugs = Counter(unit.slug for unit in outcome.units)
    problems = [
        found
        for unit in outcome.units
        for found in _obstacles(build, name, unit, twice=slugs[unit.slug] > 1)
    ]
    if problems:
        build.report.diagnostics.extend(problems)
        return False
    entry: SourceEntry = {
        "hash": digest,
        "workflows": {},
        "warnings": records.pack(outcome.diagnostics, build.root),
    }
    for unit in outcome.units:
        placed = place(build.out, unit.slug, unit.files, unit.runtime, _ours(build, unit.slug))
        subset = hashlib.sha256(repr(sorted(placed.runtime.items())).encode()).hexdigest()[:16]
        build.new["subsets"][subset] = placed.runtime
        entry["workflows"][unit.slug] = {
            "name": unit.name,
            "files": placed.files,
            "subset": subset,
        }
        build.owners[unit.slug] = name
        state = State.WRITTEN if placed.changed else State.UNCHANGED
        build.report.workflows.append(_built(name, unit.slug, unit.name, state, placed))
    build.new["sources"][name] = entry
    return True


def _obstacles(build: _Build, name: str, unit: Unit, *, twice: bool) -> Iterator[Diagnostic]:
    """Why a workflow cannot be written to its directory."""
    path = build.root / name
    owner = build.owners.get(unit.slug, name)
    if owner != name or twice:
        yield Diagnostic(
            "NX604",
            f'"{unit.name}" would be written to the directory {unit.slug}, as is a workflow of '
            f"{owner}",
            hint="rename one of them: the last parts of their names must differ",
            file=path,
        )
    elif not is_free(build.out / unit.slug):
        yield Diagnostic(
            "NX606",
            f"{build.out / unit.slug} holds files that no build has written",
            hint="move them away, or choose another build directory",
            file=path,
        )


def _built(source: str, slug: str, name: str, state: State, files: Placed) -> Built:
    return Built(
        name,
        slug,
        source,
        state,
        sum(stamp[0] for stamp in files.files.values()),
        sum(stamp[0] for stamp in files.runtime.values()),
        len(files.runtime),
    )


def _remove_stale(build: _Build) -> None:
    """Removes output whose workflow is gone from the files of this build."""
    for slug in sorted(build.previous.keys() - build.owners.keys()):
        gone = remove(build.out, slug, _ours(build, slug))
        (build.report.removed if gone else build.report.kept).append(slug)


def _ours(build: _Build, slug: str) -> list[str]:
    """Names of the files that an earlier build put into the directory `slug`."""
    if slug not in build.previous:
        return []
    workflow = build.previous[slug]
    return [*workflow["files"], *build.old["subsets"].get(workflow["subset"], {})]
