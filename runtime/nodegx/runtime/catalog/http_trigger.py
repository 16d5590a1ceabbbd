"""What triggers that are reached over HTTP have in common."""

from __future__ import annotations

from typing import Any, cast

from . import checks
from .types import Output, Param, Type, When

_API_KEY = When("type", ("apiKey",))
_BASIC = When("type", ("basic",))
_JWT = When("type", ("jwt",))
_HMAC = When("type", ("hmac",))

_ALGORITHMS = (
    *(f"{kind}{bits}" for kind in ("HS", "RS", "ES", "PS") for bits in (256, 384, 512)),
    "EdDSA",
)


def _auth_fault(value: Any) -> str | None:
    """What is wrong with `auth` beyond its single fields."""
    kind = value.get("type", "none")
    if kind == "hmac" and not value.get("secret"):
        return "needs a `secret`"
    if kind != "jwt":
        return None
    keys = [name for name in ("secret", "publicKey", "jwksUrl") if value.get(name)]
    if len(keys) != 1:
        return "needs exactly one of `secret`, `publicKey` and `jwksUrl`"
    algorithms = cast("list[Any]", value.get("algorithms") or [])
    with_secret = [name for name in algorithms if str(name).startswith("HS")]
    if algorithms and with_secret != (algorithms if keys == ["secret"] else []):
        # A public key that passed for a shared secret would let anyone sign.
        return f"has `algorithms` that do not go with `{keys[0]}`"
    return None


def _cors_fault(value: Any) -> str | None:
    """What is wrong with `cors` beyond its single fields."""
    if value.get("credentials") is True and "*" in (value.get("origins") or ()):
        return "must name the origins where `credentials` are allowed, not `*`"
    return None


AUTH = Param(
    "auth",
    Type.OBJECT,
    "Who may call: requests that do not pass are answered with 401 and start nothing. Default: "
    "everyone may.",
    literal=True,
    check=_auth_fault,
    fields=(
        Param(
            "type",
            Type.STRING,
            "`none` lets everyone in; `apiKey` compares a key in a header or the query; `basic` a "
            "user name and password; `jwt` checks a signed bearer token, whose end (`exp`) must be "
            "given; `hmac` the body's signature. Default `none`.",
            default="none",
            choices=("none", "apiKey", "basic", "jwt", "hmac"),
        ),
        Param(
            "in",
            Type.STRING,
            "Where the API key is sent: in a header or the query string. Default `header`.",
            default="header",
            choices=("header", "query"),
            when=_API_KEY,
        ),
        Param(
            "name",
            Type.STRING,
            "Name of the header or query parameter with the API key. Default `X-API-Key`.",
            default="X-API-Key",
            check=checks.header_name,
            when=_API_KEY,
        ),
        Param(
            "key",
            Type.STRING,
            "The accepted key, or a list of them so that keys can be exchanged without a gap.",
            required=True,
            many=True,
            secret=True,
            when=_API_KEY,
        ),
        Param("username", Type.STRING, "The accepted user name.", required=True, when=_BASIC),
        Param(
            "realm",
            Type.STRING,
            "Name of the area that the browser shows when it asks. Default `workflow`.",
            default="workflow",
            pattern=r"[ !#-\[\]-~]*",
            when=_BASIC,
        ),
        Param(
            "password",
            Type.STRING,
            "The accepted password.",
            required=True,
            secret=True,
            when=_BASIC,
        ),
        Param(
            "algorithms",
            Type.ARRAY,
            "Signature algorithms that are accepted. Default: `HS256` with `secret`, `RS256` and "
            "`ES256` with `publicKey` or `jwksUrl`.",
            items=Param(
                "algorithm",
                Type.STRING,
                "One algorithm.",
                choices=_ALGORITHMS,
            ),
            when=_JWT,
        ),
        Param(
            "secret",
            Type.STRING,
            "The shared secret: of HS tokens with `jwt` (give one of `secret`, `publicKey` and "
            "`jwksUrl`); with `hmac` that of the signature, or a list of several.",
            many=True,
            secret=True,
            when=When("type", ("jwt", "hmac")),
        ),
        Param("publicKey", Type.STRING, "The key that verifies tokens, in PEM.", when=_JWT),
        Param(
            "jwksUrl",
            Type.STRING,
            "URL of the issuer's key set; keys are fetched when needed and kept for 5 minutes.",
            check=checks.http_url,
            when=_JWT,
        ),
        Param(
            "issuer",
            Type.STRING,
            "Required value of the `iss` claim, or a list of which one must match. Default: any.",
            many=True,
            when=_JWT,
        ),
        Param(
            "audience",
            Type.STRING,
            "Required value of the `aud` claim, or a list of which one must match. Default: none; "
            "tokens that have an audience are then refused.",
            many=True,
            when=_JWT,
        ),
        Param(
            "leeway",
            Type.DURATION,
            "Clock difference that is forgiven when `exp`, `nbf` and `iat` are checked. Default 0 s.",
            default=0,
            check=checks.duration,
            when=_JWT,
        ),
        Param(
            "claims",
            Type.OBJECT,
            "Claims a token must have, with these very values. Default: none.",
            when=_JWT,
        ),
        Param(
            "preset",
            Type.STRING,
            "Whose signatures these are: `github`, `shopify`, `slack` and `stripe` sign in ways that "
            "are known, of the settings below only `tolerance` counts then; `generic` goes by them "
            "all. Default `generic`.",
            default="generic",
            choices=("generic", "github", "shopify", "slack", "stripe"),
            when=_HMAC,
        ),
        Param(
            "header",
            Type.STRING,
            "Header that holds the signature. Default `X-Signature`.",
            default="X-Signature",
            check=checks.header_name,
            when=_HMAC,
        ),
        Param(
            "algorithm",
            Type.STRING,
            "Hash of the HMAC. Default `sha256`.",
            default="sha256",
            choices=("sha256", "sha384", "sha512", "sha1"),
            when=_HMAC,
        ),
        Param(
            "encoding",
            Type.STRING,
            "How the signature is written: `hex` or `base64`. Default `hex`.",
            default="hex",
            choices=("hex", "base64"),
            when=_HMAC,
        ),
        Param(
            "prefix",
            Type.STRING,
            "Text before the signature in its header, such as `sha256=`. Default: none.",
            default="",
            when=_HMAC,
        ),
        Param(
            "timestampHeader",
            Type.STRING,
            "Header with the time of signing in Unix seconds; what is signed then is the time, a "
            "dot and the body. Default: none, and only the body is signed.",
            check=checks.header_name,
            when=_HMAC,
        ),
        Param(
            "tolerance",
            Type.DURATION,
            "Greatest age of the signature's time, so that old requests cannot be replayed. "
            "Default 5 minutes.",
            default=300,
            check=checks.duration,
            when=_HMAC,
        ),
    ),
)

