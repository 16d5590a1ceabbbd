from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from nodegx.runtime.triggers.reply import ReplyLike
from nodegx.runtime.triggers.request import CloudRequest, WebhookRequest
from nodegx.runtime.triggers.route import Route, build
from nodegx.runtime.triggers.webhook import WebhookApp
from nodegx.runtime.values import Reply


@dataclass
class Flow:
    """Stands for a workflow: answers every request the same way and keeps what it was given."""

    answer: Callable[[Any], ReplyLike | BaseException | None] = lambda request: Reply(
        body=request.body
    )
    requests: list[WebhookRequest | CloudRequest] = field(default_factory=list)

    async def __call__(self, route: Route, request: WebhookRequest | CloudRequest) -> Any:
        self.requests.append(request)
        result = self.answer(request)
        response = asyncio.get_running_loop().create_future()
        if isinstance(result, BaseException):
            response.set_exception(result)
        else:
            response.set_result(result)
        return Execution(f"execution-{len(self.requests)}", response)


@dataclass
class Execution:
    id: str
    response: asyncio.Future[Any]


@pytest.fixture
def flow() -> Flow:
    return Flow()


@pytest.fixture
def make_app(flow: Flow) -> Callable[..., WebhookApp]:
    def make(
        *configs: dict[str, Any],
        secrets: dict[str, str] | None = None,
        responds: bool = True,
        type: str = "trigger.webhook",
        workflow: str = "/#__cloud__/Orders",
        **options: Any,
    ) -> WebhookApp:
        routes = [
            build(workflow, f"node{index}", type, config, secrets or {}, responds=responds)
            for index, config in enumerate(configs)
        ]
        return WebhookApp(routes, flow, **options)

    return make
