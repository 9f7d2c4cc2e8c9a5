"""Does a test fail when the code is wrong? Changes one place at a time and runs the room's tests.

A sample by a seed of the places that cosmic-ray's operators change, one change a place, in an order
that a time limit only cuts short: `python .ci/mutate.py --seed 1 --minutes 110`. The table goes to
standard output. Each process has a copy of the tree of its own; the checkout is never changed.

Of a room's tests those are run that come by the changed line, as coverage saw it; where that was
while a module was imported or something prepared, those that come by the module, and then all.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import coverage
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).resolve().parent.parent
CHANGED = ("objsearch", "tests", "benchmarks")
"""What a copy has of its own; the rest is linked."""
ROOMS: dict[str, tuple[str, ...]] = {
    "match": ("tests/match", "tests/contracts/test_matchers.py", "tests/search/test_comparing.py"),
    "rank": ("tests/rank",),
    "index": ("tests/index", "tests/contracts/test_indexes.py"),
    "search": ("tests/search", "tests/apps/cli/test_index.py"),
    "tasks/duplicates": (
        "tests/tasks/duplicates",
        "--ignore=tests/tasks/duplicates/test_applying.py",
    ),
    "tasks/removal": ("tests/tasks/removal", "tests/tasks/duplicates/test_applying.py"),
}
"""Packages below `objsearch`, and the tests that are run for a change in one."""
LEFT_OUT = ("VariableReplacer", "VariableInserter", "ZeroIterationForLoop")
"""Operators that want arguments, and one whose changes any test sees."""
OF_BITS = ("BitOr", "BitAnd", "BitXor", "LShift", "RShift")
"""In the place of arithmetic they are errors, which any test sees."""
PATIENCE = 4.0
"""Tests that take so many times as long as on unchanged code are taken to hang."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One operator at one place of a module; `line` as written, before and after."""

    room: str
    module: str
    number: int
    operator: str
    occurrence: int
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant: `killed`, `hung` or `survived`."""

    mutant: Mutant
    outcome: str


def mutants(room: str) -> list[Mutant]:
    """Every change of a room's modules, but for those of annotations and of decorators' options."""
    found = []
    for path in sorted((ROOT / "objsearch" / room).glob("*.py")):
        source = path.read_text(encoding="utf-8")
        unseen = _without_effect(source)
        nodes = list(ast_nodes(get_ast(source)))
        for name in operator_names():
            if name.endswith(LEFT_OUT) or _is_error(name):
                continue
            operator = get_operator(name)()
            places = (place for node in nodes for place in operator.mutation_positions(node))
            for occurrence, (start, _) in enumerate(places):
                if not any(first <= start < last for first, last in unseen):
                    module = path.relative_to(ROOT).as_posix()
                    found.append(Mutant(room, module, start[0], name, occurrence))
    return found


def _is_error(operator: str) -> bool:
    parts = operator.split("_")
    return "BinaryOperator" in parts[0] and parts[2] in OF_BITS and parts[1] not in OF_BITS


def _without_effect(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """From where to where nothing is run, or only what makes a class frozen, small or abstract."""
    spans: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.arg | ast.AnnAssign):
            spans.append(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            spans.append(node.returns)
            spans += [d for d in node.decorator_list if ast.unparse(d) == "abstractmethod"]
        elif isinstance(node, ast.ClassDef):
            spans += [k.value for d in node.decorator_list for k in getattr(d, "keywords", ())]
    return [
        # A decorator begins with its sign.
        ((one.lineno, one.col_offset - 1), (one.end_lineno or 0, one.end_col_offset or 0))
        for one in spans
        if one is not None
    ]


def sampled(rooms: Sequence[str], seed: int, size: int) -> list[Mutant]:
    """At most one change a line and kind of operator, rooms in turn as far as they reach."""
    dice = random.Random(seed)
    orders: list[list[Mutant]] = []
    for room in rooms:
        kinds: dict[tuple[str, int, str], list[Mutant]] = {}
        for one in mutants(room):
            # Replacing + by ten others asks one question ten times.
            kind = "_".join(one.operator.split("_")[:2])
            kinds.setdefault((one.module, one.number, kind), []).append(one)
        order = [dice.choice(kinds[kind]) for kind in sorted(kinds)]
        dice.shuffle(order)
        orders.append(order)
    # In proportion: a room of twice the places has twice the turns.
    turns = sorted(
        ((k + 0.5) / len(order), number, one)
        for number, order in enumerate(orders)
        for k, one in enumerate(order)
    )
    return [one for _, _, one in turns[:size]]


def copied(folder: Path) -> Path:
    """A tree whose code may be changed."""
    for path in ROOT.iterdir():
        if path.name in CHANGED:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(path, folder / path.name, ignore=ignored)
        elif path.name not in (".git", ".venv"):
            (folder / path.name).symlink_to(path)
    return folder


@dataclass(frozen=True, slots=True)
class Seen:
    """What a room's tests came by on unchanged code: tests by module and line; seconds taken."""

    lines: dict[str, dict[int, set[str]]]
    seconds: float

    def tests_of(self, mutant: Mutant) -> list[str]:
        """What has to pass for a mutant to survive, the tests named after its module first."""
        by_line = self.lines.get(mutant.module, {})
        found = by_line.get(mutant.number, {""})
        # What is done while a module is imported may be seen by any test.
        every = list(ROOMS[mutant.room]) if "" in found else []
        if every:
            found = set().union(*by_line.values())
        own = f"test_{Path(mutant.module).stem}.py"
        return [*sorted(found - {""}, key=lambda test: (own not in test, test)), *every]


