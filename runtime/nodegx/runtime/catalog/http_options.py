"""The structured parameters of http.request: authentication, multipart parts, pagination."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from . import checks
from .types import UNKNOWN, Param, Type, When

_BASIC = When("type", ("basic",))
_BEARER = When("type", ("bearer",))
_API_KEY = When("type", ("apiKey",))
_OAUTH2 = When("type", ("oauth2",))
_CURSOR = When("mode", ("cursor",))
_PAGE = When("mode", ("page",))
_OFFSET = When("mode", ("offset",))

AUTH = Param(
    "auth",
    Type.OBJECT,
    "How the request proves who sends it. Default: not at all.",
    fields=(
        Param(
            "type",
            Type.STRING,
            "`basic` sends a user name and password, `bearer` a token, `apiKey` a key in a header or the "
            "query, `oauth2` a token fetched with client credentials. Default `none`.",
            default="none",
            choices=("none", "basic", "bearer", "apiKey", "oauth2"),
            literal=True,
        ),
        Param("username", Type.STRING, "User name.", required=True, when=_BASIC),
        Param("password", Type.STRING, "Password.", required=True, secret=True, when=_BASIC),
        Param("token", Type.STRING, "The token.", required=True, secret=True, when=_BEARER),
        Param(
            "in",
            Type.STRING,
            "Where the key is sent: in a header or the query string. Default `header`.",
            default="header",
            choices=("header", "query"),
            literal=True,
            when=_API_KEY,
        ),
        Param(
            "name",
            Type.STRING,
            "Name of the header or query parameter. Default `X-API-Key`.",
            default="X-API-Key",
            check=checks.header_name,
            when=_API_KEY,
        ),
        Param("key", Type.STRING, "The key.", required=True, secret=True, when=_API_KEY),
        Param(
            "tokenUrl",
            Type.STRING,
            "URL that gives out tokens.",
            required=True,
            check=checks.http_url,
            when=_OAUTH2,
        ),
        Param("clientId", Type.STRING, "Id of the client.", required=True, when=_OAUTH2),
        Param(
            "clientSecret",
            Type.STRING,
            "Secret of the client.",
            required=True,
            secret=True,
            when=_OAUTH2,
        ),
        Param(
            "scopes",
            Type.ARRAY,
            "Scopes to ask for. Default: those the server gives by itself.",
            items=Param("scope", Type.STRING, "One scope."),
            when=_OAUTH2,
        ),
        Param("audience", Type.STRING, "Audience to ask for. Default: none.", when=_OAUTH2),
        Param(
            "clientAuth",
            Type.STRING,
            "How id and secret are sent to `tokenUrl`: in a `basic` header or in the `body`. "
            "Default `basic`.",
            default="basic",
            choices=("basic", "body"),
            literal=True,
            when=_OAUTH2,
        ),
    ),
)


def _part_fault(value: Any) -> str | None:
    """What is wrong with a part beyond its single fields."""
    given = [f"`{name}`" for name in ("value", "text", "base64") if name in value]
    return f"has both {given[0]} and {given[1]}" if len(given) > 1 else None


PART = Param(
    "part",
    Type.OBJECT,
    "One part, with one of `value`, `text` and `base64`.",
    check=_part_fault,
    fields=(
        Param("name", Type.STRING, "Name of the form field.", required=True),
        Param("value", Type.ANY, "Value of a plain field; objects and lists are written as JSON."),
        Param("text", Type.STRING, "Content of a text file."),
        Param("base64", Type.STRING, "Content of any file, in Base64."),
        Param(
            "filename",
            Type.STRING,
            "Name of the file. Default: none for `value`, `file` for `text` and `base64`.",
        ),
        Param(
            "contentType",
            Type.STRING,
            "Media type of the part. Default: none for `value`; by the file name, else "
            "application/octet-stream.",
        ),
    ),
)

PAGINATION = Param(
    "pagination",
    Type.OBJECT,
    "Fetches further pages and gives all items as one list in `body`. Paths into a page's body are "
    "JSONPath where they start with `$`, else JMESPath. Default: one request.",
    fields=(
        Param(
            "mode",
            Type.STRING,
            "`nextLink` follows the URL of the next page, `cursor` sends back a mark, `page` counts "
            "pages, `offset` counts items.",
            required=True,
            choices=("nextLink", "cursor", "page", "offset"),
            literal=True,
        ),
        Param(
            "items",
            Type.STRING,
            "Path of the list of items in a page's body. Default: the body itself.",
            check=checks.body_path,
            examples=("data.items", "$.results"),
        ),
        Param(
            "next",
            Type.STRING,
            "Path of the next page's URL. Default: the Link header with rel=next.",
            check=checks.body_path,
            when=When("mode", ("nextLink",)),
        ),
        Param(
            "cursor",
            Type.STRING,
            "Path of the mark for the next page; null or empty text ends.",
            required=True,
            check=checks.body_path,
            when=_CURSOR,
        ),
        Param(
            "parameter",
            Type.STRING,
            "Query parameter for the mark, page or offset. Default: `cursor`, `page` or `offset`, as "
            "the mode is called.",
            when=When("mode", ("cursor", "page", "offset")),
        ),
        Param(
            "start",
            Type.INTEGER,
            "First page number or offset. Default 1 for `page`, 0 for `offset`.",
            minimum=0,
            when=When("mode", ("page", "offset")),
        ),
        Param(
            "size",
            Type.INTEGER,
            "Items in a full page; a page with fewer is the last one. Default: pages are fetched until "
            "an empty one.",
            minimum=1,
            when=When("mode", ("page", "offset")),
        ),
        Param(
            "sizeParameter",
            Type.STRING,
            "Query parameter in which `size` is sent. Default: it is not sent.",
            when=When("mode", ("page", "offset")),
        ),
        Param(
            "hasMore",
            Type.STRING,
            "Path of a value that is true as long as there are more pages. Default: not looked at.",
            check=checks.body_path,
            examples=("meta.has_more",),
        ),
        Param(
            "total",
            Type.STRING,
            "Path of the number of items in all; no further page is fetched once there are as many. "
            "Default: not looked at.",
            check=checks.body_path,
        ),
        Param(
            "maxPages",
            Type.INTEGER,
            "Pages fetched at most; what comes after them is left out. Default: all pages, and more "
            "than 1000 fail the node.",
            minimum=1,
            maximum=10_000,
        ),
        Param(
            "maxItems",
            Type.INTEGER,
            "Items given at most; what comes after them is left out. Default: all items.",
            minimum=1,
        ),
    ),
)


def page_packages(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """The libraries for those paths of `pagination` that are more than plain ones."""
    pagination = parameters.get("pagination")
    if pagination is UNKNOWN:
        return checks.path_packages(UNKNOWN)
    given = cast("dict[str, Any]", pagination or {})
    paths = [param.name for param in PAGINATION.fields or () if param.check is checks.body_path]
    found = {name for path in paths if path in given for name in checks.path_packages(given[path])}
    return tuple(sorted(found))
