from __future__ import annotations

import asyncio
import json
import re
import string
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nodegx.runtime.durable import tokens
from nodegx.runtime.durable.codec import Codec
from nodegx.runtime.errors import StoreUnavailable
from nodegx.runtime.triggers.resume import Pending, ResumeApp, WaitState
from nodegx.runtime.triggers.webhook import Access

from tests.support.asgi import served

SECRET = tokens.new_secret()
EXECUTION = "01JDEXECUTION0000000000000"
STEP = "ask/me[3]#2"
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FORM = {
    "title": "Refund",
    "fields": [
        {"name": "amount", "label": "Amount", "type": "number", "required": True},
        {"name": "note", "label": "Note", "type": "text"},
        {"name": "seen", "type": "boolean"},
    ],
    "actions": [{"value": "approve", "label": "Approve it"}, {"value": "reject"}],
}
APPROVAL = {"form": FORM}


@dataclass
class Desk:
    """Stands for a host that keeps executions: it has one, with one wait."""

    webhook: Mapping[str, Any] = field(default_factory=dict[str, Any])
    state: WaitState = WaitState.WAITING
    secrets: Mapping[str, str] = field(default_factory=dict[str, str])
    label: str = ""
    answers: list[Any] = field(default_factory=list[Any])
    early: int = 0  # how often it says that the wait has not begun
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    failure: Exception | None = None

    async def find(self, execution: str, step: str) -> Pending | None:
        self.asked.append((execution, step))
        if self.failure is not None:
            raise self.failure
        if execution != EXECUTION:
            return None
        state = WaitState.EARLY if self.early or step != STEP else self.state
        self.early -= self.early > 0
        spec = {"step": step, "webhook": dict(self.webhook)}
        waiting = state is WaitState.WAITING
        return Pending(
            SECRET, state, "/Refunds", spec if waiting else None, self.secrets, self.label
        )

    async def answer(self, execution: str, step: str, value: str) -> bool:
        assert (execution, step) == (EXECUTION, STEP)
        if self.answers:
            return False
        self.answers.append(Codec({}, {}).decode(value))
        self.state = WaitState.ANSWERED
        return True


PATH = tokens.resume_path(EXECUTION, STEP, SECRET)


