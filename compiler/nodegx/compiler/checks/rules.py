"""Rules between parameters of one node type that declarations cannot express."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from nodegx.compiler.diagnostics import listing

from .findings import Findings
from .values import Place, items_of, members_of

Rule = Callable[[Mapping[str, Any], Place, Findings], None]
"""Looks at the parameters as they stand in the file; ill-typed ones have been noted already."""


def _switch(given: Mapping[str, Any], place: Place, findings: Findings) -> None:
    cases = given.get("cases")
    if not isinstance(cases, list):
        return
    pointer = (*place.pointer, "cases")
    if not cases:
        findings.error(
            "NX306", "`cases` is empty", pointer, hint="a switch needs at least one case"
        )
    compares = False
    for index, case in enumerate(items_of(cases)):
        if isinstance(case, dict):
            keys = members_of(case)
            compares = compares or "value" in keys
            _exactly_one(keys, ("value", "when"), (*pointer, index), f"cases[{index}]", findings)
    if compares and "value" not in given:
        message = "`value` is missing: there is nothing to compare the cases with"
        findings.error("NX304", message, place.pointer, hint='or give every case a "when"')


def _http_trigger(given: Mapping[str, Any], place: Place, findings: Findings) -> None:
    auth, cors = given.get("auth"), given.get("cors")
    if isinstance(auth, dict):
        _auth(members_of(auth), (*place.pointer, "auth"), findings)
    if isinstance(cors, dict):
        settings = members_of(cors)
        origins = settings.get("origins")
        everyone = isinstance(origins, list) and "*" in items_of(origins)
        if everyone and settings.get("credentials") is True:
            findings.error(
                "NX318",
                "`cors.credentials` cannot be combined with the origin `*`",
                (*place.pointer, "cors", "credentials"),
                hint="list the origins that may send credentials",
            )


def _auth(auth: Mapping[str, Any], pointer: tuple[str | int, ...], findings: Findings) -> None:
    if auth.get("type") == "hmac" and "secret" not in auth:
        findings.error(
            "NX304", "`auth.secret` is missing", pointer, hint="the key of the signature"
        )
    if auth.get("type") != "jwt":
        return
    _exactly_one(auth, ("secret", "publicKey", "jwksUrl"), pointer, "auth", findings)
    algorithms = auth.get("algorithms")
    names = (
        [name for name in items_of(algorithms) if isinstance(name, str)]
        if isinstance(algorithms, list)
        else []
    )
    shared = "secret" in auth
    wrong = [name for name in names if name.startswith("HS") != shared]
    if wrong:
        wanted = "HS256, HS384 or HS512" if shared else "RS, ES or PS algorithms, or EdDSA"
        source = "`secret`" if shared else "`publicKey` and `jwksUrl`"
        message = f"`auth.algorithms` holds {listing(wrong)}"
        findings.error(
            "NX318", message, (*pointer, "algorithms"), hint=f"{source} go with {wanted}"
        )


def _http_request(given: Mapping[str, Any], place: Place, findings: Findings) -> None:
    parts = given.get("multipart")
    for index, part in enumerate(items_of(parts) if isinstance(parts, list) else []):
        if isinstance(part, dict):
            pointer = (*place.pointer, "multipart", index)
            keys = ("value", "text", "base64")
            _exactly_one(members_of(part), keys, pointer, f"multipart[{index}]", findings)


def _exactly_one(
    given: Mapping[str, Any],
    names: tuple[str, ...],
    pointer: tuple[str | int, ...],
    owner: str,
    findings: Findings,
) -> None:
    found = [name for name in names if name in given]
    if not found:
        message = f"`{owner}` needs one of {listing(names)}"
        findings.error("NX304", message, pointer)
    elif len(found) > 1:
        message = f"in `{owner}`, {listing(found)} exclude one another"
        findings.error("NX318", message, (*pointer, found[1]), hint="keep one of them", key=True)


RULES: Final[Mapping[str, Rule]] = {
    "logic.switch": _switch,
    "trigger.webhook": _http_trigger,
    "cloud.request": _http_trigger,
    "http.request": _http_request,
}
