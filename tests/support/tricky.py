"""Drawings in which it is easy to get something wrong, with what must come of them.

`wires` reads `a b > c d`: from the first output of a and of b to c and to d; `a.port` names an
output. `steps` are the expected records, in order: `a` succeeded, `a!` failed, `a~` was cancelled,
`a-` was skipped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.support.drawing import CALLEES, Builder
from tests.support.flow import Flow

Node = tuple[str, dict[str, Any], dict[str, Any]]


@dataclass
class Tricky:
    """One drawing. `input` is the trigger's value, `start` the trigger."""

    name: str
    nodes: dict[str, Node]
    wires: str
    steps: str
    answer: Any = None
    status: str = "success"
    input: Any = field(default_factory=lambda: {"n": 3, "items": [{"n": 1}, {"n": 2}]})
    start: str = "start"

    def document(self) -> dict[str, Any]:
        """The workflow."""
        out = Builder(settings={"timeout": 3600})
        nodes = self.nodes if self.start in self.nodes else {self.start: trigger(), **self.nodes}
        for id, (type, parameters, more) in nodes.items():
            out.add(type, parameters, id=id, **more)
        flow = Flow(out.document())
        for path in self.wires.split(";"):
            groups = [group.split() for group in path.split(">")]
            for sources, targets in pairwise(groups):
                for source in sources:
                    node, _, port = source.partition(".")
                    for target in targets:
                        goal = target.partition(".")[0]
                        out.wire(node, port.replace("_", " ") or flow.ports(node)[0], goal)
        return out.document()


def trigger() -> Node:
    return "trigger.manual", {}, {}


def put(n: Any = 0, **more: Any) -> Node:
    """A step whose value is `{"n": n, ...}`."""
    return "data.set", {"value": {"n": n, **more}}, {}


def wait(seconds: float) -> Node:
    return "logic.wait", {"duration": seconds}, {}


def when(condition: Any) -> Node:
    return "logic.if", {"condition": condition}, {}


def choose(value: str, *names: str) -> Node:
    """A switch with the cases 0, 1, 2 … under `names`."""
    cases = [{"name": name, "value": at} for at, name in enumerate(names)]
    return "logic.switch", {"value": value, "cases": cases}, {}


def fail(error: str = "ValueError", **more: Any) -> Node:
    return "code.python", {"code": f"raise {error}('no')"}, more


def shaky(failures: int, key: str = "k", **more: Any) -> Node:
    """A step that fails that many times before it succeeds."""
    code = (
        f"from tests.support.probe import attempt\n"
        f"if attempt(key) <= {failures}:\n    raise TimeoutError('busy')\nreturn {{'n': 1}}"
    )
    return "code.python", {"code": code, "inputs": {"key": key}}, more


def code(body: str, outputs: list[str] | None = None, **inputs: Any) -> Node:
    parameters: dict[str, Any] = {"code": body, "inputs": inputs}
    if outputs:
        parameters["outputs"] = outputs
    return "code.python", parameters, {}


def answer(body: Any, status: int = 200) -> Node:
    return "cloud.response", {"status": status, "body": body}, {}


def merge(mode: str = "all") -> Node:
    return "logic.merge", {"mode": mode}, {}


def guard() -> Node:
    return "logic.try", {}, {}


def again(attempts: int, **more: Any) -> Node:
    parameters = {"maxAttempts": attempts, "delay": 0.01, "jitter": 0, **more}
    return "logic.retry", parameters, {}


def each(items: Any, **more: Any) -> Node:
    return "logic.forEach", {"items": items, **more}, {}


def stop(status: str = "success", **more: Any) -> Node:
    return "logic.stop", {"status": status, **more}, {}


def call(workflow: str, n: Any) -> Node:
    return "workflow.call", {"workflow": workflow, "input": {"n": n}}, {}


ITEMS = "{{ start.items }}"

