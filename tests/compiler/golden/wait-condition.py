"""WaitCondition

Compiled by nodegx from golden/wait-condition.json. Edit the workflow, not this file.
"""

# ruff: noqa: BLE001 (a workflow may handle whatever goes wrong)

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime import expressions as fx
from nodegx.runtime.nodes import data, http

RENDER = Node("render", "http.request")
JOB = Node("job", "logic.wait")
PAID = Node("paid", "logic.wait")
END = Node("end", "data.set")
LATE = Node("late", "data.set")
UNPAID = Node("unpaid", "data.set")


@workflow("/#__cloud__/WaitCondition", durable=True)
async def wait_condition(run: Run) -> None:
    start = run.trigger
    render = await run.step(
        RENDER, http.request, "POST", "https://render.example/jobs", json=start["film"]
    )
    job = await run.wait(
        JOB,
        condition=lambda response, attempt: (
            response.status == 200
            and response.body["state"] in ["done", start["enough"]]
            or attempt >= 100
        ),
        poll={
            "url": f"https://render.example/jobs/{fx.text(render.body['id'])}",
            "auth": {"type": "bearer", "token": run.secrets["RENDER"]},
            "interval": 5.0,
            "backoff": 1.5,
            "maxInterval": 120.0,
        },
        timeout=start["patience"],
        on_timeout="branch",
    )
    match run.switch(JOB, job.port):
        case "done":
            try:
                paid = await run.wait(
                    PAID,
                    condition=lambda response, attempt: response["paid"],
                    poll={"workflow": "/#__cloud__/IsPaid", "input": {"film": start["film"]}},
                    timeout=2592000.0,
                )
            except Exception as exc:
                paid_error = run.caught(PAID, exc)
                await run.step(UNPAID, data.set, paid_error.message)
                return
            await run.step(
                END,
                data.set,
                [
                    job.response.body["url"],
                    job.response and job.response._asdict(),
                    paid.response["amount"],
                ],
            )
        case "timeout":
            await run.step(
                LATE,
                data.set,
                job._asdict() | {"response": job.response and job.response._asdict()},
            )
