"""The client against real servers."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from nodegx.runtime.errors import FatalError, RetriableError
from nodegx.runtime.net import client, urls
from nodegx.runtime.net.addresses import Policy
from nodegx.runtime.net.message import DEFAULT_LIMITS, Credentials, Limits, RawResponse, Request

from tests.support.certificates import server_context
from tests.support.loopback import Answer, Loopback, Seen, free_port, loopback


@pytest.fixture(autouse=True)
def fresh_pool() -> Iterator[None]:
    client.pool.clear()
    yield
    client.pool.clear()


async def get(url: str, limits: Limits = DEFAULT_LIMITS, method: str = "GET") -> RawResponse:
    return await client.send(Request(method, urls.parse(url)), limits)


def chunked(data: bytes, size: int = 1000) -> bytes:
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def raw_deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(data) + deflater.flush()


# --- bodies ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
async def test_methods(site: Loopback, method: str) -> None:
    url = site.at("/a", Answer(200, "hello"))
    response = await get(url, method=method)
    assert response.content == (b"" if method == "HEAD" else b"hello")
    assert site.seen[0].method == method
    assert ("content-length" in site.seen[0].headers) == (method in ("POST", "PUT", "PATCH"))


async def test_chunked(site: Loopback) -> None:
    data = bytes(range(256)) * 400
    url = site.at("/a", Answer(200, chunked(data), {"Transfer-Encoding": "chunked"}))
    assert (await get(url)).content == data
    assert (await get(url)).content == data
    assert len({seen.port for seen in site.seen}) == 1


@pytest.mark.parametrize(
    ("coding", "encode"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("gzip", lambda data: gzip.compress(data[:700]) + gzip.compress(data[700:])),
        ("gzip", lambda data: gzip.compress(data) + b"\0" * 512),
        ("identity", lambda data: data),
    ],
)
@pytest.mark.parametrize("size", [0, 1, 1000, 300_000])
async def test_compressed(site: Loopback, coding: str, encode, size: int) -> None:
    data = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    url = site.at("/a", Answer(200, encode(data), {"Content-Encoding": coding}))
    assert (await get(url)).content == data
    assert site.seen[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("body", "coding", "code"),
    [
        (b"not gzip", "gzip", "http.encoding"),
        (b"x", "br", "http.encoding"),
        (gzip.compress(b"x" * 1000, mtime=0)[:-12], "gzip", "http.connection"),
    ],
)
async def test_badly_compressed(site: Loopback, body: bytes, coding: str, code: str) -> None:
    url = site.at("/a", Answer(200, body, {"Content-Encoding": coding}))
    with pytest.raises((FatalError, RetriableError)) as caught:
        await get(url)
    assert caught.value.code == code


async def test_big_bodies_both_ways(site: Loopback) -> None:
    data = b"x" * 5_000_000
    url = site.at("/a", lambda seen: Answer(200, seen.body))
    response = await client.send(Request("POST", urls.parse(url), content=data))
    assert response.content == data


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"x" * 1001),
        Answer(200, chunked(b"x" * 1001), {"Transfer-Encoding": "chunked"}),
        Answer(200, gzip.compress(b"\0" * 50_000_000), {"Content-Encoding": "gzip"}),
        Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"),
        Answer(raw=b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001),
    ],
)
async def test_the_size_of_a_response_is_limited(site: Loopback, answer: Answer) -> None:
    url = site.at("/a", answer)
    with pytest.raises(FatalError) as caught:
        await get(url, Limits(max_bytes=1000))
    assert caught.value.code == "http.tooLarge"


async def test_a_body_of_just_the_limit_is_fine(site: Loopback) -> None:
    url = site.at("/a", Answer(200, b"x" * 1000))
    assert len((await get(url, Limits(max_bytes=1000))).content) == 1000


# --- connections -----------------------------------------------------------------------------


async def test_connections_are_reused(site: Loopback) -> None:
    url = site.at("/a", Answer(200, "x"))
    for _ in range(5):
        await get(url)
    assert len({seen.port for seen in site.seen}) == 1


async def test_concurrent_requests_have_connections_of_their_own(site: Loopback) -> None:
    all_have_come = threading.Barrier(40)

    def once_all_are_here(_: Seen) -> Answer:
        all_have_come.wait(timeout=30)
        return Answer(200, "x")

    url = site.at("/a", once_all_are_here)
    answers = await asyncio.gather(*(get(url) for _ in range(40)))
    assert {answer.status for answer in answers} == {200}
    assert len({seen.port for seen in site.seen}) == 40


async def test_a_connection_that_the_server_closes_is_not_reused(site: Loopback) -> None:
    url = site.at("/a", Answer(200, "x", {"Connection": "close"}))
    await get(url)
    assert len(client.pool) == 0
    await get(url)
    assert len({seen.port for seen in site.seen}) == 2


async def test_a_kept_connection_that_died_is_replaced(site: Loopback) -> None:
    url = site.at("/a", Answer(200, "x"), Answer(raw=b""), Answer(200, "y"))
    assert (await get(url)).content == b"x"
    # The server closes the kept connection without an answer: asked again on a new one.
    assert (await get(url)).content == b"y"


async def test_a_post_is_not_sent_twice(site: Loopback) -> None:
    url = site.at("/a", Answer(200, "x"), Answer(raw=b""), Answer(200, "y"))
    await get(url)
    with pytest.raises(RetriableError) as caught:
        await get(url, method="POST")
    assert caught.value.code == "http.connection"
    assert len(site.seen) == 2


async def test_nobody_listens() -> None:
    with pytest.raises(RetriableError) as caught:
        await get(f"http://127.0.0.1:{free_port()}/a?key=hidden")
    assert caught.value.code == "http.connection"
    assert "refused" in caught.value.message.lower()
    assert "hidden" not in caught.value.message


@pytest.mark.parametrize(
    ("raw", "error", "code"),
    [
        (b"", RetriableError, "http.connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", RetriableError, "http.connection"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            RetriableError,
            "http.connection",
        ),
        (b"SSH-2.0-OpenSSH\r\n", FatalError, "http.protocol"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", FatalError, "http.protocol"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", FatalError, "http.protocol"),
    ],
)
async def test_broken_responses(
    site: Loopback, raw: bytes, error: type[Exception], code: str
) -> None:
    url = site.at("/a", Answer(raw=raw))
    with pytest.raises(error) as caught:
        await get(url)
    assert caught.value.code == code  # pyright: ignore[reportAttributeAccessIssue]


async def test_an_early_answer_to_a_large_body_is_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            made, _ = listener.accept()
            made.recv(100)
            made.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
            made.shutdown(socket.SHUT_WR)
            time.sleep(0.2)
            made.close()

        threading.Thread(target=refuse, daemon=True).start()
        port = listener.getsockname()[1]
        request = Request(
            "POST", urls.parse(f"http://127.0.0.1:{port}/"), content=b"x" * 20_000_000
        )
        found = (await asyncio.gather(client.send(request), return_exceptions=True))[0]
        # The reset may overtake the answer.
        assert getattr(found, "status", 413) == 413
        assert getattr(found, "code", "http.connection") == "http.connection"


# --- time limits -----------------------------------------------------------------------------


def dripping(gap: float) -> socket.socket:
    """A server that sends a byte of an endless header every `gap` seconds."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            while True:
                made, _ = listener.accept()
                made.recv(1000)
                made.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while True:
                    time.sleep(gap)
                    made.sendall(b"x")
        except OSError:
            return

    threading.Thread(target=serve, daemon=True).start()
    return listener


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(timeout=0.3), r"longer than 0\.3 s"),
        (Limits(timeout=30, read_timeout=0.2), "silent"),
    ],
)
async def test_a_silent_server_times_out(site: Loopback, limits: Limits, words: str) -> None:
    release = threading.Event()
    url = site.at("/a", lambda _: Answer(200, "x") if release.wait(60) else Answer(500))
    with pytest.raises(RetriableError, match=words) as caught:
        await get(url, limits)
    release.set()
    assert caught.value.code == "http.timeout"


