"""The command line: one file per command, each parses, calls and prints."""

import io
import os
import sys
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from emolens import __version__, settings
from emolens.errors import EXIT_CODES, EmolensError
from emolens.text import printable_lines

COMMANDS = (
    "predict",
    "explain",
    "evaluate",
    "compare",
    "calibrate",
    "train",
    "export",
    "data",
    "models",
    "policy",
    "feedback",
    "serve",
    "ui",
    "info",
)


class _LazyGroup(TyperGroup):
    """Imports the file of a command only when that command is asked for, so that none waits for another's imports."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"emolens.cli.{cmd_name}")
        if hasattr(module, "app"):
            return typer.main.get_command(module.app)
        alone = typer.Typer(add_completion=False)
        alone.command(cmd_name)(getattr(module, cmd_name))
        return typer.main.get_command(alone)


app = typer.Typer(cls=_LazyGroup, add_completion=False, no_args_is_help=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,  # noqa: ARG001
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Reads emotion from images and tells which emoji reactions fit."""
    settings.fill_environment()


def main() -> NoReturn:
    """Runs the command line of this process and leaves with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Emoji need UTF-8 wherever the output goes; the escapes are for file names that are no text.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    # Anywhere in the line, since it is added to a command that has just failed.
    debug = "--debug" in sys.argv
    try:
        sys.exit(_run([argument for argument in sys.argv[1:] if argument != "--debug"]))
    except BrokenPipeError:
        _settle_stdout()
        sys.exit(1)  # whoever reads has seen enough
    except Exception as error:  # no traceback reaches a user who has not asked for it
        if debug:
            raise
        message, code = _explained(error)
        if message:
            print(f"emolens: {printable_lines(message)}", file=sys.stderr)
        _settle_stdout()
        sys.exit(code)


def _run(arguments: list[str]) -> int:
    code = typer.main.get_command(app)(arguments, prog_name="emolens", standalone_mode=False)
    sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _settle_stdout() -> None:
    """What cannot be written now must not be tried again at exit, where it would change the exit code."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explained(error: Exception) -> tuple[str, int]:
    """What to tell the user, and the exit code."""
    match error:
        case EmolensError():
            return str(error), next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 2)
        case typer.TyperException():
            context, message = (
                getattr(error, "ctx", None),
                error.format_message().rstrip(".").replace("Value error, ", ""),
            )
            # Without a command the help has been shown already, and there is no message.
            hint = f"; see `{context.command_path} --help`" if context and message else ""
            return message + hint, error.exit_code
        case OSError():
            return f"{error.filename or 'input or output'}: {error.strerror or error}", 2
    return f"{type(error).__name__}: {error}; this is a fault of emolens, `emolens --debug ...` shows where", 2
