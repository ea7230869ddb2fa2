"""What the commands share: help with examples first, JSON, progress on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

__all__ = [
    "Command",
    "Tick",
    "json_option",
    "per_cent",
    "print_json",
    "progress",
    "shown",
    "threads_option",
    "warn",
]

Tick = Callable[[float, str], None]

REDRAWS = 400  # of a progress bar from its beginning to its end


class Command(click.Command):
    """A command whose help begins with examples."""

    def __init__(self, *args: Any, examples: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_help(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples, usage, purpose, options."""
        lines = [f"  {line.strip()}\n" for line in self.examples.strip().splitlines()]
        formatter.write("Examples:\n" + "".join(lines) + "\n")
        super().format_help(context, formatter)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, and nothing else.")
threads_option = click.option(
    "--threads",
    type=click.IntRange(min=1),
    metavar="T",
    help="At most so many threads. The result is the same for any number.",
)


def print_json(data: Any) -> None:
    """One JSON document on one line; NaN is no JSON and would be a mistake of ours."""
    print(json.dumps(data, allow_nan=False), flush=True)


def warn(message: str) -> None:
    """One line on stderr; the command goes on."""
    print(f"inkdigits: {shown(message)}", file=sys.stderr)


def shown(text: object) -> str:
    """A file's name, or a message with one in it, as one line that a terminal does not obey.

    What is not printable, such as a newline or the codes that colour a terminal, is escaped.
    """
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in str(text))


def per_cent(share: float, places: int = 2) -> str:
    """0.9742 as 97.42 %."""
    return f"{100 * share:.{places}f} %"


@contextmanager
def progress(what: str, total: float) -> Iterator[Tick]:
    """A progress bar with rate and time left on stderr, if that is a terminal.

    Yields:
        A function to call with how much of `total` is done, and what to say beside it.
    """
    if not sys.stderr.isatty():
        yield lambda done, note: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.percentage:.0f} %"),
        TextColumn("{task.fields[rate]} a second"),
        TimeLeft(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # lines above the bar; a file gets them as they are
        auto_refresh=False,  # by a thread of its own, beside which training would not fork
    ) as bar:
        task = bar.add_task(what, total=total, note="", rate="–")
        shown = 0.0

        def tick(done: float, note: str) -> None:
            nonlocal shown
            if done - shown < total / REDRAWS and done < total:
                return
            shown = done
            speed = bar.tasks[task].speed
            rate = f"{speed:,.0f}" if speed else "–"
            bar.update(task, completed=done, note=note, rate=rate, refresh=True)

        yield tick
