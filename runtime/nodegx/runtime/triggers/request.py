"""What a webhook hands to its workflow, and the raw parts it is made from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from .problem import Problem

Values = dict[str, Any]
MAX_FIELDS = 1000


class WebhookRequest(NamedTuple):
    """The value of `trigger.webhook`.

    Header names are lower-case; a query key or form field that occurs more than once holds a list.
    `body` is parsed as the trigger's body type says; raw bodies are base64 text. `client` is the
    caller's address.
    """

    method: str
    path: str
    params: dict[str, str]
    query: Values
    headers: dict[str, str]
    body: Any
    url: str
    client: str


class CloudRequest(NamedTuple):
    """The value of `cloud.request`: a webhook's, plus the declared `parameters`."""

    method: str
    path: str
    params: dict[str, str]
    query: Values
    headers: dict[str, str]
    body: Any
    url: str
    client: str
    parameters: dict[str, Any]


class Incoming:
    """A request on its way to the workflow. Authentication reads it and may take credentials out,
    so that they reach neither the workflow nor its history.

    `raw` is empty until the body has been read. `subject` is who has proved to be calling, where
    authentication tells callers apart.
    """

    __slots__ = ("client", "headers", "method", "path", "query", "query_string", "raw", "subject")

    def __init__(self, method: str, path: str, headers: dict[str, str], query_string: str) -> None:
        self.method = method
        self.path = path
        self.headers = headers
        self.query_string = query_string
        self.query: Values = fields(query_string) if query_string else {}
        self.raw = b""
        self.client = ""
        self.subject = ""

    def drop_query(self, name: str) -> None:
        """Takes the query key `name` out, of the URL as well."""
        self.query.pop(name, None)
        kept = [
            part
            for part in self.query_string.split("&")
            if unquote(part.partition("=")[0].replace("+", " ")) != name
        ]
        self.query_string = "&".join(kept)


def fields(encoded: str) -> Values:
    """Decodes `application/x-www-form-urlencoded` text; repeated keys become lists.

    Raises:
        Problem: 400 where there are too many fields.
    """
    try:
        pairs = parse_qsl(encoded, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Problem(400, f"More than {MAX_FIELDS} fields in the query or form.") from None
    return collect(pairs)


def collect(pairs: Iterable[tuple[str, Any]]) -> Values:
    """A dict of the pairs; keys that occur more than once hold the list of their values."""
    result: Values = {}
    repeated: set[str] = set()
    for name, value in pairs:
        if name not in result:
            result[name] = value
        elif name in repeated:
            result[name].append(value)
        else:
            repeated.add(name)
            result[name] = [result[name], value]
    return result


def read_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """ASGI headers as text; a repeated header's values are joined the way HTTP allows."""
    result: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name = raw_name.decode("latin-1")
        value = raw_value.decode("latin-1")
        known = result.get(name)
        if known is None:
            result[name] = value
        else:
            result[name] = f"{known}; {value}" if name == "cookie" else f"{known}, {value}"
    return result
