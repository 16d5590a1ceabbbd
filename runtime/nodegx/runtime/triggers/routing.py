"""Finds the route of a request: a dictionary for fixed paths, a tree of segments for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import unquote

from .problem import ConfigError

T = TypeVar("T")


class RouteConflictError(ConfigError):
    """Two routes claim the same method and path."""


class Match(NamedTuple, Generic[T]):
    """A request's route, or None with the methods its path has (none: no such path)."""

    route: T | None
    params: dict[str, str]
    allowed: tuple[str, ...]


class _Leaf(NamedTuple, Generic[T]):
    names: dict[str, tuple[str, ...]]  # method -> names of the parameters, in path order
    routes: dict[str, T]


class _Branch(Generic[T]):
    __slots__ = ("leaf", "literals", "parameter", "rest")

    def __init__(self) -> None:
        self.literals: dict[str, _Branch[T]] = {}
        self.parameter: _Branch[T] | None = None
        self.rest: _Leaf[T] | None = None  # of a final {name:path}
        self.leaf: _Leaf[T] | None = None


def split(path: str) -> list[str]:
    """The segments of a route's path.

    Raises:
        ConfigError: it does not start with `/`, or a parameter is malformed or named twice.
    """
    if not path.startswith("/"):
        raise ConfigError(f"a path starts with '/', unlike {path!r}")
    segments = path.rstrip("/").split("/")[1:]
    names: set[str] = set()
    for place, segment in enumerate(segments, start=1):
        if not segment:
            raise ConfigError(f"the path {path!r} has an empty segment")
        name = parameter(segment)
        if name is None:
            if "{" in segment or "}" in segment:
                raise ConfigError(f"in {path!r}, a parameter is a whole segment: '/{{name}}'")
            continue
        if takes_rest(segment) and place != len(segments):
            raise ConfigError(f"in {path!r}, only the last parameter may be {{name:path}}")
        if not name.isidentifier() or name in names:
            raise ConfigError(f"the path {path!r} needs distinct, plain parameter names")
        names.add(name)
    return segments


def parameter(segment: str) -> str | None:
    """The name inside `{name}` or `{name:path}`, or None for a literal segment."""
    if segment.startswith("{") and segment.endswith("}"):
        return segment[1:-1].removesuffix(":path")
    return None


def takes_rest(segment: str) -> bool:
    """Whether a segment is `{name:path}`, which stands for all that follows."""
    return segment.startswith("{") and segment.endswith(":path}")


class Router(Generic[T]):
    """Routes by method and path. A literal segment is preferred to a parameter, that to the rest
    of a path; a trailing slash does not matter; a parameter never matches an empty segment."""

    def __init__(self) -> None:
        self._root: _Branch[T] = _Branch()
        self._fixed: dict[str, _Leaf[T]] = {}

    def add(self, method: str, path: str, route: T) -> None:
        """Adds a route.

        Raises:
            RouteConflictError: the method and path are taken.
            ConfigError: the path is malformed.
        """
        segments = split(path)
        names = tuple(name for segment in segments if (name := parameter(segment)) is not None)
        leaf = self._leaf(segments)
        if method in leaf.routes:
            raise RouteConflictError(f"{method} {path} is taken by another trigger")
        leaf.routes[method] = route
        leaf.names[method] = names
        if not names:
            self._fixed["/" + "/".join(segments)] = leaf

    def _leaf(self, segments: list[str]) -> _Leaf[T]:
        branch = self._root
        for segment in segments:
            if takes_rest(segment):
                branch.rest = branch.rest or _Leaf({}, {})
                return branch.rest
            if parameter(segment) is None:
                branch = branch.literals.setdefault(segment, _Branch())
            else:
                branch.parameter = branch.parameter or _Branch()
                branch = branch.parameter
        branch.leaf = branch.leaf or _Leaf({}, {})
        return branch.leaf

    def match(self, method: str, path: str) -> Match[T]:
        """Finds the route of a request.

        Args:
            method: upper-case; HEAD falls back to GET.
            path: the path as it was sent, still percent-encoded.
        """
        leaf = self._fixed.get(path)
        if leaf is not None:
            route = leaf.routes.get(method)
            if route is not None:
                return Match(route, {}, ())
        return self._search(method, path)

    def _search(self, method: str, path: str) -> Match[T]:
        wanted = (method, "GET") if method == "HEAD" else (method,)
        methods: set[str] = set()
        for leaf, values in self._leaves(segments_of(path)):
            for name in wanted:
                if name in leaf.routes:
                    params = dict(zip(leaf.names[name], values, strict=True))
                    return Match(leaf.routes[name], params, ())
            methods.update(leaf.routes)
        if "GET" in methods:
            methods.add("HEAD")
        return Match(None, {}, tuple(sorted(methods)))

    def _leaves(self, segments: list[str]) -> Iterator[tuple[_Leaf[T], tuple[str, ...]]]:
        """Everything that matches the path, best first, with the parameters' values."""
        pending: list[tuple[_Branch[T] | _Leaf[T], int, tuple[str, ...]]] = [(self._root, 0, ())]
        while pending:
            branch, depth, values = pending.pop()
            if isinstance(branch, _Leaf):
                yield branch, values
                continue
            if depth == len(segments):
                if branch.leaf is not None:
                    yield branch.leaf, values
                continue
            segment = segments[depth]
            # Pushed last is tried first.
            if branch.rest is not None:
                pending.append((branch.rest, depth, (*values, "/".join(segments[depth:]))))
            if branch.parameter is not None and segment:
                pending.append((branch.parameter, depth + 1, (*values, segment)))
            literal = branch.literals.get(segment)
            if literal is not None:
                pending.append((literal, depth + 1, values))


def segments_of(path: str) -> list[str]:
    """The decoded segments of a request's path. An encoded slash stays inside its segment."""
    segments = path.split("/")[1:]
    if segments and not segments[-1]:
        segments.pop()
    return [unquote(segment) for segment in segments] if "%" in path else segments
