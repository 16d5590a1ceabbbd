"""TLS contexts, made once: loading the authorities takes tens of milliseconds."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache


def context(verify: bool) -> ssl.SSLContext:
    """A client context for HTTP/1.1 that checks certificates, or (`verify` False) does not.

    The authorities are the system's, or those that SSL_CERT_FILE and SSL_CERT_DIR name.
    """
    return _context(verify, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=8)
def _context(verify: bool, _file: str | None, _directory: str | None) -> ssl.SSLContext:
    made = ssl.create_default_context()
    made.set_alpn_protocols(["http/1.1"])
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made
