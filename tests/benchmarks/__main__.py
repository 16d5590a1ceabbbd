"""`make bench`: runs every benchmark, prints the table and writes build/bench.json.

Name benchmarks on the command line to run only those: `python -m tests.benchmarks overhead`.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.row import Row

BENCHMARKS = ("overhead", "durable", "sleepers", "compile_speed", "server_load", "cold_start")
"""Modules of this package with a `measure() -> list[Row]`."""

OUTPUT = Path(__file__).resolve().parents[2] / "build" / "bench.json"


def table(rows: list[Row]) -> Table:
    """The rows as people read them."""
    result = Table(title="nodegx bench", title_justify="left")
    result.add_column("benchmark")
    for heading in ("value", "baseline", "ratio", "promise"):
        result.add_column(heading, justify="right")
    for row in rows:
        sign = "≥" if row.more_is_better else "≤"
        promise = "" if row.limit is None else f"{sign} {row.limit:g}"
        style = None if row.kept else "red"
        result.add_row(
            row.name,
            f"{row.value:,.4g} {row.unit}",
            "" if row.baseline is None else f"{row.baseline:,.4g}",
            "" if row.ratio is None else f"{row.ratio:.2f}",
            promise,
            style=style,
        )
    return result


def main(names: list[str]) -> int:
    """Runs the benchmarks called `names` (all, if none is named); 1 if a promise is broken."""
    console = Console()
    rows: list[Row] = []
    for name in names or BENCHMARKS:
        console.print(f"running {name} …", highlight=False)
        rows += importlib.import_module(f"tests.benchmarks.{name}").measure()
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=2) + "\n")
    console.print(table(rows))
    console.print(f"written to {OUTPUT.relative_to(OUTPUT.parents[1])}", highlight=False)
    return 0 if all(row.kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
