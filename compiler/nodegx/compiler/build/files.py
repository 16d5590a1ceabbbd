"""The build of a set of workflow files: compile what changed, leave what did not, remove what is
gone."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nodegx.compiler.diagnostics import Diagnostic, has_errors

from . import across
from . import cache as records
from .cache import Cache, SourceEntry, WorkflowEntry
from .fingerprint import compiler_fingerprint
from .pool import Compile, compile_all
from .report import BuildReport, Built, State
from .worker import Outcome, Unit
from .writer import Placed, Writer, is_free, remove, sweep

Progress = Callable[[int, int, str], None]
"""Called before each file that is compiled: how many are done, how many there are, its name; at
the end with an empty name."""


def no_progress(done: int, total: int, name: str) -> None:
    """Shows nothing."""
    del done, total, name


def build_files(
    root: Path,
    sources: Mapping[str, Path],
    out: Path,
    compiler: Callable[[], Compile],
    *,
    whole: bool = True,
    settings: bytes = b"",
    force: bool = False,
    jobs: int | None = None,
    progress: Progress = no_progress,
) -> BuildReport:
    """Compiles workflow files into `out`.

    Args:
        root: the project's directory.
        sources: the files by their names in reports and in the cache, relative to `root`.
        out: the build directory; made if need be.
        compiler: makes the function that compiles one file; called only if there is one to compile
            or the settings have changed.
        whole: whether `sources` are all there are, so that output without a source is removed.
        settings: whatever else decides the output, such as the project file's bytes.
        force: compiles files that have not changed, too.
        jobs: processes; None decides by the number of files.
        progress: told about each file before it is compiled.

    Raises:
        OSError: the file system refused.
        DiagnosticError: what `compiler` raises.
    """
    started = time.perf_counter()
    key = hashlib.sha256(compiler_fingerprint().encode() + settings).hexdigest()
    build = _Build(root, out, sources, whole, records.load(out), records.empty(key))
    changed = build.find_changes(force=force)
    try:
        outcomes: dict[str, Outcome] = {}
        if changed or not build.same_compiler:
            compile_one = compiler()  # complains if the settings are wrong
            outcomes = build.compile(changed, jobs, compile_one, progress)
            if misled := build.find_misled(changed, outcomes):
                outcomes |= build.compile(misled, jobs, compile_one, progress)
                changed |= misled
        build.look_across(changed, outcomes)
        for name, outcome in outcomes.items():
            build.take(name, changed[name], outcome)
    finally:
        build.writer.discard()
    build.finish()
    build.report.seconds = time.perf_counter() - started
    return build.report


@dataclass(slots=True)
class _Build:
    """State of one build: what was there, what is there now. `owners` maps slugs to the files they
    come from, `previous` slugs to what an earlier build wrote for them, `wrong` are files with
    errors. `durable` are the durable workflows, at first those of the last build: that is what
    files are compiled by until all of them have been looked at."""

    root: Path
    out: Path
    sources: Mapping[str, Path]
    whole: bool
    old: Cache
    new: Cache
    report: BuildReport = field(init=False)
    writer: Writer = field(init=False)
    owners: dict[str, str] = field(default_factory=dict[str, str])
    previous: dict[str, WorkflowEntry] = field(default_factory=dict[str, WorkflowEntry])
    unchanged: dict[str, SourceEntry] = field(default_factory=dict[str, SourceEntry])
    wrong: set[Path | None] = field(default_factory=set[Path | None])
    durable: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.report = BuildReport(self.out)
        self.writer = Writer(self.out)
        self.durable = frozenset(self.old["durable"])
        for entry in self.old["sources"].values():
            self.previous.update(entry["workflows"])

    @property
    def same_compiler(self) -> bool:
        """Whether the compiler and the settings are those of the last build."""
        return self.old["key"] == self.new["key"]

    def find_changes(self, *, force: bool) -> dict[str, str]:
        """Names and hashes of the files that have to be compiled. The others are kept; so is what
        is known of files outside this build, to count as changed if the compiler has changed."""
        current = self.same_compiler
        known = self.old["sources"]
        changed: dict[str, str] = {}
        for name, path in self.sources.items():
            digest = _digest(path)
            entry = known.get(name)
            if force or not current or entry is None or not self._is_right(entry, digest):
                changed[name] = digest
            else:
                self.unchanged[name] = entry
                self._keep(name, entry)
        if not self.whole:
            for name in known.keys() - self.sources.keys():
                self._keep(name, known[name] if current else {**known[name], "hash": ""})
        return changed

    def compile(
        self,
        changed: Mapping[str, str],
        jobs: int | None,
        compile_one: Compile,
        progress: Progress,
    ) -> dict[str, Outcome]:
        """Compiles files. New output is got ready while others are still being compiled."""
        outcomes: dict[str, Outcome] = {}
        if changed:
            self.out.mkdir(parents=True, exist_ok=True)
            sweep(self.out)
        compile_one = functools.partial(compile_one, durable=self.durable)
        compiled = compile_all([self.sources[name] for name in changed], jobs, compile_one)
        for done, name in enumerate(changed):
            progress(done, len(changed), name)
            outcome = outcomes[name] = next(compiled)
            if not has_errors(outcome.diagnostics):
                for unit in outcome.units:
                    self.writer.stage(unit.slug, unit.files, unit.runtime)
        progress(len(changed), len(changed), "")
        return outcomes

    def find_misled(
        self, changed: Mapping[str, str], outcomes: Mapping[str, Outcome]
    ) -> dict[str, str]:
        """Names and hashes of the files that were compiled, now or earlier, with another idea of
        which workflows are durable than what turns out. Files outside this build count as changed
        in the next one."""
        packed = self._interfaces(changed, outcomes)
        before, self.durable = self.durable, across.durable_names(packed.values())
        misled: dict[str, str] = {}
        for name, interfaces in packed.items():
            if name not in changed:
                believed = self.old["sources"][name]["awaits"]
            elif outcomes[name].interfaces:
                believed = across.awaited(interfaces, before)
            else:
                continue  # something is wrong with it anyway
            if believed == across.awaited(interfaces, self.durable):
                continue
            if name in changed:
                misled[name] = changed[name]
            elif name in self.unchanged:
                misled[name] = self.unchanged.pop(name)["hash"]
            else:
                self._keep(name, {**self.old["sources"][name], "hash": ""})
        return misled

    def look_across(self, changed: Mapping[str, str], outcomes: Mapping[str, Outcome]) -> None:
        """Finds what is wrong between workflows. Where nothing has changed, that is known."""
        for outcome in outcomes.values():
            self.report.diagnostics += outcome.diagnostics
        for entry in self.unchanged.values():
            self.report.diagnostics += records.unpack(entry["warnings"], self.root)
        same = not changed and self.old["sources"].keys() == self.new["sources"].keys()
        if same and self.whole and self.old["whole"]:
            self.new["across"] = self.old["across"]
            found = list(records.unpack(self.old["across"], self.root))
        else:
            found = self._look_across(changed, outcomes)
            self.new["across"] = records.pack(found, self.root)
        self.new["whole"] = self.whole
        self.new["durable"] = sorted(self.durable)
        self.report.diagnostics += found
        self.wrong = {d.file for d in self.report.diagnostics if has_errors([d])}

    def take(self, name: str, digest: str, outcome: Outcome) -> None:
        """Writes what a file was compiled to, unless something is wrong with it."""
        path = self.sources[name]
        if path not in self.wrong:
            problems = [d for unit in outcome.units for d in self._obstacles(path, unit)]
            self.report.diagnostics += problems
            if not problems:
                self._write(name, digest, outcome)
                return
        mine: dict[str, WorkflowEntry] = {}
        if name in self.old["sources"]:
            # What an earlier build made of it stays, and stays known as ours.
            entry = self.old["sources"][name]
            mine = {s: w for s, w in entry["workflows"].items() if self.owners.get(s, name) == name}
            self._keep(name, {**entry, "hash": "", "workflows": mine})
        names = {slug: workflow["name"] for slug, workflow in mine.items()} or {"": ""}
        self.report.workflows += [Built(n, s, name, State.FAILED) for s, n in names.items()]

    def finish(self) -> None:
        """Reports what was left alone, removes what is gone, saves the cache."""
        for name, entry in self.unchanged.items():
            state = State.FAILED if self.sources[name] in self.wrong else State.UNCHANGED
            for slug, workflow in entry["workflows"].items():
                runtime = self.old["subsets"][workflow["subset"]]
                placed = Placed(workflow["files"], runtime, 0)
                self.report.workflows.append(_built(name, slug, workflow["name"], state, placed))
        for slug in sorted(self.previous.keys() - self.owners.keys()):
            gone = remove(self.out, slug, self._ours(slug))
            (self.report.removed if gone else self.report.kept).append(slug)
        if self.new != self.old and self.out.is_dir():
            records.save(self.out, self.new)
        self.report.workflows.sort(key=lambda built: (built.source, built.slug))

    def _is_right(self, entry: SourceEntry, digest: str) -> bool:
        """Whether a file and all that was made of it are as they were."""
        subsets = self.old["subsets"]
        out = str(self.out)
        return entry["hash"] == digest and all(
            workflow["subset"] in subsets
            and records.intact(out, slug, workflow, subsets[workflow["subset"]])
            for slug, workflow in entry["workflows"].items()
        )

    def _keep(self, name: str, entry: SourceEntry) -> None:
        self.new["sources"][name] = entry
        for slug, workflow in entry["workflows"].items():
            self.owners[slug] = name
            subset = workflow["subset"]
            if subset in self.old["subsets"]:
                self.new["subsets"][subset] = self.old["subsets"][subset]

    def _interfaces(
        self, changed: Mapping[str, str], outcomes: Mapping[str, Outcome]
    ) -> dict[str, list[dict[str, Any]]]:
        """What is known of the workflows of all files, by the files' names."""
        known = self.old["sources"]
        names = self.sources if self.whole else dict.fromkeys([*self.sources, *known])
        return {
            name: across.pack(outcomes[name].interfaces)
            if name in changed and outcomes[name].interfaces
            else known[name]["interfaces"]
            for name in names
            if name in known or outcomes[name].interfaces
        }

    def _look_across(
        self, changed: Mapping[str, str], outcomes: Mapping[str, Outcome]
    ) -> list[Diagnostic]:
        interfaces = self._interfaces(changed, outcomes)
        packed = {self.root / name: ones for name, ones in interfaces.items()}
        complete = all(outcome.interfaces for outcome in outcomes.values())
        mine = {self.root / name for name in self.sources}
        found = across.findings(packed, whole=self.whole, complete=complete)
        return [diagnostic for diagnostic in found if diagnostic.file in mine]

    def _obstacles(self, path: Path, unit: Unit) -> Iterator[Diagnostic]:
        """Why a workflow cannot be written to its directory."""
        if not is_free(self.out / unit.slug):
            yield Diagnostic(
                "NX606",
                f"{self.out / unit.slug} holds files that no build has written",
                hint="move them away, or choose another build directory",
                file=path,
            )

    def _write(self, name: str, digest: str, outcome: Outcome) -> None:
        workflows: dict[str, WorkflowEntry] = {}
        for unit in outcome.units:
            placed = self.writer.place(unit.slug, unit.files, unit.runtime, self._ours(unit.slug))
            subset = hashlib.sha256(repr(sorted(placed.runtime.items())).encode()).hexdigest()[:16]
            self.new["subsets"][subset] = placed.runtime
            workflows[unit.slug] = {"name": unit.name, "files": placed.files, "subset": subset}
            self.owners[unit.slug] = name
            state = State.WRITTEN if placed.changed else State.UNCHANGED
            self.report.workflows.append(_built(name, unit.slug, unit.name, state, placed))
        interfaces = across.pack(outcome.interfaces)
        self.new["sources"][name] = {
            "hash": digest,
            "workflows": workflows,
            "warnings": records.pack(outcome.diagnostics, self.root),
            "interfaces": interfaces,
            "awaits": across.awaited(interfaces, self.durable),
        }

    def _ours(self, slug: str) -> list[str]:
        """Names of the files that an earlier build put into the directory `slug`."""
        if slug not in self.previous:
            return []
        workflow = self.previous[slug]
        return [*workflow["files"], *self.old["subsets"].get(workflow["subset"], {})]


def _digest(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return "unreadable"  # the compiler says why


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
