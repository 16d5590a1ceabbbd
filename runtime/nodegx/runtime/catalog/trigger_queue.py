"""trigger.queue: messages of a queue."""

from __future__ import annotations

from . import checks, idempotency
from .types import Kind, NodeType, Output, Param, Signal, Type

NODE = NodeType(
    "trigger.queue",
    Kind.TRIGGER,
    "Queue",
    "Starts the workflow for each message of a queue. A message whose execution fails comes back, "
    "and after `maxReceives` tries goes to the queue's dead letters.",
    params=(
        Param(
            "queue",
            Type.STRING,
            "Name of the queue, which the deployment makes together with one for dead letters; a "
            "name that ends in `.fifo` keeps the order of each group. Or the ARN of a queue that "
            "exists.",
            required=True,
            literal=True,
            check=checks.queue,
            examples=("orders", "orders.fifo", "arn:aws:sqs:eu-central-1:123456789012:orders"),
        ),
        Param(
            "batchSize",
            Type.INTEGER,
            "Most messages that are fetched at a time; each is an execution of its own. Default 10.",
            default=10,
            minimum=1,
            maximum=10,
            literal=True,
        ),
        Param(
            "maxBatchingWindow",
            Type.DURATION,
            "How long messages may be gathered before they are fetched. Default: not at all.",
            default=0,
            minimum=0,
            maximum=300,
            literal=True,
            check=checks.duration,
        ),
        Param(
            "visibilityTimeout",
            Type.DURATION,
            "Time after which a message that was fetched and not finished comes back. Default: six "
            "times the workflow's time limit.",
            minimum=1,
            maximum=43_200,
            literal=True,
            check=checks.duration,
        ),
        Param(
            "maxReceives",
            Type.INTEGER,
            "How often a message is tried before it goes to the dead letters. Default 3.",
            default=3,
            minimum=1,
            maximum=1000,
            literal=True,
        ),
        idempotency.KEYED,
    ),
    outputs=(
        Output("body", Type.ANY, "The message: parsed if it is JSON, else text."),
        Output("id", Type.STRING, "Id of the message, unique."),
        Output("attributes", Type.OBJECT, "Attributes that the sender gave it, as text."),
        Output("attempt", Type.INTEGER, "How often it was fetched so far, this time included."),
    ),
    signals_in=(),
    signals_out=(Signal("received", "A message has arrived."),),
    targets=frozenset({"aws"}),
    category="triggers",
    example={"queue": "orders", "batchSize": 5, "maxReceives": 4},
)
