"""The functions and methods that expressions may call.

One line of the table is a function's signature, its implementation and its documentation; the
compiler checks calls against it. Implementations are `fx.*` (`nodegx.runtime.expressions`),
`run.*` (answers the run keeps, so that a resumed run sees them again) or Python's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from nodegx.runtime.catalog.types import Type

_SIGNATURE = re.compile(r"(\w+)\((.*)\) -> (\w+)")
_PARAM = re.compile(r"(\w+)(\?|\.\.\.)?: (\w+)")
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter: `rest` takes any further arguments, at least one."""

    name: str
    type: Type
    optional: bool
    rest: bool


@dataclass(frozen=True, slots=True)
class Function:
    """One function or method.

    Args:
        signature: as people read it, `slug(text: string) -> string`.
        target: `fx.name`, `run.name` or the name of a Python builtin; for a method `native`, or
            the `fx.name` that takes its receiver as first argument.
        group: heading in listings.
        doc: one line.
        iterator: the Python value is an iterator, not a list.
        grows: the result can be much longer than the arguments.
    """

    name: str
    params: tuple[Param, ...]
    returns: Type
    signature: str
    target: str
    group: str
    doc: str
    iterator: bool = False
    grows: bool = False

    @property
    def arity(self) -> tuple[int, int | None]:
        """Least and greatest number of arguments; None means any."""
        least = sum(not param.optional for param in self.params)
        return least, None if any(param.rest for param in self.params) else len(self.params)


def snake(name: str) -> str:
    """`formatDate` in Python's spelling."""
    return _CAPITAL.sub("_", name).lower()


def _function(signature: str, target: str, group: str, doc: str) -> Function:
    match = _SIGNATURE.fullmatch(signature)
    assert match is not None, signature
    name, params, returns = match.groups()
    return Function(
        name=name,
        params=tuple(
            Param(param, Type(type), mark == "?", mark == "...")
            for param, mark, type in _PARAM.findall(params)
        ),
        returns=Type(returns),
        signature=signature,
        target=target or f"fx.{snake(name)}",
        group=group,
        doc=doc,
        iterator=name in _ITERATORS and not target.startswith("fx.") and bool(target),
        grows=name in _GROWING,
    )


_ITERATORS = {"zip", "enumerate", "keys", "values", "items"}
_GROWING = {
    *("repeat", "replace", "replacePattern", "padStart", "padEnd", "join", "json", "text"),
    *("range", "ljust", "rjust", "center", "zfill", "str"),
}

