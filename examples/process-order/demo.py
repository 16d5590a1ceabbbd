"""Compiles this example, serves it on loopback, fires its webhook and shows what was recorded.

Everything is real: the compiler, the server, HTTP requests, and a small payment service that is
overloaded now and then. Run it with `make demo`.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
NODEGX = str(Path(sys.executable).with_name("nodegx"))


class Payments(BaseHTTPRequestHandler):
    """A payment service: the first two charges meet an overloaded service, `A-99` is refused."""

    overloaded = 2
    charges = 0

    def do_POST(self) -> None:
        """Takes `POST /charges`."""
        charge = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if Payments.overloaded > 0:
            Payments.overloaded -= 1
            self.answer(503, {"error": "overloaded"})
        elif charge["order"] == "A-99":
            self.answer(402, {"error": "card refused"})
        else:
            Payments.charges += 1
            self.answer(201, {"id": f"ch_{Payments.charges:04}", "amount": charge["amount"]})

    def answer(self, status: int, body: Any) -> None:
        """Sends `body` as JSON."""
        data = json.dumps(body).encode()
        print(f"      payment service: {self.path} -> {status} {body}", flush=True)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Silences the default log: `answer` prints a line of its own."""


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def post(url: str, body: bytes) -> tuple[int, str]:
    """Posts JSON; returns status and body, whatever the status."""
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    """Polls the server's readiness page for at most 20 s."""
    for _ in range(200):
        if server.poll() is not None:
            raise SystemExit(f"the server stopped with exit code {server.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not become ready within 20 s")


def heading(text: str) -> None:
    """Prints a line that separates the parts of the show."""
    print(f"\n\033[1m── {text}\033[0m" if sys.stdout.isatty() else f"\n── {text}", flush=True)


def nodegx(*arguments: str) -> None:
    """Runs the command line in this example's folder, showing the command first."""
    print(f"$ nodegx {' '.join(arguments)}", flush=True)
    subprocess.run([NODEGX, *arguments], cwd=HERE, check=True)


def execution_with(text: str) -> str:
    """The id of the latest execution in whose data `text` occurs."""
    command = [NODEGX, "history", "list", "--search", text, "--json"]
    found = subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE).stdout
    return json.loads(found)["executions"][0]["id"]


def main() -> None:
    """The show, from compiling to the recorded executions."""
    heading("Compile")
    nodegx("compile")

    payments = ThreadingHTTPServer(("127.0.0.1", 0), Payments)
    threading.Thread(target=payments.serve_forever, daemon=True).start()
    port = free_port()
    base = f"http://127.0.0.1:{port}"

    heading("Serve")
    command = [NODEGX, "dev", "--port", str(port)]
    payments_url = f"http://127.0.0.1:{payments.server_port}"
    command += ["--var", f"paymentsUrl={payments_url}"]
    print(f"$ {' '.join(['nodegx', *command[1:]])}", flush=True)
    server = subprocess.Popen(command, cwd=HERE, env={**os.environ, "NO_COLOR": "1"})
    try:
        wait_until_ready(f"{base}/_nodegx/ready", server)
        large = json.loads((HERE / "samples/large.json").read_bytes())
        shots = [
            ("a small order goes on the invoice", (HERE / "samples/small.json").read_bytes(), 200),
            ("a large one is charged; two failures are retried", json.dumps(large).encode(), 201),
            ("a refused card", json.dumps({**large, "id": "A-99"}).encode(), 502),
            ("an order with mistakes", (HERE / "samples/invalid.json").read_bytes(), 422),
            ("a body that is not JSON", b"{oops", 400),
        ]
        for title, body, expected in shots:
            heading(f"POST /orders: {title}")
            status, answer = post(f"{base}/orders", body)
            print(f"   -> {status} {answer}", flush=True)
            if status != expected:
                raise SystemExit(f"expected status {expected}")
    finally:
        server.terminate()
        server.wait(20)
        payments.shutdown()

    heading("Recorded executions")
    nodegx("history", "list")
    nodegx("history", "show", execution_with("ch_0001"))

    heading("Where to look")
    root = HERE.parent.parent
    rows = {
        "drawn workflow": HERE / "workflows/process-order.json",
        "compiled handler": HERE / "build/process_order/handler.py",
        "manifest": HERE / "build/process_order/manifest.json",
        "history": HERE / ".nodegx/history.sqlite3",
    }
    for name, path in rows.items():
        print(f"  {name:<17} {path.relative_to(root)}")
    print("  on your own       cd examples/process-order && ../../.venv/bin/nodegx dev")


if __name__ == "__main__":
    if shutil.which(NODEGX) is None:
        raise SystemExit("nodegx is not installed here: run `make demo`")
    main()