@asynccontextmanager
async def direct(desk: Desk, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application itself, without a server between."""
    app: Any = ResumeApp(desk, **{"patience": 0.05, **options})
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
        yield client


def assert_private(answer: httpx.Response) -> None:
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def assert_page(answer: httpx.Response, title: str) -> None:
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert f"<h1>{title}</h1>" in answer.text or f'<h1 dir="auto">{title}</h1>' in answer.text
    assert_private(answer)


# --- over real HTTP ------------------------------------------------------------------------------


async def test_a_request_ends_the_wait_once() -> None:
    desk = Desk()
    async with served(ResumeApp(desk)) as client:
        answer = await client.post(
            f"{PATH}?by=ada&n=1&n=2",
            json={"ok": True, "$": ["secret", "x"]},
            headers={"X-Tag": "a", "Cookie": "session=1", "Authorization": "Bearer t"},
        )
        assert answer.status_code == 200
        assert answer.json() == {"status": "resumed", "executionId": EXECUTION}
        assert_private(answer)
        again = await client.post(PATH, json={"ok": False})
        assert again.status_code == 410
        assert again.headers["content-type"] == "application/problem+json"
        assert_private(again)
    (given,) = desk.answers
    assert given["body"] == {"ok": True, "$": ["secret", "x"]}
    assert given["query"] == {"by": "ada", "n": ["1", "2"]}
    assert given["action"] is None
    assert given["headers"]["x-tag"] == "a"
    assert given["headers"]["content-type"] == "application/json"
    assert not {"cookie", "authorization"} & given["headers"].keys()


async def test_a_person_fills_a_form_in() -> None:
    desk = Desk(APPROVAL)
    async with served(ResumeApp(desk)) as client:
        client.headers.update(BROWSER)
        page = await client.get(f"{PATH}?lang=en")
        assert page.status_code == 200
        assert_page(page, "Refund")
        head = await client.head(PATH)
        assert (head.status_code, head.content) == (200, b"")
        assert int(head.headers["content-length"]) == len(page.content)
        assert desk.answers == []  # previews look, and end nothing

        wrong = await client.post(PATH, data={"amount": "<b>", "note": "hm", "$action": "approve"})
        assert wrong.status_code == 422
        assert_page(wrong, "Refund")
        assert "Amount must be a number." in wrong.text
        assert 'value="&lt;b&gt;"' in wrong.text
        assert ">\nhm</textarea>" in wrong.text
        assert desk.answers == []

        sent = {"amount": "12.50", "note": "a\r\nb", "seen": "true", "$action": "approve"}
        done = await client.post(f"{PATH}?lang=en", data=sent)
        assert done.status_code == 200
        assert_page(done, "Thank you")
        assert "received: Approve it." in done.text

        for again in (await client.post(PATH, data=sent), await client.get(PATH)):
            assert again.status_code == 410
            assert_page(again, "This is closed")
    (given,) = desk.answers
    assert given["body"] == {"amount": 12.5, "note": "a\nb", "seen": True}
    assert (given["action"], given["query"]) == ("approve", {"lang": "en"})


async def test_a_form_by_multipart_and_by_json() -> None:
    for content, expected in (
        ({"files": {"amount": (None, "3"), "$action": (None, "reject")}}, (3, None, False)),
        ({"json": {"amount": 3, "note": "x", "seen": True, "$action": "reject"}}, (3, "x", True)),
    ):
        desk = Desk(APPROVAL)
        async with served(ResumeApp(desk)) as client:
            answer = await client.post(PATH, **content)
            assert answer.status_code == 200, answer.text
        assert tuple(desk.answers[0]["body"].values()) == expected
        assert desk.answers[0]["action"] == "reject"
        if "json" in content:
            assert answer.json() == {"status": "resumed", "executionId": EXECUTION}
        else:
            assert_page(answer, "Thank you")


async def test_of_many_answers_at_once_one_counts() -> None:
    desk = Desk()
    async with served(ResumeApp(desk)) as client:
        answers = await asyncio.gather(*(client.post(PATH, json=n) for n in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [410] * 19
    assert len(desk.answers) == 1


async def test_bodies_over_the_limit_are_refused() -> None:
    desk = Desk()
    async with served(ResumeApp(desk, max_body=1000)) as client:
        assert (await client.post(PATH, content=b"x" * 1001)).status_code == 413
        assert (await client.post(PATH, content=b"x" * 1000)).status_code == 200


# --- who has the link, and who has not -----------------------------------------------------------


TOKEN = tokens.token(SECRET, STEP)
QUOTED = PATH.split("/")[-2]


def path(execution: str, step: str, token: str) -> str:
    return f"{tokens.RESUME}/{execution}/{step}/{token}"


async def test_all_that_is_wrong_has_the_same_answer() -> None:
    desk = Desk(APPROVAL)
    wrong = [
        path("01JDOTHER00000000000000000", QUOTED, TOKEN),
        path(EXECUTION, "other", TOKEN),
        path(EXECUTION, QUOTED, tokens.token(SECRET, "other")),
        path(EXECUTION, QUOTED, tokens.token(tokens.new_secret(), STEP)),
        path(EXECUTION, QUOTED, tokens.token("", STEP)),
        path(EXECUTION, QUOTED, "é"),
        path(EXECUTION, QUOTED, "")[:-1],
        path(EXECUTION, QUOTED, TOKEN) + "/more",
        path("", QUOTED, TOKEN),
        path(EXECUTION, "", TOKEN),
        path(EXECUTION, "%00", TOKEN),
        path("x" * 5000, QUOTED, TOKEN),
        path(EXECUTION, "%ff%fe", TOKEN),
        tokens.RESUME,
        f"{tokens.RESUME}/",
    ]
    async with direct(desk) as client:
        for headers in ({}, BROWSER):
            answers = [
                await client.request(method, each, headers=headers)
                for each in wrong
                for method in ("GET", "POST", "OPTIONS", "BREW")
            ]
            assert {answer.status_code for answer in answers} == {404}
            assert len({answer.content for answer in answers}) == 1
            assert len({str(sorted(answer.headers.items())) for answer in answers}) == 1
            assert_private(answers[0])
            if headers:
                assert_page(answers[0], "This link does not work")
            else:
                assert answers[0].headers["content-type"] == "application/problem+json"
    assert desk.answers == []
    assert ("x" * 5000, STEP) not in desk.asked


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, len(TOKEN) - 1), st.sampled_from(string.ascii_letters + string.digits + "-_.")
)
@example(0, "")
@example(len(TOKEN) - 1, "")
def test_no_other_token_opens(place: int, character: str) -> None:
    forged = TOKEN[:place] + character + TOKEN[place + 1 :]

    async def status() -> int:
        async with direct(Desk()) as client:
            return (await client.post(path(EXECUTION, QUOTED, forged))).status_code

    assert asyncio.run(status()) == (200 if forged == TOKEN else 404)


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=50))
def test_no_other_text_opens(text: str) -> None:
    from urllib.parse import quote

    async def statuses() -> set[int]:
        async with direct(Desk()) as client:
            encoded = quote(text, safe="")
            paths = (
                path(EXECUTION, QUOTED, encoded),
                path(EXECUTION, encoded, TOKEN),
                path(encoded, QUOTED, TOKEN),
            )
            return {(await client.post(each)).status_code for each in paths}

    assert asyncio.run(statuses()) == {404}


async def test_the_same_is_done_whether_there_is_an_execution_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []
    genuine = tokens.is_token

    def watched(secret: str, step: str, given: str) -> bool:
        assert step == STEP
        seen.append(secret)
        return genuine(secret, step, given)

    monkeypatch.setattr(tokens, "is_token", watched)
    async with direct(Desk()) as client:
        assert (await client.post(path("NOBODY", QUOTED, TOKEN))).status_code == 404
        assert (await client.post(path(EXECUTION, QUOTED, "x"))).status_code == 404
        assert (await client.post(PATH)).status_code == 200
    assert seen[1:] == [SECRET, SECRET]
    assert len(seen[0]) == len(SECRET)


async def test_an_execution_without_a_secret_is_closed_to_all() -> None:
    class Bare(Desk):
        async def find(self, execution: str, step: str) -> Pending | None:
            return Pending("", WaitState.WAITING, "/Refunds", {"webhook": {}})

    async with direct(Bare()) as client:
        for token in (tokens.token("", STEP), TOKEN, "x"):
            assert (await client.post(path(EXECUTION, QUOTED, token))).status_code == 404


@pytest.mark.parametrize("base", ["", "/prod", "/prod/refunds"])
async def test_a_host_may_stand_below_a_path(base: str) -> None:
    async with direct(Desk()) as client:
        assert (await client.post(f"{base}{PATH}/")).status_code == 200


async def test_adapters_may_hand_the_path_over_decoded() -> None:
    desk = Desk()
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        **{"type": "http", "method": "POST", "query_string": b"", "headers": []},
        "path": path(EXECUTION, STEP, TOKEN),
    }
    await ResumeApp(desk)(scope, receive, send)
    assert sent[0]["status"] == 200
    assert desk.asked == [(EXECUTION, STEP)]
    with pytest.raises(ValueError, match="HTTP"):
        await ResumeApp(desk)({"type": "lifespan"}, receive, send)


# --- where the wait stands -----------------------------------------------------------------------


async def test_a_link_that_is_used_early_waits_for_its_wait() -> None:
    desk = Desk(early=3)
    async with direct(desk, patience=30) as client:
        assert (await client.post(PATH, json=1)).status_code == 200
    assert len(desk.asked) == 4
    assert desk.answers[0]["body"] == 1


async def test_a_link_that_is_used_too_early() -> None:
    desk = Desk(state=WaitState.EARLY)
    async with direct(desk) as client:
        answer = await client.post(PATH)
        assert (answer.status_code, answer.headers["retry-after"]) == (409, "2")
        assert answer.headers["content-type"] == "application/problem+json"
        page = await client.get(PATH, headers=BROWSER)
        assert (page.status_code, page.headers["retry-after"]) == (409, "2")
        assert_page(page, "Not ready yet")
        assert 'href=""' in page.text
    assert len(desk.asked) > 2
    assert desk.answers == []


@pytest.mark.parametrize("state", [WaitState.ANSWERED, WaitState.OVER])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
async def test_what_is_over_is_gone(state: WaitState, method: str) -> None:
    async with direct(Desk(APPROVAL, state)) as client:
        answer = await client.request(method, PATH)
        assert answer.status_code == 410
        assert answer.headers["content-type"] == "application/problem+json"
        page = await client.request(method, PATH, headers=BROWSER)
        assert page.status_code == 410
        if method != "HEAD":
            assert_page(page, "This is closed")


async def test_an_execution_that_ends_meanwhile_is_over() -> None:
    class Ending(Desk):
        async def find(self, execution: str, step: str) -> Pending | None:
            return await super().find(execution, step) if not self.asked else None

    async with direct(Ending(early=1), patience=30) as client:
        assert (await client.post(PATH)).status_code == 410


async def test_a_wait_for_something_else_cannot_be_answered() -> None:
    class Polling(Desk):
        async def find(self, execution: str, step: str) -> Pending | None:
            return Pending(SECRET, WaitState.WAITING, "/Refunds", {"step": step})

    async with direct(Polling()) as client:
        assert (await client.post(PATH)).status_code == 404


async def test_a_store_that_cannot_be_reached_is_503_and_a_fault_500(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with direct(Desk(failure=StoreUnavailable("locked by 10.0.0.1"))) as client:
        answer = await client.post(PATH)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "10.0.0.1" not in answer.text
    async with direct(Desk(failure=RuntimeError("a detail"))) as client:
        answer = await client.post(PATH, headers=BROWSER)
        assert answer.status_code == 500
        assert "a detail" not in answer.text
    assert "a detail" in caplog.text
    assert TOKEN not in caplog.text


# --- methods, bodies -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("webhook", "allowed"),
    [
        ({}, ["POST"]),
        ({"method": "PUT"}, ["PUT"]),
        ({"method": ["GET", "DELETE"]}, ["DELETE", "GET", "HEAD"]),
        (APPROVAL, ["GET", "HEAD", "POST"]),
        ({"form": {}}, ["GET", "HEAD", "POST"]),
    ],
)
async def test_methods(webhook: Mapping[str, Any], allowed: list[str]) -> None:
    allow = ", ".join([*allowed, "OPTIONS"])
    desk = Desk(webhook)
    async with direct(desk) as client:
        for method in ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT", "TRACE"):
            if method not in allowed:
                answer = await client.request(method, PATH)
                assert (answer.status_code, answer.headers["allow"]) == (405, allow)
        preflight = {"origin": "http://other", "access-control-request-method": "POST"}
        options = await client.options(PATH, headers=preflight)
        assert (options.status_code, options.headers["allow"]) == (204, allow)
        assert_private(options)
        assert desk.answers == []


@pytest.mark.parametrize("methods", ["HEAD", ["GET", "HEAD"], "GET"])
async def test_head_ends_no_wait(methods: Any) -> None:
    desk = Desk({"method": methods})
    async with direct(desk) as client:
        assert (await client.head(PATH)).status_code == 200
        assert desk.answers == []
        if "GET" in methods:
            page = await client.get(PATH, headers=BROWSER)
            assert_page(page, "Thank you")
            assert desk.answers[0]["body"] is None


@pytest.mark.parametrize(
    ("content", "type", "body"),
    [
        (b"", "", None),
        (b'{"a":1}', "application/json", {"a": 1}),
        (b"a=1&b=2&a=3", "application/x-www-form-urlencoded", {"a": ["1", "3"], "b": "2"}),
        ("ü".encode("latin-1"), "text/plain; charset=latin-1", "ü"),
        (b"\x00\xff", "application/octet-stream", "AP8="),
    ],
)
async def test_bodies_are_read_as_those_of_webhooks(content: bytes, type: str, body: Any) -> None:
    desk = Desk()
    async with direct(desk) as client:
        answer = await client.post(PATH, content=content, headers={"content-type": type})
        assert answer.status_code == 200
    assert desk.answers[0]["body"] == body


@pytest.mark.parametrize(
    ("webhook", "content", "type", "status"),
    [
        ({}, b"{", "application/json", 400),
        ({}, b"[" * 300 + b"]" * 300, "application/json", 400),
        ({}, b"x", "text/plain; charset=klingon", 415),
        (APPROVAL, b"[1]", "application/json", 400),
        (APPROVAL, b"amount=1", "text/plain", 400),
        (APPROVAL, b"--x", "multipart/form-data; boundary=x", 400),
        (APPROVAL, b"", "application/json", 422),
        (APPROVAL, b"\xff", "application/json", 400),
    ],
)
async def test_bodies_that_cannot_be_read(
    webhook: Mapping[str, Any], content: bytes, type: str, status: int
) -> None:
    desk = Desk(webhook)
    async with direct(desk) as client:
        answer = await client.post(PATH, content=content, headers={"content-type": type})
        assert answer.status_code == status
        assert_private(answer)
    assert desk.answers == []


async def test_programs_are_told_what_is_wrong_with_each_field() -> None:
    async with direct(Desk(APPROVAL)) as client:
        answer = await client.post(PATH, json={"amount": "x", "nte": 1, "$action": "burn"})
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["problems"] == [
            {"input": "amount", "message": "must be a number"},
            {"input": "$action", "message": "must be one of approve, reject"},
            {"input": "nte", "message": "is not a field of this form"},
        ]
        form = await client.post(PATH, data={}, headers={"accept": "application/json"})
        assert form.headers["content-type"] == "application/problem+json"


async def test_a_form_without_a_title_has_the_nodes_label() -> None:
    async with direct(Desk({"form": {}}, label="Approve <refund>")) as client:
        assert_page(await client.get(PATH), "Approve &lt;refund&gt;")
        assert_page(await client.post(PATH), "Thank you")
    async with direct(Desk({"form": {}})) as client:
        assert_page(await client.get(PATH), STEP)


async def test_halves_of_characters_can_be_shown() -> None:
    async with direct(Desk({"form": {"title": "a\ud800b"}})) as client:
        assert_page(await client.get(PATH), "a?b")


# --- authentication ------------------------------------------------------------------------------

SECRETS = {"KEY": "k" * 20, "PASSWORD": "pässword", "HMAC": "h" * 20}


async def test_a_password_opens_the_form_and_stays_out_of_the_answer() -> None:
    auth = {"type": "basic", "username": "ada", "password": {"$secret": "PASSWORD"}}
    desk = Desk({**APPROVAL, "auth": auth}, secrets=SECRETS)
    wrong = {"authorization": "Basic " + b64encode(b"ada:guess").decode()}
    right = {"authorization": "Basic " + b64encode("ada:pässword".encode()).decode()}
    sent = {"amount": "1", "$action": "reject"}
    async with direct(desk) as client:
        for headers in ({}, wrong):
            for answer in (
                await client.get(PATH, headers={**BROWSER, **headers}),
                await client.post(PATH, data=sent, headers={**BROWSER, **headers}),
            ):
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"].startswith("Basic ")
                assert_page(answer, "This needs a sign-in")
        assert_page(await client.get(PATH, headers=right), "Refund")
        assert (await client.post(PATH, data=sent, headers=right)).status_code == 200
    assert "authorization" not in desk.answers[0]["headers"]
    assert "Basic" not in json.dumps(desk.answers)


@pytest.mark.parametrize("place", ["header", "query"])
async def test_a_key_stays_out_of_the_answer(place: str) -> None:
    auth = {"type": "apiKey", "in": place, "name": "x-key", "key": {"$secret": "KEY"}}
    desk = Desk({"auth": auth}, secrets=SECRETS)
    async with direct(desk) as client:
        assert (await client.post(PATH)).status_code == 401
        key = {"x-key": SECRETS["KEY"]}
        given: dict[str, Any] = {"headers": key} if place == "header" else {"params": key}
        assert (await client.post(PATH, **given)).status_code == 200
    assert SECRETS["KEY"] not in json.dumps(desk.answers)


async def test_a_signature_is_checked_over_the_body() -> None:
    import hashlib
    import hmac

    auth = {"type": "hmac", "secret": {"$secret": "HMAC"}}
    desk = Desk({"auth": auth}, secrets=SECRETS)
    signature = hmac.new(SECRETS["HMAC"].encode(), b'{"ok":1}', hashlib.sha256).hexdigest()
    headers = {"x-signature": signature, "content-type": "application/json"}
    async with direct(desk) as client:
        assert (await client.post(PATH, content=b'{"ok":2}', headers=headers)).status_code == 401
        assert (await client.post(PATH, content=b'{"ok":1}', headers=headers)).status_code == 200


async def test_what_checks_credentials_is_kept_while_the_secrets_are_the_same() -> None:
    from nodegx.runtime.triggers import auth as auths

    auth = {"type": "apiKey", "key": {"$secret": "KEY"}}
    desk = Desk({"auth": auth, "form": {}}, secrets=SECRETS)
    built: list[Any] = []
    genuine = auths.build

    def watched(config: Any, secrets: Any) -> Any:
        built.append(secrets)
        return genuine(config, secrets)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auths, "build", watched)
        async with direct(desk) as client:
            key = {"x-api-key": SECRETS["KEY"]}
            for _ in range(3):
                assert (await client.get(PATH, headers=key)).status_code == 200
            desk.secrets = {"KEY": "another"}
            assert (await client.get(PATH, headers=key)).status_code == 401
    assert built == [SECRETS, {"KEY": "another"}]


async def test_a_check_that_cannot_be_made_lets_nobody_in() -> None:
    for auth in ({"type": "nonsense"}, {"type": "apiKey", "key": {"$secret": "GONE"}}):
        desk = Desk({"auth": auth}, secrets=SECRETS)
        async with direct(desk) as client:
            assert (await client.post(PATH, headers={"x-api-key": ""})).status_code == 500
        assert desk.answers == []


# --- the request log -----------------------------------------------------------------------------


async def test_the_request_log_never_gets_the_token() -> None:
    seen: list[Access] = []
    async with direct(Desk(), observe=seen.append) as client:
        for each in (PATH, f"{PATH}/", f"{PATH}.", f"{PATH}/x", path("OTHER", QUOTED, TOKEN)):
            await client.post(each)
    assert [(each.status, each.workflow, each.execution) for each in seen] == [
        (200, "/Refunds", EXECUTION),
        (410, "/Refunds", EXECUTION),
        (404, "", ""),
        (404, "", ""),
        (404, "", ""),
    ]
    assert seen[0].path == f"{tokens.RESUME}/{EXECUTION}/…"
    assert not re.search(TOKEN, repr(seen))
