"""A person who opens a resume URL in the emulated cloud, and presses a button of its form."""

from __future__ import annotations

import re
from html import unescape
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from tests.support.emulated_aws import Deployment


def visit(shop: Deployment, url: str, form: str | None = None) -> tuple[int, str]:
    """Opens a resume URL as a browser does, or sends its form."""
    parts = urlsplit(url)
    connection = HTTPConnection("127.0.0.1", shop.server.port, timeout=60)
    headers = {"Host": parts.netloc, "Accept": "text/html"}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request("GET" if form is None else "POST", parts.path, form, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, unescape(text)


def opened(shop: Deployment, link: str) -> tuple[int, str] | None:
    """The page behind a link, as soon as the execution waits for it."""
    found = visit(shop, link)
    return found if found[0] != 409 else None


def press(shop: Deployment, link: str, page: str, action: str, **fields: str) -> int:
    """Fills the form of a page in and presses one of its buttons; returns the status."""
    found = re.search(rf'<button[^>]*name="([^"]+)"[^>]*value="{action}"', page)
    assert found is not None, page
    return visit(shop, link, urlencode({**fields, found[1]: action}))[0]
