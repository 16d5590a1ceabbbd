"""How requests to resume URLs are answered: JSON for programs, pages for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .problem import Problem
from .reply import JSON, Response, pairs, problem_response, to_json

if TYPE_CHECKING:
    from .resume_form import Fault, Form
    from .resume_visit import Visit

HTML = b"text/html; charset=utf-8"

PRIVATE = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}
"""Headers of all answers: the URL is a secret, and so may be what is shown."""

HEADINGS = {
    401: "This needs a sign-in",
    404: "This link does not work",
    409: "Not ready yet",
    410: "This is closed",
}
"""Of pages that say what is wrong, by status; others have the status's own."""


def as_json(status: int, document: Mapping[str, Any]) -> Response:
    """JSON for a program."""
    return _response(status, JSON, to_json(document))


def as_form(
    status: int, form: Form, values: Mapping[str, str], faults: Sequence[Fault] = ()
) -> Response:
    """The page with a form; see `resume_page.form_page`."""
    from .resume_page import form_page

    return _page(status, form_page(form, values, faults))


def thanks(visit: Visit, message: str) -> Response:
    """What is answered once the wait has ended. `message` is for people."""
    if not visit.wants_page:
        return as_json(200, {"status": "resumed", "executionId": visit.execution})
    from .resume_page import message_page

    return _page(200, message_page("Thank you", message, done=True))


def refusal(visit: Visit, problem: Problem) -> Response:
    """What is wrong with a request."""
    if not visit.wants_page:
        return problem_response(problem, PRIVATE)
    from .resume_page import message_page

    title = HEADINGS.get(problem.status) or problem.document()["title"]
    again = "retry-after" in problem.headers
    return _page(problem.status, message_page(title, problem.detail, again=again), problem.headers)


def _page(status: int, page: str, headers: Mapping[str, str] | None = None) -> Response:
    from .resume_page import POLICY

    extra = {"content-security-policy": POLICY, **(headers or {})}
    return _response(status, HTML, page.encode("utf-8", "replace"), extra)


def _response(
    status: int, content_type: bytes, body: bytes, extra: Mapping[str, str] | None = None
) -> Response:
    headers = pairs({**PRIVATE, **(extra or {})})
    headers += [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
    return Response(status, headers, body)
