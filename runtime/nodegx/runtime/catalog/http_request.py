"""http.request: a call over HTTP."""

from __future__ import annotations

from . import checks
from .http_options import AUTH, PAGINATION, PART, page_packages
from .types import Alternatives, Kind, NodeType, Output, Param, Type

NODE = NodeType(
    "http.request",
    Kind.ACTION,
    "HTTP request",
    "Sends an HTTP request and gives the response. Statuses outside `successStatus`, time-outs and "
    "connection errors fail the node. Retriable are `http.timeout`, `http.connection` and "
    "`http.status` with 408, 425, 429 or 5xx, where a Retry-After header is honoured. Fatal are other "
    "statuses, `http.address` (a place that must not be called), `http.url`, `http.header`, "
    "`http.tls`, `http.redirects`, `http.tooLarge` and `http.body` (not the JSON it claims to be).",
    params=(
        Param(
            "method",
            Type.STRING,
            "HTTP method. Default `GET`.",
            default="GET",
            choices=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
        ),
        Param(
            "url",
            Type.STRING,
            "Absolute http or https URL; a query in it is kept and extended by `query`.",
            required=True,
            check=checks.http_url,
            examples=("https://api.example/orders",),
        ),
        Param(
            "query",
            Type.OBJECT,
            "Query parameters: text, numbers and booleans, lists of them to repeat a parameter; nulls "
            "are left out. Default: none.",
        ),
        Param(
            "headers",
            Type.OBJECT,
            "Request headers by name; nulls are left out. Default: none besides the usual ones.",
        ),
        Param("json", Type.ANY, "Body sent as JSON; null sends none. Default: no such body."),
        Param(
            "form",
            Type.OBJECT,
            "Body sent as a URL-encoded form, with values as in `query`. Default: no such body.",
        ),
        Param(
            "multipart",
            Type.ARRAY,
            "Body sent as multipart/form-data, for files. Default: no such body.",
            items=PART,
        ),
        Param(
            "body",
            Type.STRING,
            "Body sent as it is; name its type in the Content-Type header. Default: no such body.",
        ),
        Param(
            "bodyEncoding",
            Type.STRING,
            "What `body` is: `text`, sent as UTF-8, or `base64` of the bytes to send. Default `text`.",
            default="text",
            choices=("text", "base64"),
        ),
        AUTH,
        Param(
            "timeout",
            Type.DURATION,
            "Longest time for one response, from connecting to the last byte, redirects included. "
            "Default 30 seconds.",
            default=30,
            check=checks.duration,
        ),
        Param(
            "connectTimeout",
            Type.DURATION,
            "Longest time to reach the server. Default 10 seconds.",
            default=10,
            check=checks.duration,
        ),
        Param(
            "readTimeout",
            Type.DURATION,
            "Longest silence of the server while it is to answer. Default: as `timeout`.",
            check=checks.duration,
        ),
        Param(
            "followRedirects",
            Type.BOOLEAN,
            "Whether redirects are followed; credentials are not sent to another origin. Default true.",
            default=True,
        ),
        Param(
            "maxRedirects",
            Type.INTEGER,
            "Most redirects in a row before the request fails. Default 5.",
            default=5,
            minimum=1,
            maximum=20,
        ),
        PAGINATION,
        Param(
            "responseType",
            Type.STRING,
            "How the response's body is given: `auto` by its Content-Type (JSON, text, else Base64), or "
            "always as `json`, `text` or `base64`. Default `auto`.",
            default="auto",
            choices=("auto", "json", "text", "base64"),
            literal=True,
        ),
        Param(
            "maxResponseBytes",
            Type.INTEGER,
            "Largest body accepted, in bytes after decompression. Default 10000000.",
            default=10_000_000,
            minimum=0,
            maximum=1_000_000_000,
        ),
        Param(
            "successStatus",
            Type.ARRAY,
            "Statuses and ranges of statuses that count as success; all others fail the node. "
            'Default ["200-399"].',
            default=("200-399",),
            literal=True,
            items=Param(
                "status",
                Type.ANY,
                "A status, or a range such as `200-299`.",
                check=checks.status_range,
            ),
        ),
        Param(
            "verifyTls",
            Type.BOOLEAN,
            "Whether the server's certificate is checked. Default true.",
            default=True,
            literal=True,
        ),
        Param(
            "proxy",
            Type.STRING,
            "URL of the HTTP proxy to tunnel through, such as `http://proxy:3128`. Default: none; "
            "proxies named in the environment are not used.",
            check=checks.proxy_url,
        ),
        Param(
            "allowPrivateNetwork",
            Type.BOOLEAN,
            "Whether hosts on loopback and private networks may be called; a host that sets "
            "NODEGX_NETWORK=public forbids them, whatever a workflow says. Default true.",
            default=True,
            literal=True,
        ),
        Param(
            "allowMetadata",
            Type.BOOLEAN,
            "Whether link-local addresses and the metadata services of clouds may be called, which give "
            "out credentials of the machine. Default false.",
            default=False,
            literal=True,
        ),
    ),
    outputs=(
        Output("status", Type.INTEGER, "HTTP status."),
        Output(
            "headers",
            Type.OBJECT,
            "Headers, with names in lower case; repeated ones joined by commas.",
        ),
        Output("body", Type.ANY, "Body, read as `responseType` says; null where there is none."),
        Output("url", Type.STRING, "URL that answered, after redirects."),
    ),
    alternatives=(Alternatives(("json", "form", "multipart", "body")),),
    call="http.request",
    positional=("method", "url"),
    packages=page_packages,
    category="http",
    example={
        "method": "POST",
        "url": "https://api.example/charges",
        "json": {"order": "{{ order.body.id }}", "amount": "{{ order.body.total }}"},
        "auth": {"type": "bearer", "token": "{{ secrets.PAYMENTS_TOKEN }}"},
        "timeout": "10s",
    },
)
