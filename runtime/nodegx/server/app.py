"""The ASGI application of a server: workflows' routes, and the server's own endpoints."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from nodegx.runtime.durable.tokens import RESUME
from nodegx.runtime.triggers.webhook import Receive, Scope, Send, WebhookApp

from .host import ServerHost
from .management import Management
from .registry import RESERVED, Registry
from .requestlog import Observe

if TYPE_CHECKING:
    from nodegx.runtime.triggers.resume import ResumeApp


class Application:
    """Serves one registry after another.

    Args:
        host: starts the workflows.
        management: answers what is below `/_nodegx/`.
        resume: answers what is below `/_nodegx/resume/`; None where no execution waits.
        trusted_proxies: whose X-Forwarded-… headers are believed.
        observe: told of every request to a workflow.
    """

    def __init__(
        self,
        host: ServerHost,
        management: Management,
        *,
        resume: ResumeApp | None = None,
        trusted_proxies: Iterable[str] = (),
        observe: Observe | None = None,
    ) -> None:
        self._host = host
        self._management = management
        self._resume = resume
        self._trusted = tuple(trusted_proxies)
        self._observe = observe
        self._webhooks = self._app(host.registry)

    def _app(self, registry: Registry) -> WebhookApp:
        return WebhookApp(
            registry.router,
            partial(self._host.start_request, registry),
            trusted_proxies=self._trusted,
            observe=self._observe,
            once=partial(self._host.answer_once, registry),
        )

    def swap(self, registry: Registry) -> None:
        """Serves `registry` from the next request on. Requests under way stay with the old one."""
        self._host.registry = registry
        self._webhooks = self._app(registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry point."""
        if scope["type"] == "http" and scope["path"].startswith(RESERVED + "/"):
            if self._resume is not None and scope["path"].startswith(RESUME + "/"):
                await self._resume(scope, receive, send)
            else:
                await self._management(scope, receive, send)
        else:
            await self._webhooks(scope, receive, send)