async def test_a_server_that_drips_cannot_stretch_the_time() -> None:
    with dripping(0.05) as server:
        start = time.perf_counter()
        with pytest.raises(RetriableError, match=r"longer than 0\.4 s"):
            await get(
                f"http://127.0.0.1:{server.getsockname()[1]}/",
                Limits(timeout=0.4, read_timeout=0.2),
            )
        assert time.perf_counter() - start > 0.35


async def test_the_time_limit_covers_redirects(site: Loopback) -> None:
    def slow(seen: Seen) -> Answer:
        time.sleep(0.15)
        return Answer(302, b"", {"Location": f"/a?n={len(site.seen)}"})

    url = site.at("/a", slow)
    with pytest.raises(RetriableError) as caught:
        await get(url, Limits(timeout=0.4, max_redirects=20))
    assert caught.value.code == "http.timeout"


async def test_a_host_that_does_not_accept_times_out() -> None:
    # A full backlog leaves further connections unanswered.
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        fillers.append(filler)
    await asyncio.sleep(0.05)
    try:
        port = listener.getsockname()[1]
        with pytest.raises(RetriableError, match=r"no connection within 0\.2 s") as caught:
            await get(f"http://127.0.0.1:{port}/", Limits(timeout=30, connect_timeout=0.2))
        assert caught.value.code == "http.timeout"
    finally:
        for made in (*fillers, listener):
            made.close()


