"""No module over 300 lines and no function over 40: `python .ci/sizes.py` names those that are.

Signature and docstring of a command line's function declare its options, and do not count.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

MOST_OF_A_MODULE = 300
MOST_OF_A_FUNCTION = 40

PACKAGE = Path(__file__).resolve().parent.parent / "objsearch"


def too_long(package: Path) -> Iterator[tuple[str, str]]:
    """Each module and function that is: its name, and its length in words."""
    for path in sorted(package.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(package.parent).as_posix()
        n_lines = len(text.splitlines())
        if n_lines > MOST_OF_A_MODULE:
            yield name, f"{n_lines} lines, over {MOST_OF_A_MODULE}"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                n_lines = length_of(node, is_command_line="apps/cli/" in name)
                if n_lines > MOST_OF_A_FUNCTION:
                    yield f"{name}: {node.name}", f"{n_lines} lines, over {MOST_OF_A_FUNCTION}"


def length_of(node: ast.FunctionDef | ast.AsyncFunctionDef, *, is_command_line: bool) -> int:
    """Lines of a function; of a command line's, those after its docstring."""
    last = node.end_lineno or node.lineno
    if not is_command_line:
        return last - node.lineno + 1
    declared = node.body[0].end_lineno if ast.get_docstring(node) else node.body[0].lineno - 1
    return last - (declared or node.lineno)


def main(package: Path) -> int:
    """Print what is too long; 1 when there is any."""
    wrong = [f"{name}: {told}" for name, told in too_long(package)]
    print("\n".join(wrong) or "no module and no function is too long")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGE))
