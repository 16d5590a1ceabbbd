"""The structured parameters of logic.wait: the request it waits for, and what it asks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from . import checks, http_request, http_trigger
from .types import Param, Type

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _field_fault(value: Any) -> str | None:
    """What is wrong with a field of a form beyond its single keys."""
    if value.get("type") == "choice":
        return None if "choices" in value else "has the type `choice`, but no `choices`"
    return "has `choices`, which belong to the type `choice`" if "choices" in value else None


def _form_fault(value: Any) -> str | None:
    """What is wrong with a form beyond its single fields and actions."""
    for key, name in (("fields", "name"), ("actions", "value")):
        entries = cast("list[dict[str, Any]]", value.get(key) or [])
        names = [entry[name] for entry in entries]
        if repeated := {each for each in names if names.count(each) > 1}:
            return f"has two {key} with the {name} `{min(repeated)}`"
    return None


def _webhook_fault(value: Any) -> str | None:
    """What is wrong with `webhook` beyond its single fields."""
    if "form" in value and value.get("method", "POST") not in ("POST", ["POST"]):
        return "has a form, which is shown on GET and sent by POST: leave `method` out"
    return None


_FORM_FIELD = Param(
    "field",
    Type.OBJECT,
    "One field.",
    explicit=True,
    check=_field_fault,
    fields=(
        Param(
            "name",
            Type.STRING,
            "Key of its value in `body`.",
            required=True,
            literal=True,
            check=checks.identifier,
        ),
        Param("label", Type.STRING, "What people read beside it. Default: its name."),
        Param(
            "type",
            Type.STRING,
            "What may be entered, and the type of the value: `string` is one line, `text` several, "
            "`choice` one of `choices`, `date` is `YYYY-MM-DD`. Default `string`.",
            default="string",
            choices=("string", "text", "number", "integer", "boolean", "choice", "date", "email"),
            literal=True,
        ),
        Param(
            "required",
            Type.BOOLEAN,
            "Whether it must be filled in. Default false.",
            default=False,
            literal=True,
        ),
        Param("choices", Type.ARRAY, "The values that can be chosen. Default: none."),
        Param("default", Type.ANY, "Value that stands in it at first. Default: empty."),
    ),
)

_FORM = Param(
    "form",
    Type.OBJECT,
    "A page with a form: whoever opens the URL in a browser sees it and goes on with the run by "
    "sending it. Default: no page; the request itself goes on.",
    explicit=True,
    check=_form_fault,
    fields=(
        Param("title", Type.STRING, "Heading of the page. Default: the node's label or id."),
        Param("description", Type.STRING, "Text above the fields. Default: none."),
        Param(
            "submitLabel",
            Type.STRING,
            "Text of the button, where there are no `actions`. Default `Submit`.",
            default="Submit",
        ),
        Param(
            "fields",
            Type.ARRAY,
            "What is asked. Default: nothing.",
            explicit=True,
            items=_FORM_FIELD,
        ),
        Param(
            "actions",
            Type.ARRAY,
            "Buttons to choose between; `action` tells which was pressed. Default: one button.",
            explicit=True,
            items=Param(
                "action",
                Type.OBJECT,
                "One button.",
                explicit=True,
                fields=(
                    Param(
                        "value",
                        Type.STRING,
                        "What `action` becomes.",
                        required=True,
                        literal=True,
                        pattern=r"\S(?:[^\r\n]{0,98}\S)?",
                    ),
                    Param("label", Type.STRING, "Text of the button. Default: its value."),
                ),
            ),
        ),
    ),
)

WEBHOOK = Param(
    "webhook",
    Type.OBJECT,
    "Waits for a request to the URL that `resumeUrl` gives, which is this run's alone: send it to "
    "whoever is to answer. It counts once.",
    explicit=True,
    by_name=True,
    check=_webhook_fault,
    fields=(
        Param(
            "method",
            Type.STRING,
            "HTTP method, or a list of methods, that is waited for. Default `POST`.",
            default="POST",
            choices=_METHODS,
            many=True,
            literal=True,
        ),
        replace(
            http_trigger.AUTH,
            doc="Who may call, besides knowing the URL: requests that do not pass are answered "
            "with 401 and end no wait. Default: whoever knows the URL may.",
        ),
        _FORM,
    ),
)

_ASKED = (
    *("method", "url", "query", "headers", "json", "form", "body", "auth", "timeout"),
    *("followRedirects", "responseType", "maxResponseBytes", "successStatus", "verifyTls"),
    *("proxy", "allowPrivateNetwork", "allowMetadata"),
)
"""The parameters of http.request that a poll takes."""


def _asked() -> tuple[Param, ...]:
    found = {param.name: param for param in http_request.NODE.params if param.name in _ASKED}
    found["url"] = replace(
        found["url"], required=False, doc=f"{found['url'].doc} Default: nothing is requested."
    )
    return tuple(found[name] for name in _ASKED)


def _poll_fault(value: Any) -> str | None:
    """What is wrong with `poll` beyond its single fields."""
    request = [name for name in _ASKED if name in value]
    if "workflow" in value and request:
        return f"asks the workflow or sends a request: `workflow` and `{request[0]}` exclude one another"
    if "input" in value and "workflow" not in value:
        return "has an `input` but no `workflow` that gets it"
    if request and "url" not in value:
        return f"has `{request[0]}` but no `url`"
    bodies = [name for name in ("json", "form", "body") if name in value]
    if len(bodies) > 1:
        return f"has both `{bodies[0]}` and `{bodies[1]}`"
    return None


POLL = Param(
    "poll",
    Type.OBJECT,
    "What is asked, and how often, until `condition` holds: an HTTP request, whose response "
    "`response` is, or a workflow, whose answer it is. A failure that may pass counts as no answer. "
    "Default: nothing is asked, and the condition is looked at again and again.",
    explicit=True,
    check=_poll_fault,
    fields=(
        *_asked(),
        Param(
            "workflow",
            Type.STRING,
            "Name of a workflow that is called, in place of a request. Default: none.",
            literal=True,
            examples=("/#__cloud__/IsPaid",),
        ),
        Param("input", Type.ANY, "The workflow's input. Default null."),
        Param(
            "interval",
            Type.DURATION,
            "Time from the first answer to the second question. Default 10 seconds.",
            default=10,
            minimum=0.1,
            check=checks.duration,
        ),
        Param(
            "backoff",
            Type.NUMBER,
            "Factor from one interval to the next. Default 2.",
            default=2,
            minimum=1,
            maximum=100,
        ),
        Param(
            "maxInterval",
            Type.DURATION,
            "Longest interval. Default 5 minutes.",
            default=300,
            minimum=0.1,
            check=checks.duration,
        ),
    ),
)