async def test_a_name_server_cannot_stretch_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    answered = threading.Event()

    def slow(*_: object, **__: object) -> list[object]:
        release.wait(60)
        answered.set()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with pytest.raises(RetriableError) as caught:
        await get("http://slow.test/", Limits(timeout=0.1))
    assert caught.value.code == "http.timeout"
    assert not answered.is_set()
    release.set()


async def test_cancelling_breaks_the_connection(site: Loopback) -> None:
    arrived = threading.Event()
    release = threading.Event()

    def hold(_: Seen) -> Answer:
        arrived.set()
        release.wait(60)
        return Answer(200, "x")

    url = site.at("/a", hold)
    task = asyncio.create_task(get(url))
    await asyncio.to_thread(arrived.wait, 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not release.is_set()
    release.set()
    await asyncio.sleep(0.05)
    assert len(client.pool) == 0


# --- redirects -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "method", "expected"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (301, "PUT", "PUT"),
        (302, "DELETE", "DELETE"),
        (303, "HEAD", "HEAD"),
        (302, "GET", "GET"),
    ],
)
async def test_methods_after_redirects(
    site: Loopback, status: int, method: str, expected: str
) -> None:
    url = site.at("/a", Answer(status, b"", {"Location": "/b"}))
    site.at("/b", Answer(200, "end"))
    await client.send(Request(method, urls.parse(url), [], b"data", "text/plain"))
    last = site.seen[-1]
    assert (last.path, last.method) == ("/b", expected)
    kept = expected == method and method != "HEAD"
    assert (last.body == b"data") == (kept or method == "HEAD")


async def test_the_url_that_answered(site: Loopback) -> None:
    url = site.at("/a/b", Answer(302, b"", {"Location": "../c?d=e#f"}))
    site.at("/c", Answer(200, "end"))
    assert str((await get(url)).url) == f"{site.url}/c?d=e"


async def test_redirects_are_limited(site: Loopback) -> None:
    url = site.at("/a", Answer(302, b"", {"Location": "/a"}))
    with pytest.raises(FatalError, match="more than 3 redirects") as caught:
        await get(url, Limits(max_redirects=3))
    assert caught.value.code == "http.redirects"
    assert len(site.seen) == 4


async def test_redirects_need_not_be_followed(site: Loopback) -> None:
    url = site.at("/a", Answer(302, b"", {"Location": "/b"}))
    response = await get(url, Limits(max_redirects=0))
    assert (response.status, response.headers["location"]) == (302, "/b")


async def test_a_redirect_without_location_is_the_answer(site: Loopback) -> None:
    assert (await get(site.at("/a", Answer(302)))).status == 302


async def test_credentials_stay_with_their_origin(site: Loopback, other_site: Loopback) -> None:
    other_site.at("/b", Answer(200, "end"))
    site.at("/same", Answer(302, b"", {"Location": f"{other_site.url}/b"}))
    url = site.at("/a", Answer(302, b"", {"Location": "/same"}))
    credentials = Credentials((("Authorization", "Bearer t"),), (("key", "k"),))
    headers = [("Cookie", "a=b"), ("X-Api-Key", "k"), ("X-Trace", "1")]
    request = Request("GET", urls.parse(url + "?q=1"), headers, credentials=credentials)
    response = await client.send(request)
    first, same, other = *site.seen, *other_site.seen
    for seen in (first, same):
        assert seen.headers["authorization"] == "Bearer t"
        assert seen.headers["cookie"] == "a=b"
        assert seen.query["key"] == ["k"]
    assert not {"authorization", "cookie", "x-api-key"} & set(other.headers)
    assert other.headers["x-trace"] == "1"
    assert other.headers["host"] == f"127.0.0.1:{other_site.port}"
    assert other.query == {}
    assert "key" not in str(response.url)


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://169.254.169.254/latest/meta-data/", "http.address"),
        ("http://2852039166/latest/meta-data/", "http.address"),
        ("http://[::ffff:169.254.169.254]/", "http.address"),
        ("http://metadata.google.internal/computeMetadata/v1/", "http.address"),
        ("//0.0.0.0/", "http.address"),
        ("file:///etc/passwd", "http.url"),
        ("http://user:word@127.0.0.1/", "http.url"),
    ],
)
async def test_redirects_lead_nowhere_forbidden(site: Loopback, location: str, code: str) -> None:
    url = site.at("/a", Answer(302, b"", {"Location": location}))
    with pytest.raises(FatalError) as caught:
        await get(url)
    assert caught.value.code == code