CASES: list[Tricky] = [
    Tricky(
        "loop inside try inside branch",
        {
            "big": when("{{ start.n > 2 }}"),
            "t": guard(),
            "loop": each(ITEMS, result="{{ a.n }}"),
            "a": put("{{ item.n * 2 }}"),
            "sad": put(),
            "last": put(),
            "end": answer("{{ loop.results if loop else 0 }}"),
        },
        "start > big; big.true > t; t.try > loop; loop.iteration > a; t.catch > sad;"
        "t.finally > last; t.done big.false > end",
        "big loop a[0] a[1] last end",
        answer=[2, 4],
    ),
    Tricky(
        "failing loop inside try inside branch",
        {
            "big": when("{{ start.n > 2 }}"),
            "t": guard(),
            "loop": each(ITEMS, result=0),
            "a": fail(),
            "sad": put("{{ t.error.message }}"),
            "last": put(),
            "end": answer("{{ sad.n }}"),
        },
        "start > big; big.true > t; t.try > loop; loop.iteration > a; t.catch > sad;"
        "t.finally > last; t.done big.false > end",
        "big loop! a[0]! t sad last end",
        answer="ValueError: no",
    ),
    Tricky(
        "finally after a path that ends inside the body",
        {
            "t": guard(),
            "early": when("{{ start.n == 3 }}"),
            "reply": answer("early"),
            "more": put(),
            "last": put(),
        },
        "start > t; t.try > early; early.true > reply; early.false > more; t.finally > last",
        "early reply last",
        answer="early",
    ),
    Tricky(
        "done follows a body that ends early",
        {
            "t": guard(),
            "early": when("{{ start.n == 3 }}"),
            "more": put(),
            "last": put(),
            "after": put(),
        },
        "start > t; t.try > early; early.false > more; t.finally > last; t.done > after",
        "early last after",
    ),
    Tricky(
        "stop inside parallel",
        {"w": wait(0.01), "s": stop(), "slow": wait(1), "m": merge(), "after": put()},
        "start > w slow; w > s; slow > m > after",
        "w slow~ s",
    ),
    Tricky(
        "stop inside parallel runs finally of the sibling",
        {
            "w": wait(0.01),
            "s": stop(),
            "t": guard(),
            "slow": wait(1),
            "last": put(),
        },
        "start > w t; w > s; t.try > slow; t.finally > last",
        "w slow~ s last",
    ),
    Tricky(
        "respond early, then fail",
        {"reply": answer({"ok": True}), "a": put(), "bad": fail()},
        "start > reply > a > bad",
        "reply a bad!",
        answer={"ok": True},
        status="error",
    ),
    Tricky(
        "second response is skipped",
        {"one": answer(1), "two": answer(2), "a": put()},
        "start > one > two > a",
        "one two- a",
        answer=1,
    ),
    Tricky(
        "failure rejoins the done path",
        {
            "bad": fail(),
            "fix": put("{{ bad.error.code }}"),
            "end": answer("{{ fix.n if fix else 'fine' }}"),
        },
        "start > bad > end; bad.failure > fix > end",
        "bad! fix end",
        answer="python.ValueError",
    ),
    Tricky(
        "failure wired straight to the done path",
        {"bad": fail(), "end": put()},
        "start > bad > end; bad.failure > end",
        "bad! end",
    ),
    Tricky(
        "only the failure goes on",
        {"a": put(), "bad": fail(), "end": put()},
        "start > a > bad; bad.failure > end",
        "a bad! end",
    ),
    Tricky(
        "try body without a single step",
        {"t": guard(), "q": when("{{ start.n > 9 }}"), "c": put(), "after": put()},
        "start > t; t.try > q; t.catch > c; t.done > after",
        "q after",
    ),
    Tricky(
        "expression of a condition fails inside try",
        {
            "t": guard(),
            "q": when("{{ start.missing > 9 }}"),
            "c": put("{{ t.error.node }}"),
            "after": answer("{{ c.n }}"),
        },
        "start > t; t.try > q; t.catch > c; t.done > after",
        "q! t c after",
        answer="q",
    ),
    Tricky(
        "parameters of a step fail and its failure is wired",
        {"a": put("{{ start.missing.deep }}"), "b": put()},
        "start > a; a.failure > b",
        "a! b",
    ),
    Tricky(
        "nested loops: item and index of each",
        {
            "outer": each([[1, 2], [3]], result="{{ inner.results }}"),
            "inner": each("{{ item }}", result="{{ [item, index, outer.item, outer.index, a.n] }}"),
            "a": put("{{ item + outer.index * 10 }}"),
            "end": answer("{{ outer.results }}"),
        },
        "start > outer; outer.iteration > inner; inner.iteration > a; outer.completed > end",
        "outer inner[0] a[0][0] a[0][1] inner[1] a[1][0] end",
        answer=[
            [[1, 0, [1, 2], 0, 1], [2, 1, [1, 2], 0, 2]],
            [[3, 0, [3], 1, 13]],
        ],
    ),
    Tricky(
        "merge any: failing branches do not count while one arrives",
        {
            "bad": fail(),
            "w": wait(0.02),
            "bad2": fail(),
            "w2": wait(0.01),
            "m": merge("any"),
            "after": put(),
        },
        "start > bad w w2; bad > m; w > m; w2 > bad2 > m; m > after",
        "bad! w w2 bad2! after",
    ),
    Tricky(
        "merge any: all branches fail",
        {
            "bad": fail(),
            "w": wait(0.01),
            "bad2": fail("KeyError"),
            "m": merge("any"),
            "after": put(),
        },
        "start > bad w; bad > m; w > bad2 > m; m > after",
        "bad! w bad2!",
        status="error",
    ),
    Tricky(
        "merge any: the loser's finally runs",
        {
            "w": wait(0.01),
            "t": guard(),
            "slow": wait(1),
            "last": put(),
            "m": merge("any"),
            "after": put(),
        },
        "start > w t; w > m; t.try > slow; t.finally > last; t.done > m; m > after",
        "w slow~ last after",
    ),
    Tricky(
        "merge reached by exclusive paths only",
        {
            "q": when("{{ start.n > 2 }}"),
            "a": put(),
            "b": put(),
            "m": merge(),
            "after": put(),
        },
        "start > q; q.true > a > m; q.false > b > m; m > after",
        "q a after",
    ),
    Tricky(
        "merge reached by concurrent branches or by the other path",
        {
            "q": when("{{ start.n > 2 }}"),
            "a": wait(0.01),
            "b": wait(0.02),
            "m": merge(),
            "after": put(),
        },
        "start > q; q.true > a b > m; q.false > m; m > after",
        "q a b after",
    ),
    Tricky(
        "triggers rejoin",
        {
            "start": trigger(),
            "other": trigger(),
            "a": put("{{ other.n }}"),
            "end": answer("{{ a.n if a else start.n }}"),
        },
        "start > end; other > a > end",
        "a end",
        start="other",
        answer=3,
    ),
    Tricky(
        "one of two triggers fans out",
        {
            "start": trigger(),
            "other": trigger(),
            "a": wait(0.01),
            "b": wait(0.02),
            "m": merge(),
            "end": put(),
        },
        "start > a b > m > end; other > end",
        "a b end",
    ),
    Tricky(
        "500 nodes in a chain",
        {f"a{at}": put(at) for at in range(500)},
        "start > " + " > ".join(f"a{at}" for at in range(500)),
        " ".join(f"a{at}" for at in range(500)),
    ),
    Tricky(
        "200 cases",
        {
            "s": choose("{{ start.n + 120 }}", *(f"case {at}" for at in range(200))),
            **{f"a{at}": put(at) for at in range(200)},
            "end": answer("{{ a123.n }}"),
        },
        ";".join(["start > s"] + [f"s.case_{at} > a{at} > end" for at in range(200)]),
        "s a123 end",
        answer=123,
    ),
    Tricky(
        "50 concurrent branches",
        {
            **{f"a{at}": put(at) for at in range(50)},
            "m": merge(),
            "end": answer("{{ a0.n + a49.n }}"),
        },
        f"start > {' '.join(f'a{at}' for at in range(50))} > m > end",
        " ".join([*(f"a{at}" for at in range(50)), "end"]),
        answer=49,
    ),
    Tricky(
        "40 conditions one inside the other",
        {
            **{f"q{at}": when("{{ start.n > 2 }}") for at in range(40)},
            "a": put(),
            "b": put(),
        },
        "start > q0;"
        + ";".join(f"q{at} > q{at + 1}; q{at}.false > b" for at in range(39))
        + ";q39 > a; q39.false > b",
        " ".join([*(f"q{at}" for at in range(40)), "a"]),
    ),
    Tricky(
        "stop with an error is caught",
        {
            "t": guard(),
            "s": stop("error", message="enough"),
            "c": answer("{{ t.error.message }} {{ t.error.code }}"),
        },
        "start > t; t.try > s; t.catch > c",
        "s! t c",
        answer="enough stopped",
    ),
    Tricky(
        "stop as success is not caught and runs finally",
        {"t": guard(), "s": stop(), "c": put(), "last": put(), "after": put()},
        "start > t; t.try > s; t.catch > c; t.finally > last; t.done > after",
        "s last",
    ),
    Tricky(
        "try without catch",
        {"t": guard(), "bad": fail(), "last": put(), "after": put()},
        "start > t; t.try > bad; t.finally > last; t.done > after",
        "bad! last",
        status="error",
    ),
    Tricky(
        "catch fails: finally still runs",
        {"t": guard(), "bad": fail(), "bad2": fail("KeyError"), "last": put()},
        "start > t; t.try > bad; t.catch > bad2; t.finally > last",
        "bad! t bad2! last",
        status="error",
    ),
    Tricky(
        "catch that stops with an error, inside another try",
        {
            "out": guard(),
            "t": guard(),
            "bad": fail(),
            "s": stop("error", message="worse"),
            "c": answer("{{ out.error.message }}"),
            "last": put(),
        },
        "start > out; out.try > t; t.try > bad; t.catch > s; t.finally > last; out.catch > c",
        "bad! t s! last out c",
        answer="worse",
    ),
    Tricky(
        "body and catch rejoin: the join is not guarded any more",
        {"t": guard(), "a": put(), "c": put(), "bad": fail(), "last": put()},
        "start > t; t.try > a > bad; t.catch > c > bad; t.finally > last",
        "a last bad!",
        status="error",
    ),
    Tricky(
        "one path of the body ends, the other rejoins with catch",
        {
            "t": guard(),
            "q": when("{{ start.n > 2 }}"),
            "a": put(),
            "c": put(),
            "join": put(),
            "last": put(),
        },
        "start > t; t.try > q; q.true > a; q.false > join; t.catch > c > join; t.finally > last",
        "q a last",
    ),
    Tricky(
        "body rejoins a path that never entered the try",
        {
            "q": when("{{ start.n > 2 }}"),
            "t": guard(),
            "a": put(),
            "c": put(),
            "join": fail(),
            "last": put(),
        },
        "start > q; q.true > t; q.false > join; t.try > a > join; t.catch > c; t.finally > last",
        "q a last join!",
        status="error",
    ),
    Tricky(
        "concurrent branches without merge inside try, then done",
        {
            "t": guard(),
            "a": wait(0.01),
            "b": wait(0.02),
            "c": put(),
            "after": put(),
        },
        "start > t; t.try > a b; t.catch > c; t.done > after",
        "a b after",
    ),
    Tricky(
        "a concurrent branch fails: the sibling is cancelled, its finally runs, catch follows",
        {
            "t": guard(),
            "w": wait(0.01),
            "bad": fail(),
            "inner": guard(),
            "slow": wait(1),
            "last": put(),
            "c": put(),
            "after": put(),
        },
        "start > t; t.try > w inner; w > bad; inner.try > slow; inner.finally > last;"
        "t.catch > c; t.done > after",
        "w slow~ bad! last t c after",
    ),
    Tricky(
        "concurrent branches inside a concurrent loop",
        {
            "loop": each(ITEMS, concurrency=2, result="{{ a.n + b.n }}"),
            "a": put("{{ item.n }}"),
            "b": put("{{ index }}"),
            "w": wait(0.01),
            "m": merge(),
            "end": answer("{{ loop.results }}"),
        },
        "start > loop; loop.iteration > a w; w > b; a b > m; loop.completed > end",
        "loop a[0] w[0] a[1] w[1] b[0] b[1] end",
        answer=[1, 3],
    ),
    Tricky(
        "loop goes on after errors",
        {
            "loop": each([1, 2, 3], onItemError="continue", result="{{ a.n }}"),
            "a": code("if x == 2:\n    raise ValueError('two')\nreturn {'n': x}", x="{{ item }}"),
            "end": answer("{{ [loop.results, loop.errors[0].index, loop.errors[0].message] }}"),
        },
        "start > loop; loop.iteration > a; loop.completed > end",
        "loop a[0] a[1]! a[2] end",
        answer=[[1, None, 3], 1, "ValueError: two"],
    ),
    Tricky(
        "loop fails and its failure is wired",
        {
            "loop": each([1, 2, 3], result=0),
            "a": code("if x == 2:\n    raise ValueError('two')\nreturn {'n': x}", x="{{ item }}"),
            "end": put(),
            "sad": answer("{{ loop.error.message }}"),
        },
        "start > loop; loop.iteration > a; loop.completed > end; loop.failure > sad",
        "loop! a[0] a[1]! sad",
        answer="ValueError: two",
    ),
    Tricky(
        "failing iteration cancels its siblings",
        {
            "loop": each([0, 1], concurrency=2, result=0),
            "q": when("{{ index == 1 }}"),
            "w": wait(0.01),
            "bad": fail(),
            "slow": wait(1),
        },
        "start > loop; loop.iteration > q; q.true > w > bad; q.false > slow",
        "loop! q[0] slow[0]~ q[1] w[1] bad[1]!",
        status="error",
    ),
    Tricky(
        "batches of uneven size",
        {
            "loop": each([1, 2, 3, 4, 5], batchSize=2, result="{{ [index, item] }}"),
            "a": put("{{ len(item) }}"),
            "end": answer("{{ loop.results }}"),
        },
        "start > loop; loop.iteration > a; loop.completed > end",
        "loop a[0] a[1] a[2] end",
        answer=[[0, [1, 2]], [1, [3, 4]], [2, [5]]],
    ),
    Tricky(
        "loop without a body",
        {"loop": each([1, 2]), "end": answer("{{ loop.results }}")},
        "start > loop; loop.completed > end",
        "loop end",
        answer=[None, None],
    ),
    Tricky(
        "loop over nothing, its default result",
        {"loop": each([]), "a": put("{{ item }}"), "end": answer("{{ loop.results }}")},
        "start > loop; loop.iteration > a; loop.completed > end",
        "loop end",
        answer=[],
    ),
    Tricky(
        "default result is the last action's output",
        {
            "loop": each([1, 2]),
            "q": when("{{ item > 1 }}"),
            "a": put(1),
            "b": put("{{ item }}"),
            "end": answer("{{ loop.results }}"),
        },
        "start > loop; loop.iteration > q; q.true > a > b; q.false > b; loop.completed > end",
        "loop q[0] b[0] q[1] a[1] b[1] end",
        answer=[{"n": 1}, {"n": 2}],
    ),
    Tricky(
        "stop inside a loop ends the run",
        {
            "loop": each([1, 2, 3], result=0),
            "q": when("{{ item == 2 }}"),
            "s": stop(),
            "end": put(),
        },
        "start > loop; loop.iteration > q; q.true > s; loop.completed > end",
        "loop~ q[0] q[1] s[1]",
    ),
    Tricky(
        "catch without a wire on: the loop goes on with the next item",
        {
            "loop": each([1, 2], result="{{ 'bad' if c else 'good' }}"),
            "t": guard(),
            "a": code("if x == 1:\n    raise ValueError('no')\nreturn {'n': x}", x="{{ item }}"),
            "c": put(),
            "end": answer("{{ loop.results }}"),
        },
        "start > loop; loop.iteration > t; t.try > a; t.catch > c; loop.completed > end",
        "loop a[0]! t[0] c[0] a[1] end",
        answer=["bad", "good"],
    ),
    Tricky(
        "block succeeds at the third attempt",
        {"r": again(3), "a": put(), "bad": shaky(2), "end": put()},
        "start > r; r.attempt > a > bad; r.done > end",
        "r a bad! a#2 bad#2! a#3 bad#3 end",
    ),
    Tricky(
        "attempts used up, failure wired",
        {
            "r": again(2),
            "bad": shaky(5),
            "end": put(),
            "sad": answer("{{ r.error.message }}"),
        },
        "start > r; r.attempt > bad; r.done > end; r.failure > sad",
        "r! bad! bad#2! sad",
        answer="TimeoutError: busy",
    ),
    Tricky(
        "fatal errors are not tried again",
        {"r": again(3), "bad": fail(), "end": put()},
        "start > r; r.attempt > bad; r.done > end",
        "r! bad!",
        status="error",
    ),
    Tricky(
        "retry inside a loop inside a retry",
        {
            "r": again(2, retryOn=["fatal", "retriable"]),
            "loop": each([0, 1], result="{{ index }}"),
            "r2": again(2),
            "bad": shaky(3, key="{{ index }}"),
            "end": answer("{{ 'done' }}"),
        },
        "start > r; r.attempt > loop; loop.iteration > r2; r2.attempt > bad; r.done > end",
        "r! loop! r2[0]! bad[0]! bad[0]#2! loop#2! r2#2[0] bad#2[0]! bad#2[0]#2 "
        "r2#2[1]! bad#2[1]! bad#2[1]#2!",
        status="error",
    ),
    Tricky(
        "a step with a policy of its own",
        {
            "bad": shaky(2, retry={"maxAttempts": 3, "delay": 0.01, "jitter": 0}),
            "end": answer("{{ bad.n }}"),
        },
        "start > bad > end",
        "bad end",
        answer=1,
    ),
    Tricky(
        "joins that cross",
        {
            "q": when("{{ start.n > 2 }}"),
            "q1": when("{{ start.n > 5 }}"),
            "q2": when("{{ start.n > 1 }}"),
            "x": put(),
            "y": put(),
            "end": put(),
        },
        "start > q; q.true > q1; q.false > q2; q1.true q2.true > x; q1.false q2.false > y;"
        "x y > end",
        "q q1 y end",
    ),
    Tricky(
        "a ladder of joins",
        {
            "a": when("{{ start.n > 5 }}"),
            "b": when("{{ start.n > 4 }}"),
            "c": when("{{ start.n > 1 }}"),
            "x": put(),
            "y": put(),
            "z": put(),
        },
        "start > a; a.true > x; a.false > b; b.true > y; b.false > c; c.true > x; c.false > z;"
        "x > y > z",
        "a b c x y z",
    ),
    Tricky(
        "cases share a tail, the default ends",
        {
            "s": choose("{{ start.n % 4 }}", "zero", "one", "two"),
            "a": put(),
            "b": put(),
            "tail": put(),
        },
        "start > s; s.zero > a > tail; s.one > tail; s.two > b > tail",
        "s",
    ),
    Tricky(
        "guard clauses",
        {
            "g1": when("{{ start.n > 5 }}"),
            "no1": answer(1),
            "g2": when("{{ start.n == 3 }}"),
            "no2": answer(2),
            "end": answer(3),
        },
        "start > g1; g1.true > no1; g1.false > g2; g2.true > no2; g2.false > end",
        "g1 g2 no2",
        answer=2,
    ),
    Tricky(
        "a branch stops short of the merge",
        {
            "q": when("{{ start.n > 5 }}"),
            "a": put(),
            "b": put(),
            "m": merge(),
            "end": answer("{{ a.n if a else 'none' }}"),
        },
        "start > q b; q.true > a > m; b > m > end",
        "q b end",
        answer="none",
    ),
    Tricky(
        "no branch reaches the merge",
        {
            "q": when("{{ start.n > 5 }}"),
            "q2": when("{{ start.n > 6 }}"),
            "m": merge(),
            "end": put(),
        },
        "start > q q2; q.true q2.true > m > end",
        "q q2",
    ),
    Tricky(
        "a fan inside a branch, all at one merge",
        {
            "a": wait(0.01),
            "a1": wait(0.02),
            "a2": wait(0.03),
            "b": wait(0.5),
            "m": merge(),
            "end": put(),
        },
        "start > a b; a > a1 a2; a1 a2 b > m > end",
        "a b a1 a2 end",
    ),
    Tricky(
        "three branches, two merges",
        {
            "a": wait(0.01),
            "b": wait(0.02),
            "c": wait(0.5),
            "m1": merge(),
            "ab": put(),
            "m2": merge(),
            "end": put(),
        },
        "start > a b c; a b > m1 > ab; ab c > m2 > end",
        "c a b ab end",
    ),
    Tricky(
        "any inside all",
        {
            "w": wait(0.2),
            "a": wait(0.01),
            "b": wait(0.02),
            "first": merge("any"),
            "x": put(),
            "m": merge(),
            "end": put(),
        },
        "start > w x; x > a b > first > m; w > m > end",
        "w x a b~ end",
    ),
    Tricky(
        "concurrent branches that never meet",
        {"a": wait(0.02), "b": wait(0.01), "a2": put(), "b2": put()},
        "start > a b; a > a2; b > b2",
        "a b b2 a2",
    ),
    Tricky(
        "first of two concurrent responses answers",
        {"a": wait(0.02), "b": wait(0.01), "ra": answer("a"), "rb": answer("b")},
        "start > a b; a > ra; b > rb",
        "a b rb ra-",
        answer="b",
    ),
    Tricky(
        "guard inside a concurrent branch",
        {
            "q": when("{{ start.n > 2 }}"),
            "no": answer("no"),
            "a": put(),
            "w": wait(0.01),
            "m": merge(),
            "end": put(),
        },
        "start > q w; q.true > no; q.false > a > m; w > m > end",
        "q no w end",
        answer="no",
    ),
    Tricky(
        "catch fans out and merges",
        {
            "t": guard(),
            "bad": fail(),
            "a": wait(0.01),
            "b": wait(0.02),
            "m": merge(),
            "c": put(),
            "last": put(),
            "after": put(),
        },
        "start > t; t.try > bad; t.catch > a b > m > c; t.finally > last; t.done > after",
        "bad! t a b c last after",
    ),
    Tricky(
        "finally with a loop and a condition",
        {
            "t": guard(),
            "bad": fail(),
            "loop": each([1, 2], result=0),
            "a": put("{{ item }}"),
            "q": when("{{ start.n > 2 }}"),
            "b": put(),
        },
        "start > t; t.try > bad; t.finally > loop; loop.iteration > a; loop.completed > q;"
        "q.true > b",
        "bad! loop a[0] a[1] q b",
        status="error",
    ),
    Tricky(
        "outputs of code rejoin",
        {
            "route": code(
                "return ('low', {'n': x}) if x < 5 else ('high', 0)",
                ["low", "high"],
                x="{{ start.n }}",
            ),
            "a": put("{{ route.n + 1 }}"),
            "end": answer("{{ a.n if a else route }}"),
        },
        "start > route; route.low > a > end; route.high > end",
        "route a end",
        answer=4,
    ),
    Tricky(
        "failing call, handled",
        {"c": call(CALLEES[1], 5), "ok": put(), "sad": put()},
        "start > c > ok; c.failure > sad",
        "c! sad",
    ),
    Tricky(
        "value of a call",
        {"c": call(CALLEES[0], "{{ start.n }}"), "end": answer("{{ c.n }}")},
        "start > c > end",
        "c end",
        answer=6,
    ),
    Tricky(
        "value of a branch not taken",
        {
            "q": when("{{ start.n > 5 }}"),
            "a": put(1),
            "b": put("{{ a }}"),
            "end": answer("{{ b }}"),
        },
        "start > q; q.true > a > b; q.false > b > end",
        "q b end",
        answer={"n": None},
    ),
    Tricky(
        "ids that are no names",
        {
            "my-node": put(7),
            "class": put("{{ nodes['my-node'].n }}"),
            "run": put("{{ nodes['class'].n + 1 }}"),
            "end": answer("{{ nodes['run'].n }}"),
        },
        "start > my-node > class > run > end",
        "my-node class run end",
        answer=8,
    ),
    Tricky(
        "conditions in groups",
        {
            "q": when(
                {
                    "all": [
                        {"left": "{{ start.n }}", "op": "gt", "right": 2},
                        {
                            "any": [
                                {"left": "{{ start.n }}", "op": "equals", "right": 9},
                                {"not": "{{ start.n > 4 }}"},
                            ]
                        },
                    ]
                }
            ),
            "a": put(),
            "b": put(),
        },
        "start > q; q.true > a; q.false > b",
        "q a",
    ),
    Tricky(
        "a wire straight from the fan to the merge",
        {"a": wait(0.01), "m": merge(), "end": put()},
        "start > a m; a > m > end",
        "a end",
    ),
    Tricky(
        "an item ends inside try: its result is not guarded",
        {
            "loop": each([1, 2, 3], onItemError="continue", result={"n": "{{ a.n }}"}),
            "t": guard(),
            "q": when("{{ index == 1 }}"),
            "a": put("{{ item }}"),
            "end": answer("{{ [loop.results, len(loop.errors)] }}"),
        },
        "start > loop; loop.iteration > t; t.try > q; q.false > a; t.catch > a;"
        "loop.completed > end",
        "loop q[0] a[0] q[1] loop[1]! q[2] a[2] end",
        answer=[[{"n": 1}, None, {"n": 3}], 1],
    ),
    Tricky(
        "an item ends inside try: its result knows what finally did",
        {
            "loop": each([1, 2], result="{{ last.n }}"),
            "t": guard(),
            "q": when("{{ index == 1 }}"),
            "a": put("{{ item }}"),
            "last": put("{{ item * 10 }}"),
            "end": answer("{{ loop.results }}"),
        },
        "start > loop; loop.iteration > t; t.try > q; q.false > a; t.catch > a;"
        "t.finally > last; loop.completed > end",
        "loop q[0] last[0] a[0] q[1] last[1] end",
        answer=[10, 20],
    ),
    Tricky(
        "a failing condition of a try inside another: finally of both",
        {
            "out": guard(),
            "t": guard(),
            "q": when("{{ start.none.n > 1 }}"),
            "last": put(),
            "c": put(),
            "very": put(),
        },
        "start > out; out.try > t; t.try > q; t.finally > last; out.catch > c; out.finally > very",
        "last q! out c very",
    ),
    Tricky(
        "merge any: parameters of a losing branch fail",
        {"a": put("{{ start.none.n }}"), "w": wait(0.01), "m": merge("any"), "end": put()},
        "start > a w > m > end",
        "w a! end",
    ),
    Tricky(
        "a branch leads to steps that another path leads to as well",
        {
            "q": when("{{ start.n > 2 }}"),
            "a": wait(0.01),
            "b": wait(0.05),
            "b2": put(),
            "c": put(),
            "x": put("{{ c }}"),
            "x2": put(),
        },
        "start > q; q.true > a b; b > b2; q.false > c; a c > x > x2",
        "q a b x x2 b2",
    ),
    Tricky(
        "each attempt starts without the values of the last one",
        {
            "r": again(3),
            "count": code("from tests.support.probe import attempt\nreturn {'n': attempt('k')}"),
            "first": when("{{ count.n == 1 }}"),
            "a": put(1),
            "bad": shaky(1, key="bad"),
            "b": put("{{ a }}"),
            "end": answer("{{ [a, b.n, bad] }}"),
        },
        "start > r; r.attempt > count > first; first.true > a > bad > b; first.false > b;"
        "r.done > end",
        "r count first a bad! count#2 first#2 b#2 end",
        answer=[None, None, None],
    ),
]
