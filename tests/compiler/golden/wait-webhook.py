"""WaitWebhook

Compiled by nodegx from golden/wait-webhook.json. Edit the workflow, not this file.
"""

from nodegx.runtime import Node, Run, workflow
from nodegx.runtime import expressions as fx
from nodegx.runtime.nodes import http

ASK = Node("ask", "http.request")
APPROVAL = Node("approval", "logic.wait")
APPROVED = Node("approved", "logic.if")
SHIP = Node("ship", "workflow.call")
REFUSE = Node("refuse", "workflow.emit")
REMIND = Node("remind", "workflow.emit")


@workflow("/#__cloud__/WaitWebhook", durable=True)
async def wait_webhook(run: Run) -> None:
    order = run.trigger
    await run.step(
        ASK,
        http.request,
        "POST",
        run.vars["mailUrl"],
        json={
            "to": "approvals@shop.example",
            "text": f"Order {fx.text(order.body['id'])}: {run.resume_url(APPROVAL)}",
        },
    )
    approval = await run.wait(
        APPROVAL,
        webhook={
            "auth": {"type": "basic", "username": "approver", "password": {"$secret": "APPROVALS"}},
            "form": {
                "title": f"Order {fx.text(order.body['id'])}",
                "description": f"Of {fx.text(order.body['customer'])}",
                "fields": [
                    {"name": "note", "label": "Note", "type": "text"},
                    {
                        "name": "limit",
                        "type": "number",
                        "required": True,
                        "default": order.body["total"],
                    },
                    {"name": "carrier", "type": "choice", "choices": ["post", "van"]},
                ],
                "actions": [
                    {"value": "approve", "label": "Approve"},
                    {"value": "reject", "label": "Reject"},
                ],
            },
        },
        timeout=172800.0,
        on_timeout="branch",
    )
    match run.switch(APPROVAL, approval.port):
        case "done":
            if run.branch(APPROVED, approval.action == "approve"):
                await run.call(
                    SHIP,
                    "/#__cloud__/Ship",
                    {"id": order.body["id"], "carrier": approval.body["carrier"]},
                )
            else:
                await run.emit(
                    REFUSE, "order.refused", {"id": order.body["id"], "note": approval.body["note"]}
                )
        case "timeout":
            await run.emit(REMIND, "approval.late", order.body["id"])
