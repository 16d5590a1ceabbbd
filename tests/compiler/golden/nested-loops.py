"""NestedLoops

Compiled by nodegx from golden/nested-loops.json. Edit the workflow, not this file.
"""

from typing import Any

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime import expressions as fx
from nodegx.runtime.nodes import data

ROWS = Node("rows", "logic.forEach")
CELLS = Node("cells", "logic.forEach")
CELL = Node("cell", "data.set")
TABLE = Node("table", "data.set")


@workflow("/#__cloud__/NestedLoops")
async def nested_loops(run: Run) -> None:
    start = run.trigger

    async def rows_item(run: Run, item: Any, index: int) -> Any:

        async def cell_item(run: Run, cells_item: Any, cells_index: int) -> Any:
            cell = await run.step(CELL, data.set, f"{index}/{cells_index}: {fx.text(cells_item)}")
            return cell

        cells = await run.for_each(CELLS, item, cell_item)
        return cells.results

    rows = await run.for_each(ROWS, start["rows"], rows_item)
    await run.step(TABLE, data.set, rows.results)