def seen(tree: Path, room: str) -> Seen:
    """Run a room's tests on unchanged code, which they have to pass."""
    data, options = tree / f"seen-{room.replace('/', '-')}", tree / "coverage.ini"
    source = tree / "objsearch" / room
    options.write_text(
        f"[run]\ndynamic_context = test_function\nsource = {source}\ndata_file = {data}\n"
    )
    started = time.monotonic()
    if not passes(tree, ROOMS[room], None, ("coverage", "run", f"--rcfile={options}", "-m")):
        sys.exit(f"the tests of {room} fail on unchanged code: {' '.join(ROOMS[room])}")
    seconds = time.monotonic() - started
    print(f"{room}: {seconds:.0f} s", file=sys.stderr, flush=True)
    found = coverage.CoverageData(str(data))
    found.read()
    lines = {
        Path(name).relative_to(tree).as_posix(): {
            number: {_test(context) for context in contexts}
            for number, contexts in found.contexts_by_lineno(name).items()
        }
        for name in found.measured_files()
    }
    return Seen(lines, seconds)


def _test(context: str) -> str:
    """`tests.rank.test_fusion.test_by_hand` as pytest calls it; nothing of what is no test."""
    module, _, name = context.rpartition(".")
    return f"{module.replace('.', '/')}.py::{name}" if module.startswith("tests.") else ""


def passes(
    tree: Path, tests: Sequence[str], limit: float | None, under: Sequence[str] = ()
) -> bool | None:
    """Whether tests pass in a tree; None where they take too long."""
    # Bytecode is known by the second and size of its source: two mutants may share both.
    paths = [str(tree), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    words = ["-n", "0", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", *tests]
    # Nothing is read from it, and what it started goes with it: neither is ever waited for.
    with subprocess.Popen(
        [sys.executable, "-m", *under, "pytest", *words],
        cwd=tree, env=environment, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        try:
            return running.wait(limit) == 0
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            return None
        except BaseException:
            os.killpg(running.pid, signal.SIGKILL)
            raise


def tried(tree: Path, mutant: Mutant, known: Seen) -> Verdict | None:
    """Run the tests over one change; None where it changes nothing."""
    path = tree / mutant.module
    source = path.read_text(encoding="utf-8")
    changed = mutate_code(source, get_operator(mutant.operator)(), mutant.occurrence)
    if changed is None or changed == source:
        return None
    pairs = zip(source.splitlines(), changed.splitlines(), strict=False)
    before, after = next(((a, b) for a, b in pairs if a != b), ("", ""))
    path.write_text(changed, encoding="utf-8")
    try:
        passed = passes(tree, known.tests_of(mutant), 30 + PATIENCE * known.seconds)
    finally:
        path.write_text(source, encoding="utf-8")
    outcome = {True: "survived", False: "killed", None: "hung"}[passed]
    told = Mutant(*(getattr(mutant, name) for name in Mutant.__slots__[:5]), before, after)
    return Verdict(told, outcome)


def run(sample: Sequence[Mutant], processes: int, deadline: float) -> Iterator[Verdict]:
    """Verdicts in the order of the sample, until it ends or time is up."""
    with tempfile.TemporaryDirectory() as folder:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(processes):
            (made := Path(folder) / str(number)).mkdir()
            trees.put(copied(made))
        first = Path(folder) / "0"
        known = {room: seen(first, room) for room in sorted({one.room for one in sample})}

        def judge(mutant: Mutant) -> Verdict | None:
            if time.monotonic() > deadline:
                return None
            tree = trees.get()
            try:
                return tried(tree, mutant, known[mutant.room])
            finally:
                trees.put(tree)

        with ThreadPoolExecutor(processes) as pool:
            for verdict in pool.map(judge, sample):
                if verdict is not None:
                    print(verdict.outcome, verdict.mutant.module, verdict.mutant.number,
                          verdict.mutant.after.strip(), file=sys.stderr, flush=True)  # fmt: skip
                    yield verdict


def table(verdicts: Sequence[Verdict]) -> str:
    """Markdown: a row a room, then what survived."""
    lines = ["| room | mutants | killed | hung | survived |", "|---|---:|---:|---:|---:|"]
    for room in (*ROOMS, "all"):
        own = [one.outcome for one in verdicts if room in (one.mutant.room, "all")]
        counts = " | ".join(str(own.count(what)) for what in ("killed", "hung", "survived"))
        lines.append(f"| {room} | {len(own)} | {counts} |")
    lines += ["", "| survived | before | after |", "|---|---|---|"]
    for one in (verdict.mutant for verdict in verdicts if verdict.outcome == "survived"):
        before, after = (text.strip().replace("|", "\\|") for text in (one.before, one.after))
        lines.append(f"| {one.module}:{one.number} | `{before}` | `{after}` |")
    return "\n".join(lines)


def main() -> None:
    """Parse, sample, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", type=int, default=400, help="mutants at most")
    parser.add_argument("--minutes", type=float, default=110.0, help="begin none after so long")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--room", action="append", choices=ROOMS, help="these alone")
    given = parser.parse_args()
    deadline = time.monotonic() + 60 * given.minutes
    sample = sampled(given.room or list(ROOMS), given.seed, given.sample)
    verdicts = list(run(sample, given.processes, deadline))
    print(table(verdicts))


if __name__ == "__main__":
    main()
