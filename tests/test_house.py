"""The house: who may import whom, who prints, who reads a clock, and what an import costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import inkdigits

ROOT = Path(inkdigits.__file__).parent

# Each room on its level, as docs/architecture.md has it: a room imports from lower levels alone.
LEVELS = {
    "errors": 0,
    "version": 0,
    "dataset": 1,
    "files": 1,
    "glyph": 1,
    "network": 1,
    "sheet": 1,
    "sources": 2,
    "parallel": 2,
    "evaluation": 2,
    "classic": 3,
    "model": 3,
    "inspection": 3,
    "formats": 4,
    "training": 4,
    "reading": 4,
    "plots": 4,
    "cli": 5,
    "lab": 5,
    "__main__": 6,
    "": 7,  # the top, which hands out what is public when it is asked for
}

# What may be imported on the same level, and why.
NEIGHBOURS = {
    ("inspection", "classic"),  # backquery runs the post's equations backwards: its constants
    ("training", "formats"),  # for checkpoints and models
    ("cli", "lab"),  # `inkdigits lab` starts it
}


class Module(NamedTuple):
    name: str  # dotted, below inkdigits; "" for the top itself
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.name.partition(".")[0]


Law = Callable[[Module], Iterator[str]]


@cache
def modules() -> list[Module]:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Module(name, ast.parse(path.read_text(encoding="utf-8"))))
    return found


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that type checkers alone see."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from nodes(child)


def imported(tree: ast.AST) -> Iterator[str]:
    """The dotted names of all modules that are imported, at the top or in a function."""
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            assert node.module is not None
            yield node.module
            # `from inkdigits import plots` imports a module of that name
            yield from (f"{node.module}.{name.name}" for name in node.names)


def rooms_imported(module: Module) -> set[str]:
    paths = [name.split(".") for name in imported(module.tree)]
    ours = {path[1] for path in paths if path[0] == "inkdigits" and len(path) > 1}
    return {room for room in ours if room in LEVELS} - {module.room}


# The laws: what a module does that it may not, in words


def imports_from_its_own_level_or_above(module: Module) -> Iterator[str]:
    for other in rooms_imported(module):
        if LEVELS[other] >= LEVELS[module.room] and (module.room, other) not in NEIGHBOURS:
            yield f"imports {other}"


def imports_what_is_no_room(module: Module) -> Iterator[str]:
    """So that no import slips through the table above under another name."""
    for name in imported(module.tree):
        if name.startswith("inkdigits.") and module.room and name.split(".")[1] not in LEVELS:
            yield f"imports {name}"


def imports_more_than_errors_on_the_first_level(module: Module) -> Iterator[str]:
    if LEVELS[module.room] == 1:
        yield from (f"imports {room}" for room in rooms_imported(module) - {"errors"})


def prints_outside_the_command_line(module: Module) -> Iterator[str]:
    for node in nodes(module.tree):
        printing = isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
        streaming = isinstance(node, ast.Attribute) and ast.unparse(node) in (
            "sys.stdout",
            "sys.stderr",
            "sys.stdin",
        )
        if (printing or streaming) and module.room != "cli":
            yield ast.unparse(node)


def reads_a_clock_unasked(module: Module) -> Iterator[str]:
    if module.room == "lab":  # people wait for it, and it for them
        return
    used = {name.partition(".")[0] for name in imported(module.tree)}
    used &= {"time", "datetime", "timeit"}
    if module.name == "training.processes":  # waits, and reads nothing
        times = [n for n in nodes(module.tree) if isinstance(n, ast.Attribute)]
        asked = {ast.unparse(n) for n in times if ast.unparse(n.value) == "time"}
        yield from asked ^ {"time.sleep"}
    elif module.name != "training.run":
        yield from used
    else:  # as a default of an argument, and nowhere else
        defaults = {
            id(inner)
            for node in nodes(module.tree)
            if isinstance(node, ast.arguments)
            for default in (*node.defaults, *node.kw_defaults)
            if default is not None
            for inner in ast.walk(default)
        }
        names = [n for n in nodes(module.tree) if isinstance(n, ast.Name) and n.id == "time"]
        if used != {"time"} or len(names) != 1 or id(names[0]) not in defaults:
            yield f"names a clock {len(names)} times, of {sorted(used)}"


def draws_from_a_global_generator(module: Module) -> Iterator[str]:
    """All but the post's own default."""
    own = {"Generator", "Philox", "RandomState", "SeedSequence", "default_rng"}
    names = set(imported(module.tree))
    yield from {"random", "numpy.random"} & names
    if "secrets" in names and module.name != "files" and module.room != "lab":
        yield "secrets"  # it may name a temporary file, a run, a token: no result depends on them
    drawn = []
    for node in nodes(module.tree):
        seedless = isinstance(node, ast.Call) and not node.args
        if seedless and ast.unparse(node.func).endswith("default_rng"):
            yield "a generator without a seed"
        if isinstance(node, ast.Attribute) and node.attr not in own:
            drawn += [node.attr] * (ast.unparse(node.value) in ("np.random", "numpy.random"))
    if drawn != (["normal"] if module.name == "classic" else []):
        yield f"draws {drawn}"


