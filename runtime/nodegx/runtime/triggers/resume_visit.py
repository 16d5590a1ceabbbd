"""A request to a resume URL, and what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from nodegx.runtime.durable.tokens import RESUME

from .request import read_headers

if TYPE_CHECKING:
    from .resume_form import Form
    from .webhook import Scope

LONGEST_NAME = 1000  # characters of an execution's id or a step's key that are looked up


class Visit:
    """A request, and what is known of it so far."""

    __slots__ = ("execution", "form", "headers", "method", "path", "step", "token", "workflow")

    def __init__(self, scope: Scope) -> None:
        raw: bytes | None = scope.get("raw_path")
        path: str = raw.decode("latin-1") if raw else scope["path"]
        self.method: str = scope["method"]
        self.path = path
        self.headers = read_headers(scope["headers"])
        self.workflow = ""
        self.form: Form | None = None
        # A host may stand below a path of its own. Where adapters hand the path over decoded, the
        # step may hold slashes; what stands around it never does.
        rest = path.partition(f"{RESUME}/")[2].rstrip("/")
        self.execution, _, rest = rest.partition("/")
        step, _, self.token = rest.rpartition("/")
        self.step = unquote(step) if raw else step

    @property
    def plausible(self) -> bool:
        """Whether the path may be one of ours."""
        return all(
            0 < len(name) <= LONGEST_NAME and name.isprintable()
            for name in (self.execution, self.step)
        )

    @property
    def logged(self) -> str:
        """The path as far as it may be written down: the token ends the wait."""
        return f"{RESUME}/{self.execution}/…"

    @property
    def sends_json(self) -> bool:
        """Whether the body is JSON, by its type."""
        media = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return media == "application/json" or media.endswith("+json")

    @property
    def wants_page(self) -> bool:
        """Whether a person is to read the answer."""
        if self.sends_json:
            return False
        accept = self.headers.get("accept", "").lower()
        return "text/html" in accept or (self.form is not None and "json" not in accept)