# group: (signature, target; empty means fx.<name in snake case>, documentation)
_TABLE: dict[str, tuple[tuple[str, str, str], ...]] = {
    "text": (
        ("text(value: any) -> string", "", "Renders a value as text: null is empty, objects JSON."),
        ("str(value: any) -> string", "fx.text", "The same as text."),
        ("upper(text: string) -> string", "", "Upper case."),
        ("lower(text: string) -> string", "", "Lower case."),
        ("trim(text: string, chars?: string) -> string", "", "Removes white space at both ends."),
        ("split(text: string, separator?: string) -> array", "", "Splits at a separator."),
        ("join(items: array, separator?: string) -> string", "", "Joins elements to one text."),
        (
            "replace(text: string, old: string, new: string, count?: integer) -> string",
            "",
            "Replaces every occurrence of a text, or the first `count`.",
        ),
        (
            "replacePattern(text: string, pattern: string, new: string) -> string",
            "",
            "Replaces every match of a regular expression; \\1 is its first group.",
        ),
        ("repeat(text: string, times: integer) -> string", "", "The text several times."),
        ("padStart(text: string, length: integer, fill?: string) -> string", "", "Pads left."),
        ("padEnd(text: string, length: integer, fill?: string) -> string", "", "Pads right."),
        ("slug(text: string) -> string", "", "Lower-case ASCII words joined by hyphens."),
        (
            "truncate(text: string, length: integer, suffix?: string) -> string",
            "",
            "Cuts a text to at most `length` characters, the suffix (…) included.",
        ),
        ("startsWith(text: string, prefix: string) -> boolean", "", "Whether a text starts so."),
        ("endsWith(text: string, suffix: string) -> boolean", "", "Whether a text ends so."),
        (
            "contains(value: any, item: any) -> boolean",
            "",
            "Whether a text has a part, an array an element, or an object a key.",
        ),
        (
            "matches(text: string, pattern: string) -> boolean",
            "",
            "Whether a regular expression matches anywhere; anchor it with ^ and $.",
        ),
        (
            "extract(text: string, pattern: string, group?: any) -> any",
            "",
            "The first match of a regular expression (its first group, if it has one), or null.",
        ),
        (
            "extractAll(text: string, pattern: string) -> array",
            "",
            "Every match of a regular expression.",
        ),
        ("escapeHtml(text: any) -> string", "", "Makes a value safe inside HTML."),
    ),
    "numbers": (
        (
            "number(value: any, default?: any) -> number",
            "",
            "Reads a number from text; without default, anything else is an error.",
        ),
        ("int(value: any) -> integer", "int", "A whole number, cut off towards zero."),
        ("float(value: any) -> number", "fx.number", "The same as number."),
        (
            "round(value: number, digits?: integer) -> number",
            "",
            "Rounds half to even, as Python does.",
        ),
        ("floor(value: number) -> integer", "", "The next whole number below."),
        ("ceil(value: number) -> integer", "", "The next whole number above."),
        ("abs(value: number) -> number", "abs", "Without its sign."),
        ("min(values...: any) -> any", "min", "The smallest argument, or element of one array."),
        ("max(values...: any) -> any", "max", "The largest argument, or element of one array."),
        ("sum(items: array) -> number", "sum", "The sum of an array of numbers."),
        ("average(items: array) -> number", "", "The mean; an error if there are no elements."),
        (
            "formatNumber(value: number, decimals?: integer, thousands?: string, point?: string)"
            " -> string",
            "",
            "Fixed decimals (2), thousands separator (,) and decimal point (.).",
        ),
    ),
    "objects": (
        (
            "get(value: any, path: any, default?: any) -> any",
            "",
            'Reads "a.b[0].c"; the default (null) where something is missing.',
        ),
        ("has(value: any, path: any) -> boolean", "", 'Whether the path "a.b[0]" exists.'),
        ("default(value: any, fallback: any) -> any", "", "The fallback if the value is null."),
        ("coalesce(values...: any) -> any", "", "The first value that is not null."),
        ("keys(object: object) -> array", "", "The keys of an object."),
        ("values(object: object) -> array", "", "The values of an object."),
        ("entries(object: object) -> array", "", "[key, value] pairs."),
        ("fromEntries(pairs: array) -> object", "", "An object from [key, value] pairs."),
        ("merge(objects...: object) -> object", "", "One object; later keys win. Not deep."),
        ("pick(object: object, keys...: string) -> object", "", "Only these keys."),
        ("omit(object: object, keys...: string) -> object", "", "All but these keys."),
        ("json(value: any, indent?: integer) -> string", "fx.to_json", "Writes JSON."),
        ("parseJson(text: string, default?: any) -> any", "", "Reads JSON."),
        (
            "typeOf(value: any) -> string",
            "",
            "null, boolean, number, string, array or object.",
        ),
        ("bool(value: any) -> boolean", "bool", "False for null, 0, false and anything empty."),
        ("isEmpty(value: any) -> boolean", "", "Whether a value is null, or has no elements."),
    ),
    "arrays": (
        ("len(value: any) -> integer", "len", "The number of characters, elements or keys."),
        ("first(items: array, default?: any) -> any", "", "The first element, or the default."),
        ("last(items: array, default?: any) -> any", "", "The last element, or the default."),
        (
            "unique(items: array, path?: string) -> array",
            "",
            "Without repetitions, in order; by the value at a path.",
        ),
        ("flatten(items: array, depth?: integer) -> array", "", "Arrays inside arrays dissolved."),
        ("pluck(items: array, path: string) -> array", "", "The value at a path, of each."),
        (
            "where(items: array, path: string, value: any) -> array",
            "",
            "The elements that have this value at the path.",
        ),
        ("groupBy(items: array, path: string) -> object", "", "Arrays by the value at a path."),
        ("keyBy(items: array, path: string) -> object", "", "Elements by the value at a path."),
        ("countBy(items: array, path: string) -> object", "", "How many by value at a path."),
        (
            "sortBy(items: array, path: string, descending?: boolean) -> array",
            "",
            "Sorted by the value at a path; null comes first.",
        ),
        ("sumBy(items: array, path: string) -> number", "", "The sum of the values at a path."),
        (
            "sorted(items: array, reverse?: boolean) -> array",
            "fx.sort",
            "Sorted; null comes first.",
        ),
        ("reverse(items: array) -> array", "", "In reverse order."),
        ("chunk(items: array, size: integer) -> array", "", "Arrays of at most `size` elements."),
        ("compact(items: array) -> array", "", "Without null, false, 0 and empty elements."),
        ("difference(items: array, others: array) -> array", "", "What only the first has."),
        ("intersection(items: array, others: array) -> array", "", "What both have."),
        (
            "range(start: integer, stop?: integer, step?: integer) -> array",
            "",
            "Numbers from start (0 if alone) up to, without, stop; 100,000 at most.",
        ),
        ("list(items: any) -> array", "list", "An array of the elements, characters or keys."),
        ("set(items: array) -> array", "set", "For fast `in`; use unique for an array."),
        ("zip(lists...: array) -> array", "zip", "Pairs up the elements of several arrays."),
        (
            "enumerate(items: array, start?: integer) -> array",
            "enumerate",
            "[index, element] pairs.",
        ),
        ("any(items: array) -> boolean", "any", "Whether some element is true."),
        ("all(items: array) -> boolean", "all", "Whether every element is true."),
    ),
    "dates": (
        (
            "parseDate(text: any, format?: string, timezone?: string) -> string",
            "",
            "An ISO 8601 date from text in that or in a strptime format, or from epoch seconds.",
        ),
        (
            "formatDate(date: any, format?: string, timezone?: string) -> string",
            "",
            "Formats a date with strftime directives (%Y-%m-%d) in a time zone.",
        ),
        (
            "addTime(date: any, amount: number, unit: string) -> string",
            "",
            "A date moved by seconds, minutes, hours, days, weeks, months or years.",
        ),
        (
            "diffTime(start: any, end: any, unit?: string) -> number",
            "",
            "The time from start to end in seconds, or in that unit up to weeks.",
        ),
        (
            "startOf(date: any, unit: string, timezone?: string) -> string",
            "",
            "The start of the minute, hour, day, week (Monday), month or year.",
        ),
        ("timestamp(date: any) -> number", "", "Seconds since 1970."),
        ("before(date: any, other: any) -> boolean", "", "Whether a date is earlier."),
        ("after(date: any, other: any) -> boolean", "", "Whether a date is later."),
    ),
    "encoding": (
        ("base64Encode(text: any, urlSafe?: boolean) -> string", "", "Base64 of a text (UTF-8)."),
        ("base64Decode(text: string) -> string", "", "Text from Base64, url-safe or not."),
        ("urlEncode(value: any) -> string", "", "Percent-encodes a text; objects as a query."),
        ("urlDecode(text: string) -> string", "", "Undoes percent-encoding."),
        ("sha256(text: any) -> string", "", "SHA-256 as hexadecimal text."),
        (
            "hmacSha256(text: any, key: string, encoding?: string) -> string",
            "",
            "Keyed SHA-256, hex or base64.",
        ),
    ),
    "run": (
        ("now() -> string", "run.now", "The time as ISO 8601 text in UTC."),
        ("uuid() -> string", "run.uuid", "A new random UUID."),
        ("random() -> number", "run.random", "A number from 0 up to, without, 1."),
        (
            "resumeUrl(wait: string) -> string",
            "run.resume_url",
            "The URL that ends a Wait node with `webhook`, by its id; of this run and iteration.",
        ),
    ),
}

