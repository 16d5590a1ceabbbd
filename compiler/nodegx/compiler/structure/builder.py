"""Lays out a flow as nested statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nodegx.compiler.diagnostics import DiagnosticError
from nodegx.compiler.graph import Graph, Literal
from nodegx.compiler.tree import (
    Attempt,
    Block,
    Branch,
    Call,
    Case,
    Define,
    Function,
    Leave,
    Loop,
    Parallel,
    Repeat,
    Role,
    Start,
    Started,
    Statement,
    Step,
    Stop,
    Switch,
    Try,
)
from nodegx.runtime.catalog.types import Kind

from . import problems
from .choice import Arm, Choices, arms_of
from .flow import ENTRY, FRAMES, Shape, Vertex, key_of
from .layout import Layout
from .place import NO_RESULT, NeedsReturnError, Next, Place, Plan
from .regions import end_of
from .results import Result

MAX_DEPTH = 48
"""Levels of nesting; Python itself gives up at 100 levels of indentation."""
MAX_TRIES = 16
"""Blocks that Python keeps track of for the `try` statements around a line. It allows 20, but
CPython 3.12.1 crashes well before."""
HANDLER = 2
"""Such blocks in an `except` clause; elsewhere in a `try` statement it is one."""


class Builder:
    """Builds the functions of one workflow.

    Args:
        layout: the analysed flow.
        results: what the results of loops ask for.
    """

    def __init__(self, layout: Layout, results: Mapping[str, Result]) -> None:
        self.layout = layout
        self.flow = layout.flow
        self.graph = layout.flow.graph
        self.results = results
        self.choices = Choices(layout)

    def build(self) -> Function:
        """The handler.

        Raises:
            DiagnosticError: the drawing has no structure.
        """
        end = end_of(ENTRY)
        body = self._block(ENTRY, end, Place({end: False}, frozenset({end})))
        return Function(Role.MAIN, ENTRY, "", body)

    # ------------------------------------------------------------------------- sequences

    def _block(self, start: str, follow: str | None, place: Place) -> Block:
        """The statements from vertex `start` on, up to `follow`, which comes next anyway."""
        self._check_depth(start, place)
        statements: list[Statement] = []
        after: Next | None = Next(start, enter=True)
        while after is not None:
            if not after.enter and not self.layout.inline(after.target):
                statements += self._go(after.target, follow, place)
                break
            after = self._construct(self.flow[after.target], follow, place, statements)
        return tuple(statements)

    def _check_depth(self, key: str, place: Place) -> None:
        name = self.flow.name(key)
        if place.depth > MAX_DEPTH:
            what = f"more than {MAX_DEPTH} branches deep"
            raise DiagnosticError([problems.too_deep(self.graph, name, what)])
        if place.tries > MAX_TRIES:
            what = "inside of more `try`, `catch` and `failure` branches than Python can nest"
            raise DiagnosticError([problems.too_deep(self.graph, name, what)])

    def _go(self, target: str, follow: str | None, place: Place) -> Block:
        """The statements that take the flow to a join or an end."""
        if target == follow:
            return ()
        if target in place.returns:
            return (Leave(place.returns[target]),)
        if target not in self.choices.shared or not self._may_call(target, place):
            if target in place.movable:
                raise NeedsReturnError(target)
            name = self.flow.name(target)
            source = self.flow.name(place.region)
            raise DiagnosticError([problems.leaves_branch(self.graph, name, source)])
        exits = self._exits(target)
        ways = [self._go(exit, follow, place) for exit in exits]
        if len(ways) < 2 or ways[0] == ways[1]:
            return (Call(target), *(ways[0] if ways else ()))
        arrived, short = ways
        if arrived and short and isinstance(short[-1], Leave):
            return (Call(target, short=short), *arrived)
        return (Call(target, arrived, short),)

    def _may_call(self, target: str, place: Place) -> bool:
        """Whether the function of `target` stands in the same try as the call."""
        return self.layout.tree.dominates(place.region, target)

    def _exits(self, key: str) -> list[str]:
        """The ways out of a shared function, the one it answers True to first."""
        tree, flow = self.layout.tree, self.flow
        exits = sorted(
            self.choices.exits(key),
            key=lambda exit: (flow[exit].shape is Shape.END, tree.index.get(exit, 0), exit),
        )
        if len(exits) > 2:
            raise DiagnosticError([problems.tangled(self.graph, flow.name(key))])
        return exits

    # ------------------------------------------------------------------------- arms

    def _plan(self, key: str, arms: list[Arm], place: Place, out: list[Statement]) -> Plan:
        """Chooses the layout of a construct and defines the functions it needs in front of it."""
        join = self.choices.place(key, arms, place.returns)
        self._share([other for other in self.layout.belonging(key) if other != join], place, out)
        main = None if join is not None else self.choices.main_arm(arms, place.returns)
        return Plan(join, main)

    def _share(self, joins: list[str], place: Place, out: list[Statement]) -> None:
        """Makes functions of joins."""
        self.choices.shared.update(joins)
        out += [  # what calls another one comes after it
            Define(self._shared_function(join, Role.SHARED, place)) for join in reversed(joins)
        ]

    def _shared_function(self, start: str, role: Role, place: Place) -> Function:
        exits = self._exits(start)
        returns = {exit: len(exits) > 1 and exit == exits[0] for exit in exits}
        inner = place.function(returns, place.ends)
        body = self._block(start, exits[0] if exits else None, inner)
        return Function(role, start, self.flow.name(start), body, len(exits) > 1)

    def _arm(self, arm: Arm, follow: str | None, place: Place) -> Block:
        if self.layout.inline(arm.target):
            return self._block(arm.target, follow, place)
        return self._go(arm.target, follow, place)

    def _arms(
        self, arms: list[Arm], plan: Plan, follow: str | None, place: Place
    ) -> list[tuple[Arm, Block]]:
        """The statements of all arms; none for the one that goes on behind the construct."""
        inner = plan.follow(follow)
        return [(arm, () if arm is plan.main else self._arm(arm, inner, place)) for arm in arms]

    # ------------------------------------------------------------------------- constructs

    def _construct(
        self, vertex: Vertex, follow: str | None, place: Place, out: list[Statement]
    ) -> Next | None:
        """Adds the statements of one vertex to `out`; returns where the block goes on."""
        match self.flow.kind(vertex.key):
            case Kind.IF:
                return self._if(vertex, follow, place, out)
            case Kind.SWITCH:
                arms = arms_of(vertex, grouped=True)
                plan = self._plan(vertex.key, arms, place, out)
                return self._switch(vertex, arms, plan, follow, place, out)
            case Kind.TRY:
                return self._try(vertex, follow, place, out)
            case Kind.STOP:
                out.append(Stop(vertex.node))
                return None
            case Kind.FOR_EACH | Kind.RETRY | Kind.ACTION:
                return self._step(vertex, follow, place, out)
            case Kind.TRIGGER:
                out.append(Start(vertex.node))
            case _ if vertex.shape is Shape.PARALLEL:
                return self._parallel(vertex, follow, place, out)
            case _ if vertex.shape is Shape.ENTRY and len(vertex.edges) > 1:
                return self._started(vertex, follow, place, out)
            case _:
                pass
        return Next(vertex.edges[0][1]) if vertex.edges else None

    def _started(
        self, vertex: Vertex, follow: str | None, place: Place, out: list[Statement]
    ) -> Next | None:
        arms = arms_of(vertex)
        plan = replace(self._plan(vertex.key, arms, place, out), main=None)
        blocks = self._arms(arms, plan, follow, place.deeper())
        out.append(Started(tuple((arm.target, block) for arm, block in blocks)))
        return plan.after()

    def _if(
        self, vertex: Vertex, follow: str | None, place: Place, out: list[Statement]
    ) -> Next | None:
        arms = arms_of(vertex)
        plan = self._plan(vertex.key, arms, place, out)
        (_, then), (_, otherwise) = self._arms(arms, plan, follow, place.deeper())
        out.append(Branch(vertex.node, then, otherwise))
        return plan.after()

    def _switch(
        self,
        vertex: Vertex,
        arms: list[Arm],
        plan: Plan,
        follow: str | None,
        place: Place,
        out: list[Statement],
    ) -> Next | None:
        has_default = self.flow.kind(vertex.key) is Kind.SWITCH
        cases: list[Case] = []
        default: Block = ()
        for arm, body in self._arms(arms, plan, follow, place.deeper(2)):
            if has_default and "default" in arm.labels:
                default = body
            else:
                cases.append(Case(arm.labels, body))
        out.append(Switch(vertex.node, tuple(cases), default))
        return plan.after()

    # ------------------------------------------------------------------------- steps

    def _step(
        self, vertex: Vertex, follow: str | None, place: Place, out: list[Statement]
    ) -> Next | None:
        """An action, loop or retry: `done`, `completed` or outputs of its own, and `failure`."""
        regions = {key_of(vertex.node, port) for port in FRAMES}
        arms = [arm for arm in arms_of(vertex) if arm.target not in regions]
        done = [arm for arm in arms if arm.labels[0] != "failure"]
        failure = next((arm for arm in arms if arm not in done), None)
        routed = self.graph.nodes[vertex.node].routed
        if failure is None:
            plan = self._plan(vertex.key, arms, place, out) if routed else Plan(None, done[0])
            out.append(self._statement(vertex, place))
            if routed:
                return self._switch(vertex, done, plan, follow, place, out)
            return plan.after()
        plan = self._plan(vertex.key, arms, place, out)
        statement = self._statement(vertex, place)
        inside = place.deeper(1, tries=HANDLER)
        if plan.join is None and self.choices.ways_out(failure) <= set(place.returns):
            ends = not routed and done[0].target == follow
            out.append(Attempt(statement, self._arm(failure, follow if ends else None, inside)))
            if not routed:
                return Next(done[0].target)
            rest = Plan(None, self.choices.main_arm(done, place.returns))
            return self._switch(vertex, done, rest, follow, place, out)
        plan = replace(plan, main=None)
        handled = self._arm(failure, plan.follow(follow), inside)
        if routed:
            inner: list[Statement] = []
            self._switch(vertex, done, plan, follow, place.deeper(), inner)
            otherwise: Block = tuple(inner)
        else:
            otherwise = self._arm(done[0], plan.follow(follow), place.deeper())
        out.append(Attempt(statement, handled, otherwise))
        return plan.after()

    def _statement(self, vertex: Vertex, place: Place) -> Step | Loop | Repeat:
        match self.flow.kind(vertex.key):
            case Kind.FOR_EACH:
                return Loop(vertex.node, self._body(vertex, "iteration", Role.ITERATION, place))
            case Kind.RETRY:
                return Repeat(vertex.node, self._body(vertex, "attempt", Role.ATTEMPT, place))
            case _:
                return Step(vertex.node)

    def _body(self, vertex: Vertex, port: str, role: Role, place: Place) -> Function:
        start = key_of(vertex.node, port)
        end = end_of(start)
        inner = place.function({end: False}, frozenset({end}))
        result = self.results.get(vertex.node, NO_RESULT)
        inner = replace(inner, result=result)
        for attempt in (inner.without_returns(), inner) if result.long else (inner,):
            shared = self.choices.snapshot()
            try:
                return Function(role, start, vertex.node, self._block(start, end, attempt))
            except NeedsReturnError as error:
                if error.target != end:
                    raise
                self.choices.restore(shared)
        body = self._block(start, end, inner.function({end: False}, inner.ends))
        part = Function(Role.PART, key_of(start, "part"), vertex.node, body)
        return Function(role, start, vertex.node, (Define(part), Call(part.key)))

    # ------------------------------------------------------------------------- try

    def _try(
        self, vertex: Vertex, follow: str | None, place: Place, out: list[Statement]
    ) -> Next | None:
        parts = {port: key_of(vertex.node, port) for port in ("try", "catch", "finally")}
        parts = {port: key for port, key in parts.items() if key in self.layout.leaving}
        ways = self.layout.leaving[parts["try"]] | self.layout.leaving.get(
            parts.get("catch", ""), set()
        )
        after = self._after_try(vertex, ways, follow, place)
        joins = self.layout.belonging(vertex.key)
        crossing = [join for join in joins if join in self.layout.crossing]
        self._share(crossing, place, out)
        goes_on = None if after is None else after.target
        closing = int("finally" in parts)
        early = place.result.read and bool(closing)  # a `return` comes before `finally`
        inside = place.deeper(1, tries=closing + ("catch" in parts))
        if early or place.result.failing:
            inside = inside.without_returns()
        body = self._region(parts["try"], goes_on, inside)
        catch = None
        if "catch" in parts:
            inside = place.deeper(1, tries=closing + HANDLER)
            catch = self._region(
                parts["catch"], goes_on, inside.without_returns() if early else inside
            )
        last: Block | None = None
        if "finally" in parts:
            end = end_of(parts["finally"])
            inside = place.deeper(1, tries=1)
            inner = replace(inside, returns={}, ends=frozenset({end}), movable=frozenset())
            last = self._region(parts["finally"], end, inner)
        out.append(Try(vertex.node, body or (), catch, last))
        return after

    def _region(self, key: str, follow: str | None, place: Place) -> Block:
        """The statements of a region; in a function of its own if they have to leave it early."""
        inside = replace(place, region=key)
        if follow is not None:
            inside = replace(inside, movable=inside.movable | {follow})
        try:
            return self._block(key, follow, inside)
        except NeedsReturnError as error:
            if error.target != follow:
                raise
        if follow is not None and follow == end_of(key):  # nothing leaves `finally` but its end
            inner = inside.function({follow: False}, inside.ends)
            body = self._block(key, follow, inner)
            return (Define(Function(Role.PART, key, self.flow.name(key), body)), Call(key))
        self.choices.shared.add(key)
        part = self._shared_function(key, Role.PART, inside)
        return (Define(part), *self._go(key, follow, inside))

    def _after_try(
        self, vertex: Vertex, ways: set[str], follow: str | None, place: Place
    ) -> Next | None:
        """The one place that the regions of a try go on to, apart from ends that are returned to."""
        going_on = sorted(
            ways - place.returns.keys(), key=lambda way: self.layout.tree.index.get(way, -1)
        )
        named = [self.flow.name(way) for way in going_on]
        if len(going_on) > 1:
            fixed = [way for way in going_on if way not in place.movable]
            if len(fixed) <= 1:
                raise NeedsReturnError(next(way for way in going_on if way not in fixed))
            raise DiagnosticError([problems.leaves_try(self.graph, vertex.node, named)])
        done = vertex.target("done")
        if done is not None and done not in ways:
            if ways:
                name = self.flow.name(done)
                raise DiagnosticError([problems.never_done(self.graph, name, vertex.node, named)])
            going_on = [done] if self.layout.tree.parent[done] == vertex.key else []
        if going_on:
            join = going_on[0]
            own = self.layout.tree.parent[join] == vertex.key
            return Next(join, enter=own and join not in self.layout.crossing)
        if follow in ways:
            return Next(follow)
        return Next(min(ways)) if ways else None

    # ------------------------------------------------------------------------- concurrency

    def _parallel(
        self, vertex: Vertex, follow: str | None, place: Place, out: list[Statement]
    ) -> Next | None:
        arms = [arm for arm in arms_of(vertex) if arm.target not in vertex.branches]
        plan = self._plan(vertex.key, arms, place, out)
        branches = tuple(self._branch(vertex, branch, place) for branch in vertex.branches)
        merge = vertex.merge
        wins = merge is not None and _mode(self.graph, merge) == "any"
        made = Parallel(vertex.key, merge, branches, wins)
        if len(arms) == 1:
            out.append(made)
            return Next(arms[0].target)
        arrived, short = arms
        if self.choices.ways_out(short) <= set(place.returns) and plan.join is None:
            if arrived.target == short.target:
                out.append(made)
            else:
                ends = arrived.target == follow
                block = self._arm(short, follow if ends else None, place.deeper())
                out.append(replace(made, short=block))
            return Next(arrived.target)
        plan = replace(plan, main=None)
        (_, there), (_, block) = self._arms(arms, plan, follow, place.deeper())
        out.append(replace(made, arrived=there, short=block))
        return plan.after()

    def _branch(self, vertex: Vertex, key: str, place: Place) -> Function:
        end = end_of(key)
        ends = place.ends | {end}
        returns = dict.fromkeys(sorted(ends), False)
        follow: str | None = end
        if vertex.arrive is not None:
            returns[vertex.arrive] = True
            follow = vertex.arrive if vertex.arrive in self.layout.leaving[key] else None
        inner = place.function(returns, ends)
        body = self._block(key, follow, inner)
        answers = vertex.arrive is not None and key in self.layout.may_stop
        return Function(Role.BRANCH, key, self._first_node(key), body, answers)

    def _first_node(self, branch: str) -> str:
        """The node that a branch is named after: its first, or the merge of those it starts with."""
        first = self.flow[self.flow[branch].edges[0][1]]
        return (
            first.merge
            if first.shape is Shape.PARALLEL and first.merge
            else first.node or first.merge or ""
        )


def _mode(graph: Graph, merge: str) -> str:
    mode = graph.nodes[merge].params.get("mode")
    return mode.value if isinstance(mode, Literal) else "all"
