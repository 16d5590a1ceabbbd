"""Resume URLs of a function, behind an HTTP API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nodegx.runtime.durable.tokens import answer_key
from nodegx.runtime.triggers.resume import Pending, ResumeApp
from nodegx.runtime.triggers.resume_state import standing

from .http import TEXT, in_utf8, with_length

if TYPE_CHECKING:
    from .adapter import Handler
    from .surroundings import Surroundings


def resume_urls(surroundings: Surroundings, labels: Mapping[str, str]) -> Handler:
    """A handler of requests to resume URLs.

    Args:
        surroundings: those of the executions.
        labels: headings of forms that have none, by the ids of the nodes that wait.
    """
    from mangum import Mangum

    answer = ResumeApp(FunctionWaits(surroundings, labels))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["raw_path"] = scope["aws.event"]["rawPath"].encode("utf-8", "replace")
        await answer(scope, receive, in_utf8(send))

    mangum: Handler = Mangum(app, lifespan="off", text_mime_types=TEXT)
    return lambda event, context: mangum(with_length(event), context)


class FunctionWaits:
    """Finds and ends the waits of a function's executions; see `triggers.resume.Waits`."""

    def __init__(self, surroundings: Surroundings, labels: Mapping[str, str]) -> None:
        self._surroundings = surroundings
        self._labels = labels

    async def find(self, execution: str, step: str) -> Pending | None:
        """See `Waits`."""
        surroundings = self._surroundings
        kept = await surroundings.writer.do(surroundings.store.load, execution)
        if kept is None:
            return None
        state, spec = standing(kept, step)
        node = step.partition("[")[0].partition("#")[0]
        label = self._labels.get(node, "")
        return Pending(
            kept.state.secret, state, kept.state.workflow, spec, surroundings.secrets, label
        )

    async def answer(self, execution: str, step: str, value: str) -> bool:
        """See `Waits`."""
        return await self._surroundings.answered(execution, answer_key(step), value)
