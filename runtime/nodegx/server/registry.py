"""Everything that is being served, as one immutable table: a reload exchanges it whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from nodegx.runtime.triggers import events, timetable
from nodegx.runtime.triggers import route as routes
from nodegx.runtime.triggers.events import Event, Subscription
from nodegx.runtime.triggers.problem import ConfigError
from nodegx.runtime.triggers.route import Route
from nodegx.runtime.triggers.routing import RouteConflictError, Router

from .scheduler import Schedule
from .workflows import LoadedWorkflow, TriggerEntry

RESERVED = "/_nodegx"


class Subscriber(NamedTuple):
    """A trigger that waits for events."""

    workflow: LoadedWorkflow
    node: str
    subscription: Subscription


@dataclass(slots=True)
class Registry:
    """Workflows by name, and their triggers by kind. `problems` tells what cannot be served,
    `tells_repeats` whether any trigger has `idempotency`."""

    workflows: dict[str, LoadedWorkflow] = field(default_factory=dict[str, LoadedWorkflow])
    router: Router[Route] = field(default_factory=Router[Route])
    routes: dict[tuple[str, str], Route] = field(default_factory=dict[tuple[str, str], Route])
    schedules: list[Schedule] = field(default_factory=list[Schedule])
    problems: list[str] = field(default_factory=list[str])
    tells_repeats: bool = False
    _named: dict[str, list[Subscriber]] = field(default_factory=dict[str, list[Subscriber]])
    _prefixed: list[Subscriber] = field(default_factory=list[Subscriber])

    def find(self, name: str) -> LoadedWorkflow | None:
        """A workflow by its name, its last part or its slug, where that is unambiguous."""
        exact = self.workflows.get(name)
        if exact is not None:
            return exact
        matching = [
            entry
            for entry in self.workflows.values()
            if name in (entry.slug, entry.name.rpartition("/")[2])
        ]
        return matching[0] if len(matching) == 1 else None

    def subscribers(self, event: Event) -> list[Subscriber]:
        """The triggers that take an event."""
        candidates = [*self._named.get(event.name, ()), *self._prefixed]
        return [entry for entry in candidates if entry.subscription.takes(event)]

    def subscribe(self, entry: Subscriber) -> None:
        """Adds a trigger that waits for events."""
        if entry.subscription.prefix:
            self._prefixed.append(entry)
        else:
            self._named.setdefault(entry.subscription.name, []).append(entry)


def build(
    workflows: Iterable[LoadedWorkflow],
    secrets: Mapping[str, str],
    previous: Registry | None = None,
) -> Registry:
    """The table of these workflows. What a trigger has gathered, such as rate limits and key
    sets, passes over from `previous` where its workflow has not changed."""
    registry = Registry()
    for loaded in workflows:
        registry.workflows[loaded.name] = loaded
        unchanged = previous is not None and previous.workflows.get(loaded.name) is loaded
        for trigger in loaded.triggers:
            registry.tells_repeats |= trigger.config.get("idempotency") is not None
            try:
                if trigger.type in routes.TYPES:
                    known = previous.routes if previous is not None and unchanged else {}
                    route = known.get((loaded.name, trigger.node))
                    _add_route(registry, route or _route(loaded, trigger, secrets))
                elif trigger.type == "trigger.event":
                    wanted = events.subscription(trigger.config)
                    registry.subscribe(Subscriber(loaded, trigger.node, wanted))
                elif trigger.type == "trigger.schedule":
                    registry.schedules.append(_schedule(loaded, trigger))
                elif not _can_be_here(trigger.type):
                    raise ConfigError(
                        f"a {trigger.type} needs the cloud it watches; here it starts by "
                        "`nodegx run` only"
                    )
            except ConfigError as exc:
                registry.problems.append(f"{loaded.name}, {trigger.node}: {exc}")
    return registry


def _can_be_here(type: str) -> bool:
    """Whether servers like this one can host a trigger of that type."""
    from nodegx.runtime.catalog import lookup

    declared = lookup(type)
    return declared is None or "local" in declared.targets


def _route(loaded: LoadedWorkflow, trigger: TriggerEntry, secrets: Mapping[str, str]) -> Route:
    route = routes.build(
        loaded.name,
        trigger.node,
        trigger.type,
        trigger.config,
        secrets,
        responds=loaded.responds,
    )
    if route.path == RESERVED or route.path.startswith(RESERVED + "/"):
        raise ConfigError(f"paths below {RESERVED} are the server's own")
    return route


def _add_route(registry: Registry, route: Route) -> None:
    registry.routes[route.workflow, route.node] = route
    for method in route.methods:
        try:
            registry.router.add(method, route.path, route)
        except RouteConflictError:
            taken = registry.router.match(method, route.path).route
            by = taken.workflow if taken is not None else "another workflow"
            raise ConfigError(f"{method} {route.path} is served by {by} already") from None


def _schedule(loaded: LoadedWorkflow, trigger: TriggerEntry) -> Schedule:
    table = timetable.timetable(trigger.config, loaded.timezone)
    return Schedule(loaded.name, trigger.node, table, bool(trigger.config.get("catchUp")))