LAWS = [
    imports_from_its_own_level_or_above,
    imports_what_is_no_room,
    imports_more_than_errors_on_the_first_level,
    prints_outside_the_command_line,
    reads_a_clock_unasked,
    draws_from_a_global_generator,
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_no_module(law: Law) -> None:
    assert [f"{module.name}: {what}" for module in modules() for what in law(module)] == []


def test_every_room_has_its_level() -> None:
    assert {module.room for module in modules()} == set(LEVELS)


def test_the_network_needs_numpy_alone() -> None:
    used = {
        name.partition(".")[0]
        for module in modules()
        if module.room == "network"
        for name in imported(module.tree)
    }
    assert used - set(sys.stdlib_module_names) == {"numpy", "inkdigits"}


def test_type_checkers_imports_do_not_count() -> None:
    tree = ast.parse(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from inkdigits.cli import run\n"
        "def f():\n    from inkdigits import plots\n    import inkdigits.training.loop\n"
    )
    assert rooms_imported(Module("reading.reader", tree)) == {"plots", "training"}


@pytest.mark.parametrize(
    ("law", "name", "code"),
    [
        (LAWS[0], "reading.reader", "from inkdigits.plots import save"),
        (LAWS[1], "reading.reader", "import inkdigits.utils"),
        (LAWS[2], "glyph", "import inkdigits.version"),
        (LAWS[3], "reading.reader", "print(1)"),
        (LAWS[3], "reading.reader", "import sys\nsys.stdout.write('')"),
        (LAWS[4], "reading.reader", "from time import perf_counter"),
        (LAWS[4], "training.run", "import time\ndef f(): return time.time()"),
        (LAWS[4], "training.processes", "import time\ntime.time()"),
        (LAWS[5], "reading.reader", "import numpy as np\nx = np.random.rand()"),
        (LAWS[5], "reading.reader", "import numpy as np\nx = np.random.default_rng()"),
        (LAWS[5], "reading.reader", "import random"),
        (LAWS[5], "reading.reader", "import secrets"),
    ],
)
def test_a_law_sees_what_it_forbids(law: Law, name: str, code: str) -> None:
    assert list(law(Module(name, ast.parse(code))))


# What an import costs


def loaded_by(program: str) -> set[str]:
    """The modules that a fresh Python holds after `program`, which prints nothing more."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys\nprint('§', *sys.modules)"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return set(done.stdout.rpartition("§")[2].split())


HEAVY = {"numpy", "matplotlib", "PIL", "cv2", "safetensors", "threadpoolctl"}
HEAVY |= {"fastapi", "pydantic", "starlette", "uvicorn"}


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not HEAVY & loaded_by("import inkdigits")


def test_help_loads_nothing_heavy() -> None:
    loaded = loaded_by("from inkdigits.cli import run\nassert run(['--help']) == 0")
    assert not HEAVY & loaded
    assert "rich" not in loaded  # it is for progress on a terminal


def test_the_help_of_a_command_loads_nothing_heavy() -> None:
    commands = ["train", "evaluate", "read", "show", "info", "lab"]
    assert not HEAVY & loaded_by(
        "from inkdigits.cli import run\n"
        f"for command in {commands}:\n    assert run([command, '--help']) == 0"
    )


def test_training_loads_neither_pictures_nor_plots() -> None:
    loaded = loaded_by("import inkdigits as ink\nink.train, ink.load, ink.Model")
    assert not {"matplotlib", "PIL", "cv2", "fastapi"} & loaded
    assert "numpy" in loaded
