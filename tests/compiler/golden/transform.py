"""Transform

Compiled by nodegx from golden/transform.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data, transform

NAMES = Node("names", "data.transform")
ADULTS = Node("adults", "data.transform")
TOTAL = Node("total", "data.transform")
END = Node("end", "data.set")


@workflow("/#__cloud__/Transform")
async def transform_(run: Run) -> None:
    start = run.trigger
    names = await run.step(NAMES, transform.map, start["users"], lambda item, index: item["name"])
    adults = await run.step(
        ADULTS, transform.filter, start["users"], lambda item, index: item["age"] >= start["limit"]
    )
    total = await run.step(
        TOTAL,
        transform.reduce,
        adults,
        lambda accumulator, item, index: accumulator + item["age"],
        initial=0,
    )
    await run.step(END, data.set, [names, total])
