"""What all commands share: common options, state, and the way errors reach the user."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeGuard, cast

import click

from . import streams
from .errors import CliError
from .exit_codes import ExitCode

if TYPE_CHECKING:
    from nodegx.compiler.diagnostics import DiagnosticError


PROVIDER_CODES = {
    "environment": ExitCode.ENVIRONMENT,
    "usage": ExitCode.USAGE,
    "not found": ExitCode.NOT_FOUND,
    "failure": ExitCode.FAILURE,
}
"""Exit codes for what goes wrong between a project and a cloud, by the error's kind."""


@dataclass(slots=True)
class State:
    """Values of the common options; `ctx.obj` of every command."""

    directory: Path | None = None
    json: bool = False
    debug: bool = False


pass_state = click.make_pass_decorator(State, ensure=True)
"""Gives a command the state as its first argument."""


def _store(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def store(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        if value:
            setattr(ctx.ensure_object(State), name, value)

    return store


def common_options() -> list[click.Parameter]:
    """Fresh instances of the options that every command has."""
    return [
        click.Option(
            ["-C", "--project", "project_directory"],
            type=click.Path(path_type=Path, file_okay=False),
            metavar="DIR",
            help="Work in this project instead of the one around the current directory.",
            expose_value=False,
            callback=_store("directory"),
        ),
        click.Option(
            ["--json", "as_json"],
            is_flag=True,
            help="Print JSON for programs.",
            expose_value=False,
            callback=_store("json"),
        ),
        click.Option(
            ["--debug", "debug"],
            is_flag=True,
            envvar="NODEGX_DEBUG",
            help="Show Python tracebacks of unexpected errors.",
            expose_value=False,
            callback=_store("debug"),
        ),
    ]


class Command(click.Command):
    """A command with the common options."""

    def __init__(
        self, name: str | None, *, params: list[click.Parameter] | None = None, **attrs: Any
    ) -> None:
        super().__init__(name, params=[*(params or []), *common_options()], **attrs)


class Group(click.Group):
    """A group whose commands have the common options."""

    command_class = Command


class Lazy(NamedTuple):
    """A command that is imported when it is used. `help` is its first line, repeated here so that
    the overview needs no import."""

    target: str
    help: str


class Root(click.Group):
    """The `nodegx` command: knows its commands by name, imports only the one that runs, and turns
    whatever goes wrong into a message and an exit code."""

    def __init__(self, *args: Any, lazy: Mapping[str, Lazy], **attrs: Any) -> None:
        super().__init__(*args, **attrs)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, in the order in which people meet them."""
        del ctx
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the command called `cmd_name`; None where there is none."""
        del ctx
        if cmd_name not in self.lazy:
            return None
        module, _, attribute = self.lazy[cmd_name].target.partition(":")
        return cast("click.Command", getattr(importlib.import_module(module), attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in self.lazy.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the command; an unknown name is answered with similar ones."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from .errors import nearest

            near = nearest(args[0], self.lazy)
            if not near or "Did you mean" in error.message:
                raise
            message = f"{error.message} Did you mean {' or '.join(near)}?"
            raise click.UsageError(message, ctx) from None

    def main(  # type: ignore[override]  # click's own overloads differ only in the return type
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = "nodegx",
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Runs the command line and exits; never shows a traceback unless asked to."""
        del standalone_mode
        streams.prepare()
        state = State(debug=bool(os.environ.get("NODEGX_DEBUG")))
        extra.setdefault("obj", state)
        extra.setdefault("color", _color_wish())
        try:
            result = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read our output has stopped; nobody is left to tell.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(ExitCode.FAILURE)
        except BaseException as error:
            if state.debug and isinstance(error, Exception) and not _is_expected(error):
                raise
            sys.exit(report(error, state))
        sys.exit(result if isinstance(result, int) else ExitCode.OK)


def _color_wish() -> bool | None:
    """False or True where the environment says so (no-color.org), else None: as the output can."""
    if os.environ.get("NO_COLOR"):
        return False
    return True if os.environ.get("FORCE_COLOR") else None


def _is_expected(error: Exception) -> bool:
    from nodegx.providers.errors import ProviderError

    expected = CliError | ProviderError | click.ClickException | click.exceptions.Exit | click.Abort
    return isinstance(error, expected) or _is_diagnostic(error)


def report(error: BaseException, state: State) -> int:
    """Tells the user about `error`, as text on stderr or as JSON on stdout; returns the exit code.

    Raises:
        BaseException: `error` itself, where it is not an error but a way to end the process.
    """
    if isinstance(error, SystemExit):
        raise error
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt | click.Abort):
        click.echo("interrupted", err=True)
        return ExitCode.INTERRUPTED
    if isinstance(error, click.UsageError) and not state.json:
        error.show()
        return error.exit_code
    if _is_diagnostic(error):
        return _report_findings(error, state)
    message, hint, code = _explain(error, state)
    if state.json:
        details = {"kind": code.name.lower(), "message": message, "hint": hint or None}
        click.echo(json.dumps({"error": details}, ensure_ascii=False))
    else:
        click.echo(click.style("error: ", fg="red", bold=True) + message, err=True)
        if hint:
            click.echo(click.style("hint: ", fg="cyan") + hint, err=True)
    return code


def _is_diagnostic(error: BaseException) -> TypeGuard[DiagnosticError]:
    from nodegx.compiler.diagnostics import DiagnosticError

    return isinstance(error, DiagnosticError)


def _report_findings(error: DiagnosticError, state: State) -> ExitCode:
    from . import findings

    if state.json:
        click.echo(json.dumps(findings.json_data(error.diagnostics, 1), ensure_ascii=False))
    else:
        findings.report(error.diagnostics, err=True)
    return ExitCode.DIAGNOSTICS


def _explain(error: BaseException, state: State) -> tuple[str, str, ExitCode]:
    """Message, hint and exit code for an error."""
    from nodegx.providers.errors import ProviderError
    from nodegx.runtime.errors import NodegxError

    if isinstance(error, CliError):
        return error.message, error.hint, error.code
    if isinstance(error, ProviderError):
        return error.message, error.hint, PROVIDER_CODES[error.kind]
    if isinstance(error, click.UsageError):
        return error.format_message(), "", ExitCode.USAGE
    if isinstance(error, click.ClickException):
        return error.format_message(), "", ExitCode.FAILURE
    if isinstance(error, NodegxError):
        environment = error.code.startswith(("history.", "store."))
        return error.message, "", ExitCode.ENVIRONMENT if environment else ExitCode.FAILURE
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}", "", ExitCode.ENVIRONMENT
    return (
        f"unexpected {type(error).__name__}: {error}",
        "" if state.debug else "run the command again with --debug for the traceback",
        ExitCode.INTERNAL,
    )
