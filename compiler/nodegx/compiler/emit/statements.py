"""Structured control flow as Python statements."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from nodegx.compiler.graph import Graph, GraphNode
from nodegx.compiler.naming import Naming
from nodegx.compiler.scopes import Scopes, end_of_body
from nodegx.compiler.tree import (
    Attempt,
    Block,
    Branch,
    Call,
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

from .arguments import arguments, code_arguments, retry_parameters
from .bindings import asks_over_http
from .ending import choice, ends, leaves, shortened
from .results import Results
from .switches import case_patterns, subject
from .syntax import assign, call, dotted, function, name, tagged
from .usercode import UserFunction
from .values import Consumer, Values
from .variables import ASSIGNS, REPEATED


class Writer:
    """Writes the functions of a handler.

    Args:
        graph: the workflow.
        scopes: what exists where.
        naming: names.
        values: compiles parameters.
        code: the module-level functions of code nodes, by node.

    Attributes:
        constants: nodes whose declaration the code reads.
        resume_urls: the URLs of waits that it asks for.
        modules: modules of implementations that the code calls.
    """

    def __init__(
        self,
        graph: Graph,
        scopes: Scopes,
        naming: Naming,
        values: Values,
        code: dict[str, UserFunction],
    ) -> None:
        self.graph = graph
        self.scopes = scopes
        self.naming = naming
        self.values = values
        self.code = code
        self.results = Results(graph, scopes)
        self.resume_urls = values.reading.resume_urls
        self.constants = self.resume_urls.constants
        self.modules: set[str] = set()
        self._shared: dict[str, str] = {}
        self._roles: list[Function] = []

    def handler(self, main: Function) -> ast.AsyncFunctionDef:
        """The handler itself, without its decorator."""
        body = self._body(main)
        return self._function(self.naming.handler, body, (("run", "Run"),), None)

    # ------------------------------------------------------------------------- functions

    def _function(
        self,
        identifier: str,
        body: Sequence[ast.stmt],
        parameters: Sequence[tuple[str, str]] = (),
        returns: str | None = None,
    ) -> Any:
        return function(identifier, body, parameters, returns)

    def _body(self, made: Function) -> list[ast.stmt]:
        self._roles.append(made)
        body = self._block(made.body)
        if not ends(body):
            body += self._end(made)
        self._roles.pop()
        return shortened(body)

    def _end(self, made: Function) -> list[ast.stmt]:
        """What stands at the end of a function that is not left before."""
        if made.answers:
            return [ast.Return(ast.Constant(True))]
        return self._return_result(made.node) if made.role is Role.ITERATION else []

    def _return_result(self, loop: str) -> list[ast.stmt]:
        """`return` with an iteration's result."""
        node = self.graph.nodes[loop]
        consumer = self.values.consumer(node, end_of_body(loop))
        code = self._result(node, consumer)
        return [*consumer.prelude, ast.Return(code)]

    def _result(self, node: GraphNode, consumer: Consumer) -> ast.expr:
        if "result" in node.params:
            return consumer.argument("result")
        last = self.results.last_action(node.id)
        return ast.Constant(None) if last is None else consumer.node_value(last)

    def _local(self, made: Function, identifier: str) -> ast.AsyncFunctionDef:
        """A local function."""
        parameters: list[tuple[str, str]] = []
        returns = "bool" if made.answers else None
        if made.role is Role.ITERATION:
            item, index = self.values.reading.loop_variables[made.node]
            parameters = [("run", "Run"), (item, "Any"), (index, "int")]
            returns = "Any"
        elif made.role is Role.ATTEMPT:
            parameters = [("run", "Run")]
        definition = self._function(identifier, self._body(made), parameters, returns)
        if made.role is Role.ATTEMPT:
            setattr(definition, REPEATED, True)
        if made.role in {Role.ITERATION, Role.ATTEMPT}:
            return tagged(definition, made.node)
        return definition

    def _named(self, made: Function) -> tuple[str, ast.AsyncFunctionDef]:
        """Names a local function and writes it."""
        identifier = self.naming.unique(self._base_name(made))
        if made.role is Role.ITERATION:
            self.values.reading.loop_variables[made.node] = self._loop_variables(made.node)
        return identifier, self._local(made, identifier)

    def _base_name(self, made: Function) -> str:
        own = self.naming.variable(made.node)
        match made.role:
            case Role.ITERATION:
                first = _first_step(made.body)
                return f"{self.naming.variable(first)}_item" if first else f"{own}_item"
            case Role.ATTEMPT:
                return f"attempt_{own}"
            case Role.SHARED:
                return f"then_{own}"
            case Role.PART:
                return f"{own}_body"
            case _:
                return f"{own}_branch"

    def _loop_variables(self, loop: str) -> tuple[str, str]:
        """Names of the item and index of a loop; `item` and `index` unless a loop is around it."""
        if not self.scopes.loops(loop):
            return "item", "index"
        own = self.naming.variable(loop)
        return self.naming.unique(f"{own}_item"), self.naming.unique(f"{own}_index")

    # ------------------------------------------------------------------------- statements

    def _block(self, block: Block) -> list[ast.stmt]:
        statements: list[ast.stmt] = []
        for statement in block:
            statements += self._statement(statement)
        return statements

    def _filled(self, block: Block) -> list[ast.stmt]:
        return self._block(block) or [ast.Pass()]

    def _statement(self, statement: Statement) -> list[ast.stmt]:
        match statement:
            case Start():
                return [self._assigned(statement.node, dotted("run.trigger"), needed=False)]
            case Started():
                return self._started(statement)
            case Step() | Loop() | Repeat():
                return self._step(statement)
            case Attempt():
                return self._attempt(statement)
            case Branch():
                return self._branch(statement)
            case Switch():
                return self._switch(statement)
            case Try():
                return self._try(statement)
            case Parallel():
                return self._parallel(statement)
            case Define(function=made):
                identifier = self._shared[made.key] = self.naming.unique(self._base_name(made))
                return [self._local(made, identifier)]
            case Call():
                return self._call(statement)
            case Stop():
                return self._stop(statement)
            case Leave():
                return self._leave(statement)

    def _frame(self) -> str:
        """The key of the function around that has a `run` of its own."""
        own = (Role.MAIN, Role.ITERATION, Role.ATTEMPT)
        return next(made.key for made in reversed(self._roles) if made.role in own)

    def _constant(self, node: str) -> ast.expr:
        self.constants.add(node)
        return name(self.naming.constants[node])

    def _assigned(self, node: str, value: ast.expr, *, needed: bool = True) -> ast.stmt:
        statement = tagged(assign(self.naming.variable(node), value), node)
        setattr(statement, ASSIGNS, needed)
        return statement

    def _leave(self, statement: Leave) -> list[ast.stmt]:
        made = self._roles[-1]
        if made.role is Role.ITERATION:
            return self._return_result(made.node)
        return [ast.Return(ast.Constant(statement.arrived) if made.answers else None)]

    # ------------------------------------------------------------------------- steps

    def _step(self, statement: Step | Loop | Repeat, *, alone: bool = True) -> list[ast.stmt]:
        node = self.graph.nodes[statement.node]
        consumer = self.values.consumer(node, alone=alone)
        defined: list[ast.stmt] = []
        match statement:
            case Loop(body=body):
                identifier, definition = self._named(body)
                defined.append(definition)
                items = [self._constant(node.id), consumer.argument("items"), name(identifier)]
                options = [
                    (param.keyword, consumer.argument(param.name))
                    for param in node.type.params
                    if param.name not in {"items", "result"}
                    and param.name in node.params
                    and not node.is_default(param.name)
                ]
                made = call("run.for_each", *items, keywords=options)
            case Repeat(body=body):
                identifier, definition = self._named(body)
                defined.append(definition)
                policy = retry_parameters(node, consumer)
                made = call("run.retry", self._constant(node.id), name(identifier), policy)
            case Step():
                made = self._action(node, consumer)
        awaited = ast.Await(made)
        defined = [*self.resume_urls.in_front(node.id, self._frame()), *defined]
        if isinstance(statement, Repeat):
            return [*defined, *consumer.prelude, tagged(ast.Expr(awaited), node.id)]
        return [*defined, *consumer.prelude, self._assigned(node.id, awaited)]

    def _action(self, node: GraphNode, consumer: Consumer) -> ast.Call:
        constant = self._constant(node.id)
        if node.id in self.code:
            keywords = code_arguments(node, consumer)
            return call("run.step", constant, self._user_code(node), keywords=keywords)
        if node.call is None:
            return call("run.step", constant)  # its code is wrong, which has been noted
        given, keywords = arguments(node, consumer)
        wired = self.graph.wires.get(node.id, {})
        keywords += [
            (signal.argument, ast.Constant("branch"))
            for signal in node.type.signals_out
            if signal.argument is not None and signal.name in wired
        ]
        if asks_over_http(node):
            self.modules.add("http")
        module, _, _ = node.call.partition(".")
        if module == "run":
            return call(node.call, constant, *given, keywords=keywords)
        self.modules.add(module)
        return call("run.step", constant, dotted(node.call), *given, keywords=keywords)

    def _user_code(self, node: GraphNode) -> ast.expr:
        """The function of a code node, as `run.step` wants it."""
        made = self.code[node.id]
        code: ast.expr = name(made.name)
        if not made.is_async:
            self.modules.add("python")
            code = call("python.in_thread", code)
        if node.routed:
            self.modules.add("python")
            outputs = node.literal("outputs") or ()
            code = call("python.routed", code, *(ast.Constant(str(port)) for port in outputs))
        return code

    def _attempt(self, statement: Attempt) -> list[ast.stmt]:
        body = self._step(statement.step, alone=False)
        defined = [part for part in body if isinstance(part, ast.AsyncFunctionDef)]
        tried = [part for part in body if not isinstance(part, ast.AsyncFunctionDef)]
        handler = [self._caught(statement.node), *self._block(statement.failure)]
        otherwise = self._block(statement.done)
        return [*defined, ast.Try(tried, [_handler(handler)], otherwise, [])]

    def _caught(self, node: str) -> ast.stmt:
        """`charge_error = run.caught(CHARGE, exc)`."""
        made = call("run.caught", self._constant(node), name("exc"))
        statement = tagged(assign(self.naming.error(node), made), node)
        setattr(statement, ASSIGNS, True)
        return statement

    # ------------------------------------------------------------------------- decisions

    def _started(self, statement: Started) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for number, (trigger, block) in enumerate(reversed(statement.arms)):
            body = self._filled(block)
            if number == 0:
                made = body
                continue
            test = call("run.started_by", self._constant(trigger))
            made = [ast.If(test, body, made)]
        return made

    def _branch(self, statement: Branch) -> list[ast.stmt]:
        node = self.graph.nodes[statement.node]
        consumer = self.values.consumer(node)
        condition = consumer.argument("condition")
        test = call("run.branch", self._constant(node.id), condition)
        made = choice(test, self._block(statement.then), self._block(statement.otherwise))
        tagged(made[0], node.id)
        return [*consumer.prelude, *made]

    def _switch(self, statement: Switch) -> list[ast.stmt]:
        node = self.graph.nodes[statement.node]
        consumer = self.values.consumer(node)
        value = subject(node, consumer, self._constant(node.id), self.naming)
        cases = [(case.names, self._block(case.body)) for case in statement.cases]
        default = self._block(statement.default)
        made: ast.stmt = ast.Expr(value)
        if default or any(body for _, body in cases):
            made = ast.Match(value, case_patterns(cases, default))
        return [*consumer.prelude, tagged(made, node.id)]

    # ------------------------------------------------------------------------- blocks

    def _try(self, statement: Try) -> list[ast.stmt]:
        body = self._block(statement.body)
        handlers: list[ast.ExceptHandler] = []
        if statement.catch is not None:
            caught = self._caught(statement.node)
            handlers = [_handler([caught, *self._block(statement.catch)])]
        last = self._block(statement.last or ())
        if not body:
            return last  # nothing can fail
        if not handlers and not last:
            return body
        return [ast.Try(body, handlers, [], last)]

    def _parallel(self, statement: Parallel) -> list[ast.stmt]:
        branches = statement.branches
        if not statement.wins and statement.merge is not None:
            branches = tuple(branch for branch in branches if branch.body) or branches[:1]
            if len(branches) == 1 and statement.short is None:
                return self._alone(branches[0])
        made = [self._named(branch) for branch in branches]
        method = "run.any" if statement.wins else "run.all"
        calls: list[ast.expr] = [call(identifier) for identifier, _ in made]
        if statement.wins and statement.merge is not None:
            calls.insert(0, self._constant(statement.merge))
        awaited = ast.Await(call(method, *calls))
        definitions: list[ast.stmt] = [definition for _, definition in made]
        return [*definitions, *self._answered(awaited, statement.arrived, statement.short)]

    def _alone(self, branch: Function) -> list[ast.stmt]:
        """The only branch that does anything."""
        if not leaves(branch.body):
            return self._block(branch.body)
        identifier, definition = self._named(branch)
        return [definition, ast.Expr(ast.Await(call(identifier)))]

    def _call(self, statement: Call) -> list[ast.stmt]:
        awaited = ast.Await(call(self._shared[statement.key]))
        return self._answered(awaited, statement.arrived, statement.short)

    def _answered(self, awaited: ast.Await, arrived: Block, short: Block | None) -> list[ast.stmt]:
        """A call that tells whether the flow has arrived at what follows."""
        return choice(awaited, self._block(arrived), self._block(short or ()))

    def _stop(self, statement: Stop) -> list[ast.stmt]:
        node = self.graph.nodes[statement.node]
        consumer = self.values.consumer(node)
        given, keywords = arguments(node, consumer)
        made = call("run.stop", self._constant(node.id), *given, keywords=keywords)
        return [*consumer.prelude, tagged(ast.Raise(made), node.id)]


def _handler(body: list[ast.stmt]) -> ast.ExceptHandler:
    return ast.ExceptHandler(name("Exception"), "exc", body)


def _first_step(block: Block) -> str | None:
    """The first node of a block, if that is a step."""
    match block[0] if block else None:
        case Step(node=node) | Attempt(step=Step(node=node)):
            return node
        case _:
            return None
