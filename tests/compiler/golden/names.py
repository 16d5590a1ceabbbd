"""Names

Compiled by nodegx from golden/names.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.nodes import data

CLASS_NODE = Node("class", "data.set")
LIST = Node("list", "data.set")
RUN_NODE = Node("run", "data.set")
NAIVE_CAFE = Node("123", "data.set")
JSON = Node("json", "data.set")
END = Node("end", "data.set")


@workflow("/#__cloud__/Names")
async def names(run: Run) -> None:
    begin = run.trigger
    class_node = await run.step(CLASS_NODE, data.set, 1)
    list_ = await run.step(LIST, data.set, 2)
    run_node = await run.step(RUN_NODE, data.set, 3)
    naive_cafe = await run.step(NAIVE_CAFE, data.set, 4)
    json_ = await run.step(JSON, data.set, 5)
    await run.step(END, data.set, [class_node, list_, run_node, naive_cafe, json_, begin["x"]])
