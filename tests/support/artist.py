"""Draws well-formed workflows at random, part by part.

Every value is an object with a small number `n`, so that conditions go both ways. Waits have
durations of their own, so that concurrent branches end at different moments.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, TypeVar

from tests.support.drawing import CALLEES, TOP, Builder

T = TypeVar("T")


@dataclass(frozen=True)
class Known:
    """Nodes whose values an expression may read: those that have run, and those that may have."""

    sure: frozenset[str] = frozenset()
    maybe: frozenset[str] = frozenset()

    def plus(self, node: str) -> Known:
        return Known(self.sure | {node}, self.maybe)

    def doubting(self, other: Known) -> Known:
        """`other`'s nodes may have run as well."""
        return Known(self.sure, self.maybe | ((other.sure | other.maybe) - self.sure))

    @staticmethod
    def join(known: Sequence[Known]) -> Known:
        sure = known[0].sure
        everything = sure | known[0].maybe
        for each in known[1:]:
            sure &= each.sure
            everything |= each.sure | each.maybe
        return Known(sure, everything - sure)


@dataclass(frozen=True)
class End:
    """A signal that may be wired on."""

    node: str
    port: str
    known: Known


@dataclass(frozen=True)
class Place:
    """Where in the nesting a part of the workflow is drawn."""

    depth: int = 0
    loops: tuple[tuple[str, bool], ...] = ()  # (id, whether its items are batches)
    errors: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()  # loops and repeated blocks: their values stay inside
    concurrent: bool = False
    guarded: bool = False  # inside a try
    quiet: bool = False  # nothing that fails or ends the run

    def deeper(self, **changes: Any) -> Place:
        return replace(self, depth=self.depth + 1, **changes)


