"""ProcessOrder

Compiled by nodegx from golden/process-order.json. Edit the workflow, not this file.
"""

# ruff: noqa: BLE001 (a workflow may handle whatever goes wrong)

from nodegx.runtime import Node, Retry, Run, workflow
from nodegx.runtime import expressions as fx
from nodegx.runtime.nodes import data, http, json

VALIDATE = Node("validate", "data.json")
REJECT = Node("reject", "cloud.response")
LARGE = Node("large", "logic.if")
CHARGE = Node("charge", "http.request", retry=Retry(delay=0.2), timeout=10.0)
ACCEPT = Node("accept", "cloud.response")
REFUSE = Node("refuse", "cloud.response")
INVOICE = Node("invoice", "data.set")
CONFIRM = Node("confirm", "cloud.response")


@workflow(
    "/#__cloud__/ProcessOrder",
    timeout=30.0,
    concurrency=50,
    redact=("$..card",),
    on_error="/#__cloud__/NotifyOps",
)
async def process_order(run: Run) -> None:
    order = run.trigger
    try:
        validate = await run.step(
            VALIDATE,
            json.validate,
            order.body,
            schema={
                "type": "object",
                "required": ["id", "total"],
                "properties": {"id": {"type": "string"}, "total": {"type": "number"}},
            },
        )
    except Exception as exc:
        validate_error = run.caught(VALIDATE, exc)
        await run.respond(REJECT, status=422, body={"error": validate_error.message})
        return
    if run.branch(LARGE, validate["total"] > 100):
        try:
            charge = await run.step(
                CHARGE,
                http.request,
                "POST",
                f"{fx.text(run.vars['paymentsUrl'])}/charges",
                json={"order": validate["id"], "amount": validate["total"]},
            )
        except Exception as exc:
            charge_error = run.caught(CHARGE, exc)
            await run.respond(REFUSE, status=502, body={"error": charge_error.message})
            return
        await run.respond(ACCEPT, status=201, body={"charge": charge.body["id"]})
    else:
        invoice = await run.step(INVOICE, data.set, {"order": validate["id"], "terms": "net 30"})
        await run.respond(CONFIRM, body=invoice)