# --- addresses -------------------------------------------------------------------------------


async def test_a_name_that_is_bound_anew_is_checked_anew(
    site: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.at("/a", Answer(200, "x", {"Connection": "close"}))
    answers = ["127.0.0.1", "169.254.169.254"]
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    url = f"http://rebind.test:{site.port}/a"
    assert (await get(url)).content == b"x"
    assert asked == ["rebind.test"]  # the address that was checked is the one connected to
    assert site.seen[0].headers["host"] == f"rebind.test:{site.port}"
    with pytest.raises(FatalError) as caught:
        await get(url)
    assert caught.value.code == "http.address"


async def test_private_networks_can_be_forbidden(
    site: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.at("/a", Answer(200, "x"))
    await get(url)
    with pytest.raises(FatalError, match="private network"):
        await get(url, Limits(policy=Policy(private=False)))
    monkeypatch.setenv("NODEGX_NETWORK", "public")
    with pytest.raises(FatalError, match="private network"):
        await get(url)
    assert len(site.seen) == 1


async def test_proxies_of_the_environment_are_not_used(
    site: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert (await get(site.at("/a", Answer(200, "x")))).status == 200


# --- TLS and proxies -------------------------------------------------------------------------


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Loopback, Path]]:
    context, certificate = server_context(tmp_path)
    with loopback(context) as server:
        server.at("/a", Answer(200, "x"))
        yield server, certificate


async def test_tls(secure: tuple[Loopback, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    server, certificate = secure
    with pytest.raises(FatalError) as caught:
        await get(server.url + "/a")
    assert caught.value.code == "http.tls"
    assert (await get(server.url + "/a", Limits(verify_tls=False))).content == b"x"
    with pytest.raises(FatalError):  # the connection above must not serve this request
        await get(server.url + "/a")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    for _ in range(3):
        assert (await get(server.url + "/a")).content == b"x"
    assert len({seen.port for seen in server.seen}) == 2
    with pytest.raises(FatalError) as caught:  # right authority, wrong name
        await get(f"https://localhost:{server.port}/a")
    assert caught.value.code == "http.tls"


async def test_plain_text_where_tls_was_expected(site: Loopback) -> None:
    with pytest.raises(RetriableError) as caught:
        await get(f"https://127.0.0.1:{site.port}/")
    assert caught.value.code == "http.connection"


class Proxy:
    """A CONNECT proxy that notes what it was asked."""

    def __init__(self, status: int = 200) -> None:
        self.heads: list[str] = []
        self._status = status
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        try:
            while True:
                made, _ = self._listener.accept()
                head = made.recv(4096).decode()
                self.heads.append(head)
                made.sendall(f"HTTP/1.1 {self._status} X\r\n\r\n".encode())
                if self._status != 200:
                    made.close()
                    continue
                host, _, port = head.split()[1].rpartition(":")
                server = socket.create_connection((host, int(port)))
                for source, sink in ((made, server), (server, made)):
                    threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()
        except OSError:
            return

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        sink.close()


async def test_a_proxy_gets_the_vetted_address(
    secure: tuple[Loopback, Path], site: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, certificate = secure
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    proxy = Proxy()
    limits = Limits(proxy=f"http://user:pa%20ss@127.0.0.1:{proxy.port}")
    try:
        assert (await get(server.url + "/a", limits)).content == b"x"
        plain = site.at("/b", Answer(200, "y")).replace("127.0.0.1", "localhost")
        assert (await get(plain, limits)).content == b"y"
        assert proxy.heads[0].startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\n")
        assert "Proxy-Authorization: Basic dXNlcjpwYSBzcw==" in proxy.heads[0]
        assert "localhost" not in proxy.heads[1]
        with pytest.raises(FatalError) as caught:
            await get("http://169.254.169.254/", limits)
        assert caught.value.code == "http.address"
    finally:
        proxy.close()


@pytest.mark.parametrize(("status", "error"), [(407, FatalError), (503, RetriableError)])
async def test_a_proxy_that_refuses(status: int, error: type[Exception]) -> None:
    proxy = Proxy(status)
    try:
        with pytest.raises(error, match=f"proxy answered {status}"):
            await get("http://127.0.0.1/", Limits(proxy=f"http://127.0.0.1:{proxy.port}"))
    finally:
        proxy.close()