_METHOD_TABLE: dict[str, tuple[tuple[str, str, str], ...]] = {
    "text": (
        *(
            (f"{name}() -> string", "native", doc)
            for name, doc in (
                ("upper", "Upper case."),
                ("lower", "Lower case."),
                ("title", "Every Word Capitalized."),
                ("capitalize", "The first character capitalized."),
                ("casefold", "For comparisons that ignore case."),
                ("swapcase", "Upper and lower case exchanged."),
            )
        ),
        *(
            (f"{name}(chars?: string) -> string", "native", doc)
            for name, doc in (
                ("strip", "Removes white space at both ends."),
                ("lstrip", "Removes white space at the start."),
                ("rstrip", "Removes white space at the end."),
            )
        ),
        *(
            (f"{name}() -> boolean", "native", doc)
            for name, doc in (
                ("isdigit", "Whether all are digits."),
                ("isnumeric", "Whether all are numeric."),
                ("isdecimal", "Whether all are decimal digits."),
                ("isalpha", "Whether all are letters."),
                ("isalnum", "Whether all are letters or digits."),
                ("isspace", "Whether all are white space."),
                ("isupper", "Whether all letters are upper case."),
                ("islower", "Whether all letters are lower case."),
            )
        ),
        ("startswith(prefix: string) -> boolean", "native", "Whether it starts so."),
        ("endswith(suffix: string) -> boolean", "native", "Whether it ends so."),
        ("removeprefix(prefix: string) -> string", "native", "Without that start."),
        ("removesuffix(suffix: string) -> string", "native", "Without that end."),
        ("split(separator?: string, limit?: integer) -> array", "native", "Its parts."),
        ("rsplit(separator?: string, limit?: integer) -> array", "native", "From the right."),
        ("splitlines() -> array", "native", "Its lines."),
        ("partition(separator: string) -> array", "native", "[before, separator, after]."),
        ("rpartition(separator: string) -> array", "native", "The same at the last separator."),
        ("find(text: string) -> integer", "native", "Where a text starts, or -1."),
        ("rfind(text: string) -> integer", "native", "Where its last occurrence starts, or -1."),
        (
            "replace(old: string, new: string, count?: integer) -> string",
            "fx.replace",
            "Every occurrence replaced.",
        ),
        ("join(items: array) -> string", "fx.join", "The elements, with this text between them."),
        ("ljust(length: integer, fill?: string) -> string", "fx.pad_end", "Padded right."),
        ("rjust(length: integer, fill?: string) -> string", "fx.pad_start", "Padded left."),
        ("center(length: integer, fill?: string) -> string", "fx.center", "Padded both sides."),
        ("zfill(length: integer) -> string", "fx.zfill", "Padded with zeros."),
    ),
    "arrays and text": (
        ("index(value: any) -> integer", "native", "Where a value is first found."),
        ("count(value: any) -> integer", "native", "How often a value is found."),
    ),
    "objects": (
        ("get(key: any, default?: any) -> any", "native", "The value of a key, or the default."),
        ("keys() -> array", "native", "Its keys."),
        ("values() -> array", "native", "Its values."),
        ("items() -> array", "native", "[key, value] pairs."),
    ),
}


def _listed(table: Mapping[str, tuple[tuple[str, str, str], ...]]) -> Mapping[str, Function]:
    rows = [
        _function(signature, target, group, doc)
        for group, lines in table.items()
        for signature, target, doc in lines
    ]
    return MappingProxyType({row.name: row for row in rows})


FUNCTIONS: Mapping[str, Function] = _listed(_TABLE)
"""Functions by their name in expressions, in the order in which they are listed to people."""

METHODS: Mapping[str, Function] = _listed(_METHOD_TABLE)
"""Methods of text, arrays and objects by name."""

_SNAKE = {snake(name): function for name, function in FUNCTIONS.items()}


def find_function(name: str) -> Function | None:
    """The function called `name`, in `camelCase` or `snake_case`."""
    return FUNCTIONS.get(name) or _SNAKE.get(name)
