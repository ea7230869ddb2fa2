"""The house: who may import whom, who prints, who reads a clock, and what an import costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
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


def modules() -> list[Module]:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Module(name, ast.parse(path.read_text(encoding="utf-8"))))
    return found


MODULES = modules()
each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name or "top")


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


def test_every_room_has_its_level() -> None:
    assert {module.room for module in MODULES} == set(LEVELS)


@each_module
def test_a_room_imports_from_lower_levels_alone(module: Module) -> None:
    for other in rooms_imported(module):
        lower = LEVELS[other] < LEVELS[module.room]
        assert lower or (module.room, other) in NEIGHBOURS, f"{module.name} imports {other}"


@each_module
def test_what_is_imported_from_inkdigits_is_a_room(module: Module) -> None:
    # So that no import slips through the table above under another name.
    for name in imported(module.tree):
        if name.startswith("inkdigits.") and module.room:
            assert name.split(".")[1] in LEVELS, f"{module.name} imports {name}"


@pytest.mark.parametrize("room", ["dataset", "files", "glyph", "network", "sheet"])
def test_the_first_level_imports_errors_alone(room: str) -> None:
    for module in MODULES:
        if module.room == room:
            assert rooms_imported(module) <= {"errors"}


def test_the_network_needs_numpy_alone() -> None:
    used = {
        name.partition(".")[0]
        for module in MODULES
        if module.room == "network"
        for name in imported(module.tree)
    }
    assert used - set(sys.stdlib_module_names) == {"numpy", "inkdigits"}


@each_module
def test_only_the_command_line_prints(module: Module) -> None:
    for node in nodes(module.tree):
        printing = isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
        streaming = isinstance(node, ast.Attribute) and ast.unparse(node) in (
            "sys.stdout",
            "sys.stderr",
            "sys.stdin",
        )
        if printing or streaming:
            assert module.room == "cli", ast.unparse(node)


@each_module
def test_nothing_reads_a_clock_but_where_its_arguments_say_so(module: Module) -> None:
    clocks = {"time", "datetime", "timeit"}
    used = {name.partition(".")[0] for name in imported(module.tree)} & clocks
    if module.name == "training.processes":  # waits, and reads nothing
        times = [n for n in nodes(module.tree) if isinstance(n, ast.Attribute)]
        assert {ast.unparse(n) for n in times if ast.unparse(n.value) == "time"} == {"time.sleep"}
        return
    if module.room == "lab":  # people wait for it, and it for them
        return
    if module.name != "training.run":
        assert not used
        return
    assert used == {"time"}
    defaults = {
        id(inner)
        for node in nodes(module.tree)
        if isinstance(node, ast.arguments)
        for default in (*node.defaults, *node.kw_defaults)
        if default is not None
        for inner in ast.walk(default)
    }
    readings = [
        node for node in nodes(module.tree) if isinstance(node, ast.Name) and node.id == "time"
    ]
    assert len(readings) == 1
    assert id(readings[0]) in defaults


@each_module
def test_nothing_draws_from_a_global_generator_but_the_posts_own_default(module: Module) -> None:
    own = {"Generator", "Philox", "RandomState", "SeedSequence", "default_rng"}
    assert not {"random", "numpy.random"} & set(imported(module.tree))
    if "secrets" in set(imported(module.tree)):
        # Names a temporary file, a run, a token: no result depends on them.
        assert module.name == "files" or module.room == "lab"
    drawn = []
    for node in nodes(module.tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in (
            "np.random",
            "numpy.random",
        ):
            if node.attr not in own:
                drawn.append(node.attr)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("default_rng"):
            assert node.args, "a generator without a seed"
    assert drawn == (["normal"] if module.name == "classic" else [])


def test_these_laws_see_what_they_forbid() -> None:
    tree = ast.parse(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from inkdigits.cli import run\n"
        "def f():\n    from inkdigits import plots\n    import inkdigits.training.loop\n"
    )
    assert rooms_imported(Module("reading.reader", tree)) == {"plots", "training"}
    for law, code in (
        (test_a_room_imports_from_lower_levels_alone, "from inkdigits.plots import save"),
        (test_what_is_imported_from_inkdigits_is_a_room, "import inkdigits.utils"),
        (test_only_the_command_line_prints, "print(1)"),
        (test_only_the_command_line_prints, "import sys\nsys.stdout.write('')"),
        (
            test_nothing_reads_a_clock_but_where_its_arguments_say_so,
            "from time import perf_counter",
        ),
        (
            test_nothing_draws_from_a_global_generator_but_the_posts_own_default,
            "import numpy as np\nx = np.random.rand()",
        ),
        (
            test_nothing_draws_from_a_global_generator_but_the_posts_own_default,
            "import numpy as np\nx = np.random.default_rng()",
        ),
    ):
        with pytest.raises(AssertionError):
            law(Module("reading.reader", ast.parse(code)))
    law = test_nothing_reads_a_clock_but_where_its_arguments_say_so
    with pytest.raises(AssertionError):
        law(Module("training.run", ast.parse("import time\ndef f(): return time.time()")))


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


@pytest.mark.parametrize("command", ["train", "evaluate", "read", "show", "info", "lab"])
def test_the_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    assert not HEAVY & loaded_by(
        f"from inkdigits.cli import run\nassert run(['{command}', '--help']) == 0"
    )


def test_training_loads_neither_pictures_nor_plots() -> None:
    loaded = loaded_by("import inkdigits as ink\nink.train, ink.load, ink.Model")
    assert not {"matplotlib", "PIL", "cv2", "fastapi"} & loaded
    assert "numpy" in loaded
