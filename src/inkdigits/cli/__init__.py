"""The command line: parse, call, print. One file a command, imported when it is called."""

from __future__ import annotations

import difflib
import errno
import importlib
import os
import sys
from collections.abc import Sequence

import click

from inkdigits.cli.console import warn
from inkdigits.errors import InkdigitsError, Interrupted
from inkdigits.version import __version__

__all__ = ["commands", "run"]

# Each command with its one line of help, so that `inkdigits --help` imports none of them.
COMMANDS = {
    "train": "Train a network on handwritten digits.",
    "evaluate": "Score a model, or compare two on the same digits.",
    "read": "Read digits from data files and pictures.",
    "show": "Show digits, or what a model has learned.",
    "info": "Describe a model, a data set or a recipe.",
    "convert": "Convert digits from one format to another.",
    "export": "Turn a model into one HTML page that reads what is drawn.",
    "teach": "Keep pictures of your own digits, to learn from.",
    "sheet": "Print a sheet to write digits in, and read its photo.",
    "lab": "Draw, watch a network learn, look inside: in your browser.",
}

EXAMPLES = """\
  inkdigits read photo.jpg                         the digit in a picture
  inkdigits evaluate reader                        how well it reads MNIST's test digits
  inkdigits train --recipe classic --epochs 5      the post's network, trained as in the post
  inkdigits show mnist:train 0                     a digit, here in the terminal
"""


class Commands(click.Group):
    """The group of all commands: loads one when it is called, and suggests the nearest."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"inkdigits.cli.{name}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            nearest = difflib.get_close_matches(args[0], COMMANDS, n=1, cutoff=0.4)
            hint = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(COMMANDS)}"
            raise click.UsageError(f"there is no command {args[0]!r}: {hint}", context)
        return super().resolve_command(context, args)

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            raise click.Abort from None  # click itself would print an empty line first

    def format_help(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write("Examples:\n" + EXAMPLES + "\n")
        self.format_usage(context, formatter)
        self.format_help_text(context, formatter)
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        self.format_options(context, formatter)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Written by `format_help`, before the options."""


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="inkdigits %(version)s")
def commands() -> None:
    """A handwriting reader you can read."""


def run(arguments: Sequence[str]) -> int:
    """Runs one command; every failure is one line on stderr and a status.

    Returns:
        0, or 1 for what could not be done, 2 for what was not understood, 130 after Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without ▀ or → shows ? instead
    try:
        status = commands.main(
            list(arguments) or ["--help"], prog_name="inkdigits", standalone_mode=False
        )
        sys.stdout.flush()
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "inkdigits"
        return complain(f"{error.format_message()} ({command} --help shows what there is)", 2)
    except (click.Abort, KeyboardInterrupt):
        return complain("stopped", 130)
    except InkdigitsError as error:
        return complain(str(error), 130 if isinstance(error, Interrupted) else 1)
    except BrokenPipeError:  # whoever read our output has seen enough
        drop_unwritten_output()
        return 1
    except OSError as error:
        drop_unwritten_output()
        if error.errno == errno.ENOSPC:
            return complain("no space is left on the disk: free some and run it again", 1)
        return complain(f"{error.filename or 'output'}: {error.strerror or error}", 1)
    except MemoryError:
        return complain("out of memory: close other programs, or read less at once", 1)
    return int(status or 0)


def drop_unwritten_output() -> None:
    """Sees to it that what could not be written is not tried again when the interpreter ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(message: str, status: int) -> int:
    warn(message)
    return status