CORS = Param(
    "cors",
    Type.OBJECT,
    "Which web pages of other origins may call from a browser. Default: none may.",
    literal=True,
    check=_cors_fault,
    fields=(
        Param(
            "origins",
            Type.ARRAY,
            "Origins that may call, such as `https://shop.example` or `https://*.shop.example`; `*` "
            "lets all.",
            required=True,
            items=Param("origin", Type.STRING, "Scheme, host and port, or `*`."),
        ),
        Param(
            "methods",
            Type.ARRAY,
            "Methods that may be used. Default: those of the trigger.",
            items=Param("method", Type.STRING, "An HTTP method."),
        ),
        Param(
            "headers",
            Type.ARRAY,
            "Request headers that may be sent besides the simple ones. Default: `Content-Type` and "
            "`Authorization`.",
            items=Param("header", Type.STRING, "Name of a header.", check=checks.header_name),
        ),
        Param(
            "credentials",
            Type.BOOLEAN,
            "Whether cookies and credentials may be sent; not allowed with the origin `*`. "
            "Default false.",
            default=False,
        ),
        Param(
            "maxAge",
            Type.INTEGER,
            "Seconds for which a browser may keep the answer to its preflight. Default 600.",
            default=600,
            minimum=0,
            maximum=86400,
        ),
    ),
)

MAX_BODY = Param(
    "maxBodyBytes",
    Type.INTEGER,
    "Largest accepted body in bytes; larger ones are answered with 413. Default 1000000.",
    default=1_000_000,
    minimum=0,
    maximum=100_000_000,
    literal=True,
)

RATE_LIMIT = Param(
    "rateLimit",
    Type.OBJECT,
    "How often a caller may start this workflow; more is answered with 429. Default: no limit.",
    literal=True,
    fields=(
        Param(
            "requests",
            Type.INTEGER,
            "Requests accepted in each period.",
            required=True,
            minimum=1,
        ),
        Param(
            "per",
            Type.DURATION,
            "Length of the period. Default 1 minute.",
            default=60,
            check=checks.duration,
        ),
        Param(
            "by",
            Type.STRING,
            "What counts as one caller: `client` (address), `all` callers together, or "
            "`header:NAME` for each value of that header. Default `client`.",
            default="client",
            pattern=r"client|all|header:[!#$%&'*+.^_`|~0-9A-Za-z-]+",
        ),
    ),
)

BODY_TYPE = Param(
    "bodyType",
    Type.STRING,
    "How the body is read: `auto` goes by its Content-Type, `json`, `form` and `text` insist (400 if "
    "it is not), `raw` gives it as Base64 text. Default `auto`.",
    default="auto",
    choices=("auto", "json", "form", "text", "raw"),
    literal=True,
)

OUTPUTS = (
    Output("method", Type.STRING, "HTTP method in capitals."),
    Output("path", Type.STRING, "Path of the URL, decoded, without the query."),
    Output("params", Type.OBJECT, "Values of the path's parameters, as text."),
    Output("query", Type.OBJECT, "Query parameters; repeated ones are lists."),
    Output("headers", Type.OBJECT, "Headers, with names in lower case."),
    Output("body", Type.ANY, "The body as `bodyType` reads it; null where there is none."),
    Output("url", Type.STRING, "The whole URL as it was called."),
    Output("client", Type.STRING, "Address of the caller."),
)