@dataclass
class Artist:
    """Draws one workflow at random."""

    dice: Random
    out: Builder
    budget: int = 18
    odd_ids: bool = False
    loops: set[str] = field(default_factory=set[str])
    drawn: list[tuple[str, tuple[str, ...]]] = field(
        default_factory=list[tuple[str, tuple[str, ...]]]
    )

    # Chance

    def number(self, low: int, high: int) -> int:
        return self.dice.randint(low, high)

    def chance(self, percent: int) -> bool:
        return self.dice.random() * 100 < percent

    def pick(self, options: Sequence[T]) -> T:
        return self.dice.choice(options)

    # Expressions

    def reference(self, node: str) -> str:
        return node if node.isidentifier() else f"nodes[{json.dumps(node)}]"

    def term(self, known: Known, place: Place) -> str:
        """An expression for a number."""
        options = ["literal"]
        if known.sure:
            options += ["sure"] * 4
        if known.maybe:
            options += ["maybe"]
        if place.loops:
            options += ["loop"] * 3
        match self.pick(options):
            case "sure":
                return self.number_of(self.pick(sorted(known.sure)))
            case "maybe":
                node = self.pick(sorted(known.maybe))
                if place.quiet or self.chance(80):
                    return f"({self.number_of(node)} if {self.reference(node)} else 0)"
                return self.number_of(node)
            case "loop":
                at = self.number(0, len(place.loops) - 1)
                loop, batches = place.loops[at]
                prefix = "" if at == len(place.loops) - 1 else f"{self.reference(loop)}."
                if self.chance(25):
                    return f"{prefix}index"
                return f"{prefix}item[0].n" if batches else f"{prefix}item.n"
            case _:
                return str(self.number(0, TOP))

    def number_of(self, node: str) -> str:
        if node in self.loops:
            return f"len({self.reference(node)}.results)"
        return f"{self.reference(node)}.n"

    def amount(self, known: Known, place: Place) -> str:
        term = self.term(known, place)
        match self.number(0, 5):
            case 0:
                return f"({term} + {self.number(1, 3)}) % 7"
            case 1:
                return f"min({term}, {self.term(known, place)})"
            case 2:
                return f"({term} + {self.term(known, place)}) % 7"
            case _:
                return term

    def test(self, known: Known, place: Place) -> str:
        simple = (
            f"{self.amount(known, place)} {self.pick(['>', '<', '==', '>='])} {self.number(1, 4)}"
        )
        match self.number(0, 9):
            case 0:
                return f"not ({simple})"
            case 1:
                return f"{simple} and {self.term(known, place)} > 1"
            case 2:
                return f"{simple} or {self.term(known, place)} > 4"
            case _:
                return simple

    def value(self, known: Known, place: Place) -> dict[str, Any]:
        value: dict[str, Any] = {"n": f"{{{{ {self.amount(known, place)} }}}}"}
        if self.chance(20):
            one, two = self.term(known, place), self.term(known, place)
            value["text"] = f"{{{{ {one} }}}} of {{{{ {two} }}}}"
        if self.chance(10):
            value["list"] = [1, "two", f"{{{{ {self.term(known, place)} }}}}", None, True]
        if place.errors and self.chance(40):
            error = self.reference(self.pick(place.errors))
            value["why"] = f"{{{{ {error}.error.category }}}}"
        return value

    # Drawing

    def id(self, type: str) -> str:
        self.budget -= 1
        stem, number = type.rpartition(".")[2].lower(), len(self.out.nodes)
        if self.odd_ids and self.chance(25):
            return f"{number}-{stem} x"
        return f"{stem}{number}"

    def add(self, type: str, parameters: dict[str, Any], ends: Sequence[End], **more: Any) -> str:
        """Adds a node at `ends`."""
        node = self.out.add(type, parameters, id=self.id(type), **more)
        for end in ends:
            self.out.wire(end.node, end.port, node)
        return node

    def keep(self, node: str, known: Known, place: Place) -> Known:
        """Notes that a node has a value."""
        self.drawn.append((node, place.scope))
        return known.plus(node)

    def mark(self) -> tuple[int, int]:
        """This moment of the drawing."""
        return len(self.drawn), len(self.out.nodes)

    def since(
        self, mark: tuple[int, int], known: Known, place: Place, met: set[str] | None = None
    ) -> Known:
        """`known`, and perhaps whatever has been drawn since `mark` in this very scope; not where
        the run may stop, as what stands before a stop never comes to here."""
        if any(node["type"] == "logic.stop" for node in self.out.nodes[mark[1] :]):
            return known
        seen = {
            node
            for node, scope in self.drawn[mark[0] :]
            if scope == place.scope and (met is None or node in met)
        }
        return known.doubting(Known(frozenset(seen)))

    def is_straight(self, mark: int) -> bool:
        """Whether everything added since node number `mark` succeeds and goes on."""
        return all(
            node["type"] in {"data.set", "data.value", "logic.wait", "cloud.response"}
            for node in self.out.nodes[mark:]
        )

    def sequence(self, ends: Sequence[End], place: Place, most: int = 4) -> Sequence[End]:
        """Some parts, one behind the other; at depth no more than a share of the nodes left."""
        given = self.budget
        if place.depth:
            self.budget = max(2, given * 2 // 5)
        started = self.budget
        for _ in range(self.number(1, most)):
            if not ends or self.budget <= 0:
                break
            ends = self.part(ends, place)
        self.budget += given - started
        return ends

    def part(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        options: list[Callable[[Sequence[End], Place], Sequence[End]]] = [
            *(self.step,) * 4,
            *(self.choice,) * 2,
            self.switch,
            self.guard,
            self.respond,
        ]
        if not place.quiet:
            options += [self.risky, self.risky, self.routed, self.call]
        if place.depth < 4 and self.budget > 3:
            options += [*(self.graph,) * 2, *(self.parallel,) * 3]
            if not place.guarded:
                options.append(self.crossing)
            if not place.quiet:
                options += [*(self.attempt,) * 3, self.repeat, self.loop, self.loop]
        if place.depth and not place.quiet and self.chance(15):
            options.append(self.stop)
        return self.pick(options)(ends, place)

    def known(self, ends: Sequence[End]) -> Known:
        return Known.join([end.known for end in ends])

    def step(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        """One step that succeeds, unless its expressions fail."""
        known = self.known(ends)
        if place.concurrent and self.chance(40):
            node = self.add("logic.wait", {"duration": self.out.moment()}, ends)
            return [End(node, "done", known)]
        plain = sorted(known.sure - self.loops)
        if plain and self.chance(10):
            node = self.add("data.set", {}, ends)
            source = self.pick(plain)
            port = "result" if self.out.type(source) == "workflow.call" else "value"
            self.out.wire(source, port, node, "value")
        elif self.chance(10) and not place.loops:
            pure = self.out.add(
                "data.value", {"value": self.value(known, replace(place, errors=()))}
            )
            known = known.plus(pure)
            node = self.add("data.set", {"value": {"n": f"{{{{ {pure}.n }}}}"}}, ends)
        elif self.chance(25):
            inputs = {"x": f"{{{{ {self.amount(known, place)} }}}}"}
            code = self.pick(
                (
                    "return {'n': (x + 1) % 7}",
                    "async def later(y):\n    return y\n\nreturn {'n': await later(x)}",
                    "if x > 3:\n    return {'n': 0, 'big': True}\nreturn {'n': x}",
                )
            )
            node = self.add("code.python", {"code": code, "inputs": inputs}, ends)
        else:
            node = self.add("data.set", {"value": self.value(known, place)}, ends)
        return [End(node, "done", self.keep(node, known, place))]

    def risky(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        """A step that may fail, perhaps retried, perhaps with its failure handled."""
        known = self.known(ends)
        inputs = {"x": f"{{{{ {self.amount(known, place)} }}}}"}
        error = self.pick(("ValueError", "TimeoutError"))
        more: dict[str, Any] = {}
        if self.chance(30):
            return self.flaky(ends, place)
        if self.chance(25):
            more["retry"] = self.policy()
        limit = self.number(1, 5)
        code = f"if x > {limit}:\n    raise {error}('no')\nreturn {{'n': x}}"
        if self.chance(50):
            code = "async def later(y):\n    return y\n\n" + code.replace(
                "'n': x", "'n': await later(x)"
            )
        node = self.add("code.python", {"code": code, "inputs": inputs}, ends, **more)
        return self.handled(node, known, place)

    def flaky(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        """A step that fails a few times before it succeeds."""
        known = self.known(ends)
        code = (
            "from tests.support.probe import attempt\n"
            "async def later(y):\n    return y\n\n"
            f"if attempt(key) <= {self.number(1, 3)}:\n    raise TimeoutError('busy')\n"
            f"return {{'n': await later({self.number(0, TOP)})}}"
        )
        more = {"retry": self.policy()} if self.chance(60) else {}
        node = self.add(
            "code.python", {"code": code, "inputs": {"key": self.key(place)}}, ends, **more
        )
        return self.handled(node, known, place)

    def counted(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        """A different way on each attempt, then a step that fails a few times."""
        known = self.known(ends)
        code = "from tests.support.probe import attempt\nreturn {'n': attempt(key)}"
        node = self.add("code.python", {"code": code, "inputs": {"key": self.key(place)}}, ends)
        known = self.keep(node, known, place)
        choice = self.add(
            "logic.if",
            {"condition": f"{{{{ {self.number_of(node)} == {self.number(1, 2)} }}}}"},
            [End(node, "done", known)],
        )
        ways = self.branches([End(choice, port, known) for port in ("true", "false")], place)
        return self.flaky(ways, place) if ways else ways

    def key(self, place: Place) -> str:
        """A template for a text that no other step and iteration has."""
        key = f"{{{{ '{len(self.out.nodes)}' }}}}"
        for at, (loop, _) in enumerate(place.loops):
            inner = at == len(place.loops) - 1
            key += f"/{{{{ {'index' if inner else self.reference(loop) + '.index'} }}}}"
        return key

    def policy(self) -> dict[str, Any]:
        policy: dict[str, Any] = {
            "maxAttempts": self.number(1, 4),
            "delay": self.out.moment(),
            "jitter": 0,
        }
        if self.chance(30):
            policy["retryOn"] = self.pick((["fatal"], ["retriable"], ["python.ValueError"]))
        return policy

    def handled(self, node: str, known: Known, place: Place) -> Sequence[End]:
        """The ends of a step that may have failed."""
        done = End(node, "done", self.keep(node, known, place))
        if not self.chance(45 if place.guarded else 75):
            return [done]
        failure = [End(node, "failure", known)]
        inner = place.deeper(errors=(*place.errors, node))
        deep = place.depth > 4  # Python limits how deep handlers may be nested
        handled = self.sequence(failure, inner, 2) if self.chance(75) and not deep else failure
        if self.chance(70):
            return [done, *handled]
        return [done] if self.chance(80) else [*handled]

    def routed(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        """Code that chooses among outputs of its own."""
        known = self.known(ends)
        ports = ["low", "high", "odd"][: self.number(2, 3)]
        code = (
            "if x > 4:\n    raise ValueError('off the scale')\n"
            f"return {ports!r}[x % {len(ports)}], {{'n': x}}"
        )
        inputs = {"x": f"{{{{ {self.amount(known, place)} }}}}"}
        node = self.add("code.python", {"code": code, "inputs": inputs, "outputs": ports}, ends)
        known = self.keep(node, known, place)
        return self.branches([End(node, port, known) for port in ports], place)

    def call(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        known = self.known(ends)
        payload = {"n": f"{{{{ {self.amount(known, place)} }}}}"}
        node = self.add("workflow.call", {"workflow": self.pick(CALLEES), "input": payload}, ends)
        return self.handled(node, known, place)

    def respond(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        known = self.known(ends)
        node = self.add(
            "cloud.response",
            {"status": self.pick((200, 201, 422)), "body": self.value(known, place)},
            ends,
        )
        return [End(node, "done", known)]

    def stop(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        if self.chance(50):
            self.add("logic.stop", {"status": "error", "message": "enough"}, ends)
        else:
            self.add("logic.stop", {}, ends)
        return []

    def branches(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        """Exclusive branches: each goes somewhere, nowhere or straight on."""
        after: list[End] = []
        for end in ends:
            match self.number(0, 9):
                case 0:
                    continue
                case 1 | 2:
                    after.append(end)
                case _:
                    after += self.sequence([end], place.deeper(), 2)
        return after

    def choice(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        known = self.known(ends)
        node = self.add("logic.if", {"condition": f"{{{{ {self.test(known, place)} }}}}"}, ends)
        return self.branches([End(node, port, known) for port in ("true", "false")], place)

    def switch(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        known = self.known(ends)
        names = ["red", "green", "dark blue"][: self.number(1, 3)]
        if self.chance(60):
            parameters: dict[str, Any] = {
                "value": f"{{{{ {self.amount(known, place)} }}}}",
                "cases": [{"name": name, "value": at + 1} for at, name in enumerate(names)],
            }
        else:
            parameters = {
                "cases": [
                    {"name": name, "when": f"{{{{ {self.test(known, place)} }}}}"} for name in names
                ]
            }
        node = self.add("logic.switch", parameters, ends)
        return self.branches([End(node, port, known) for port in (*names, "default")], place)

    def guard(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        """A condition that ends the flow early."""
        known = self.known(ends)
        node = self.add("logic.if", {"condition": f"{{{{ {self.test(known, place)} }}}}"}, ends)
        early, on = self.pick((("true", "false"), ("false", "true")))
        self.respond([End(node, early, known)], place)
        return [End(node, on, known)]

    def graph(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        """Exclusive paths that part and meet again anywhere."""
        size = self.number(3, 7)
        waiting: list[list[End]] = [[] for _ in range(size + 1)]
        waiting[0] = list(ends)
        inner = place.deeper()
        for at in range(size):
            if not waiting[at]:
                continue
            if self.budget <= 0:
                waiting[size] += waiting[at]
                continue
            for end in self.vertex(waiting[at], inner):
                ahead = self.number(at + 1, size + 1)
                if ahead <= size:
                    waiting[ahead].append(end)
        return waiting[size]

    def vertex(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        known = self.known(ends)
        match self.number(0, 9):
            case 0 | 1 | 2:
                node = self.add(
                    "logic.if", {"condition": f"{{{{ {self.test(known, place)} }}}}"}, ends
                )
                return [End(node, port, known) for port in ("true", "false")]
            case 3:
                names = ["red", "green", "dark blue"]
                cases = [{"name": name, "value": at} for at, name in enumerate(names)]
                value = f"{{{{ {self.amount(known, place)} }}}}"
                node = self.add("logic.switch", {"value": value, "cases": cases}, ends)
                return [End(node, port, known) for port in (*names, "default")]
            case 4 if not place.quiet:
                return self.risky(ends, place)
            case 5:
                return self.part(ends, place)
            case _:
                return self.step(ends, place)

    def parallel(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        """Concurrent branches, with a merge or without."""
        if len(ends) > 1:
            ends = self.step(ends, place)
        merged, mode = self.chance(85), self.pick(("all", "all", "any"))
        before = self.known(ends)
        inner = place.deeper(concurrent=True)
        mark = self.mark()
        tails: list[Sequence[End]] = []
        met: set[str] = set()  # values of branches that reach the merge
        after = before
        count = self.number(2, 3)
        for _ in range(count):
            start, first, begun = ends, len(self.out.nodes), len(self.drawn)
            if self.chance(75 if mode == "any" else 50):
                wait = self.add("logic.wait", {"duration": self.out.moment()}, start)
                start = [End(wait, "done", before)]
            tail = self.sequence(self.step(start, inner), inner, 2)
            if tail:
                tails.append(tail)
                met |= {node for node, _ in self.drawn[begun:]}
            if tail and mode == "all" and self.is_straight(first):
                after = Known(after.sure | self.known(tail).sure, after.maybe)
        if not merged or len(tails) < 2:
            return []
        if len(tails) < count and place.guarded:
            return []  # what follows the merge runs beside the others: it cannot leave the try
        merge = self.add("logic.merge", {"mode": mode}, [end for tail in tails for end in tail])
        return [End(merge, "done", self.since(mark, after, place, met))]

    def crossing(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        """Steps that a concurrent branch goes on to, and so does a path beside the fork."""
        known = self.known(ends)
        node = self.add("logic.if", {"condition": f"{{{{ {self.test(known, place)} }}}}"}, ends)
        inner = place.deeper(concurrent=True)
        fork, other = ([End(node, port, known)] for port in ("true", "false"))
        self.sequence(self.step(fork, inner), inner, 2)
        wait = self.add("logic.wait", {"duration": self.out.moment()}, fork)
        shared = [*self.step(other, inner), End(wait, "done", known)]
        self.sequence(self.step(shared, inner), inner, 2)
        return []

    def attempt(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        """try, catch, finally, and on by `done` or by rejoining."""
        known = self.known(ends)
        node = self.add("logic.try", {}, ends)
        mark = self.mark()
        inside = place.deeper(guarded=True)
        body = self.sequence([End(node, "try", known)], inside, 3)
        caught: Sequence[End] = []
        has_catch = self.chance(75)
        if has_catch:
            catching = replace(inside, errors=(*place.errors, node))
            seen = self.since(mark, known, place)
            caught = self.sequence([End(node, "catch", seen)], catching, 2)
        seen = self.since(mark, known, place)
        if self.chance(50):
            self.sequence([End(node, "finally", seen)], place.deeper(quiet=True), 2)
        if body and caught and self.chance(40):
            return self.step([*body, *caught], place)
        return [End(node, "done", seen)]

    def repeat(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        known = self.known(ends)
        node = self.add("logic.retry", self.policy(), ends)
        inner = place.deeper(scope=(*place.scope, node))
        first = self.pick((self.risky, self.risky, self.counted, self.part))
        self.sequence(first([End(node, "attempt", known)], inner), inner, 2)
        return self.closed(node, "done", known, place)

    def closed(self, node: str, port: str, known: Known, place: Place) -> Sequence[End]:
        """The ends of a loop or repeated block."""
        after = self.keep(node, known, place) if port == "completed" else known
        done = End(node, port, after)
        if not self.chance(40):
            return [done]
        failure = [End(node, "failure", known)]
        inner = place.deeper(errors=(*place.errors, node))
        return [done, *self.sequence(failure, inner, 2)]

    def loop(self, ends: Sequence[End], place: Place) -> Sequence[End]:
        known = self.known(ends)
        parameters: dict[str, Any] = {"items": self.items(known, place)}
        batches = self.chance(20)
        if batches:
            parameters["batchSize"] = self.number(1, 3)
        if self.chance(40):
            parameters["concurrency"] = self.number(2, 3)
        if self.chance(40):
            parameters["onItemError"] = self.pick(("fail", "continue"))
        node = self.add("logic.forEach", parameters, ends)
        inner = place.deeper(
            loops=(*place.loops, (node, batches)),
            scope=(*place.scope, node),
            concurrent=place.concurrent or "concurrency" in parameters,
        )
        mark = len(self.out.nodes)
        body = self.sequence([End(node, "iteration", known)], inner, 3)
        ends_in_value = self.is_straight(mark) and self.out.nodes[-1]["type"] == "data.set"
        if len(body) == 1 and self.chance(60):
            parameters["result"] = self.value(body[0].known, replace(inner, errors=()))
        elif not ends_in_value:
            parameters["result"] = "{{ index }}"
        self.loops.add(node)
        return self.closed(node, "completed", known, place)

    def items(self, known: Known, place: Place) -> Any:
        match self.number(0, 3):
            case 0:
                return [{"n": self.number(0, TOP)} for _ in range(self.number(0, 4))]
            case 1:
                return [
                    {"n": f"{{{{ {self.amount(known, place)} }}}}"},
                    {"n": self.number(0, TOP)},
                ]
            case _:
                return "{{ start.items if start else [] }}"
