"""What to write instead of functions and methods of other languages, and of Python's own that
expressions do not have."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FOREIGN_FUNCTIONS: Mapping[str, str] = MappingProxyType(
    {
        "print": "expressions only compute; look at the history",
        "type": "write typeOf(value)",
        "isinstance": 'write typeOf(value) == "string"',
        "dict": "write {…} or fromEntries(pairs)",
        "tuple": "write list(items)",
        "frozenset": "write unique(items)",
        "map": "write [f(x) for x in items]",
        "filter": "write [x for x in items if …]",
        "reversed": "write reverse(items)",
        "pow": "write a ** b",
        "format": 'write f"{value:.2f}" or formatNumber(value)',
        "hasattr": "write has(value, key)",
        "getattr": "write get(value, key)",
        "parseInt": "write int(value)",
        "parseFloat": "write number(value)",
        "Number": "write number(value)",
        "String": "write text(value)",
        "Boolean": "write bool(value)",
        "Date": "write now() or parseDate(text)",
        "today": 'write startOf(now(), "day")',
        "concat": "write a + b",
        "encodeURIComponent": "write urlEncode(text)",
        "btoa": "write base64Encode(text)",
        "atob": "write base64Decode(text)",
        "md5": "write sha256(text)",
    }
)
"""Hints by the name of a function."""

FOREIGN_METHODS: Mapping[str, str] = MappingProxyType(
    {
        "toUpperCase": "write .upper()",
        "toLowerCase": "write .lower()",
        "trim": "write .strip()",
        "includes": "write `x in value`",
        "contains": "write `x in value`",
        "startsWith": "write .startswith(text)",
        "endsWith": "write .endswith(text)",
        "indexOf": "write .find(text) or .index(value)",
        "substring": "write value[start:end]",
        "substr": "write value[start:end]",
        "slice": "write value[start:end]",
        "replaceAll": "write .replace(old, new)",
        "padStart": "write .rjust(length)",
        "padEnd": "write .ljust(length)",
        "concat": "write a + b",
        "toString": "write text(value)",
        "toFixed": 'write f"{value:.2f}"',
        "length": "write len(value)",
        "size": "write len(value)",
        "map": "write [f(x) for x in items]",
        "filter": "write [x for x in items if …]",
        "reduce": "write sum(x for x in items), or use data.transform",
        "some": "write any(x > 1 for x in items)",
        "every": "write all(x > 1 for x in items)",
        "sort": "write sorted(items)",
        "reverse": "write reverse(items)",
        "push": "write items + [x]",
        "append": "write items + [x]",
        "extend": "write items + others",
        "insert": "write items[:i] + [x] + items[i:]",
        "pop": "write items[:-1]",
        "update": "write merge(a, b)",
        "copy": "values are never changed in place; remove it",
        "format": 'write f"… {value} …"',
        "format_map": 'write f"… {value} …"',
        "encode": "write base64Encode(text) or sha256(text)",
        "match": "write matches(text, pattern)",
        "toISOString": "write formatDate(date)",
        "getTime": "write timestamp(date)",
    }
)
"""Hints by the name of a method."""
