"""Names: of workflows (also as file and function names) and of nodes (also as variables)."""

from __future__ import annotations

import hashlib
import keyword
import re
import unicodedata
from collections.abc import Iterable

from .expressions import ROOTS

_PART = r"#?\w(?:[\w \-]|\.\w)*"
WORKFLOW_NAME = re.compile(rf"/?{_PART}(?:/{_PART})*")
"""Parts between slashes; a dot only inside a word, so that no name can climb a directory."""

WORKFLOW_NAME_HINT = (
    'use letters, digits, spaces, "-" and "_" in parts separated by "/", '
    'such as "/#__cloud__/ProcessOrder"'
)

MAX_NAME = 200

RESERVED = frozenset({*ROOTS, *keyword.kwlist, "run", "fx", "null", "true", "false", "undefined"})
"""Names that mean something else wherever a node's name could stand."""

_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^0-9a-zA-Z]+")
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)


def snake_case(text: str) -> str:
    """`Process order`, `processOrder` and `ProcessOrder` as `process_order`; "" where `text` has
    no Latin letter or digit."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return _OTHER.sub("_", _BOUNDARY.sub("_", ascii_text)).strip("_").lower()


def workflow_slug(name: str) -> str:
    """The directory and function name of a workflow, from the last part of its name: always a
    Python identifier that is no keyword."""
    last = name.rsplit("/", 1)[-1]
    slug = snake_case(last)
    if not slug:
        return f"workflow_{hashlib.sha256(last.encode()).hexdigest()[:8]}"
    if slug[0].isdigit():
        return f"workflow_{slug}"
    return f"{slug}_workflow" if keyword.iskeyword(slug) else slug


def _own_name(node_id: str, label: str) -> str:
    if _IDENTIFIER.fullmatch(node_id) and node_id not in RESERVED:
        return node_id
    for text in (label, node_id):
        slug = snake_case(text)
        if slug and slug[0].isdigit():
            slug = f"node_{slug}"
        if slug:
            return f"{slug}_node" if slug in RESERVED else slug
    return "node"


def node_names(nodes: Iterable[tuple[str, str]], reserved: frozenset[str] = RESERVED) -> list[str]:
    """The names of nodes in expressions and in code, all different, for pairs of id and label.

    An id that is an identifier is the name; other nodes are named after their label, then their
    id. Ids come first: a label never takes a name that is another node's id.
    """
    pairs = list(nodes)
    names: dict[int, str] = {}
    taken = set(reserved)
    numbers: dict[str, int] = {}
    for index, (node_id, label) in enumerate(pairs):
        if (name := _own_name(node_id, label)) == node_id and name not in taken:
            names[index] = name
            taken.add(name)
    for index, (node_id, label) in enumerate(pairs):
        if index in names:
            continue
        base = name = _own_name(node_id, label)
        while name in taken:
            numbers[base] = numbers.get(base, 1) + 1
            name = f"{base}_{numbers[base]}"
        names[index] = name
        taken.add(name)
    return [names[index] for index in range(len(pairs))]
