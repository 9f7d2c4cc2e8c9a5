"""How a command reads its words: options by their former names, lists that take all that follow."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from typer.core import TyperCommand

from objsearch.errors import UsageError

FORMER: Mapping[str, Mapping[str, str]] = {
    "calibrate": {"--write": "--out"},
    "larger": {"--html": "--report"},
    "screen": {"--html": "--report"},
    "sign": {"--overwrite": "--force"},
}
"""What options were called once, by command. These names still work, with a hint."""

PATH_LISTS = frozenset(
    {
        *("--in", "--not", "--reference", "--against", "--block", "--examples"),
        *("--distractors", "--trust", "--files-from"),
    }
)
"""Options of names, of which a shell may make many: `--in photos/*.jpg`."""

_GLOBS = frozenset({"--include", "--exclude"})


class Command(TyperCommand):
    """A command whose `--in a.jpg b.jpg c.jpg` is `--in a.jpg --in b.jpg --in c.jpg`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        words = list(_by_new_names(args, FORMER.get(self.name or "", {})))
        options = {
            name: param for param in self.params for name in param.opts if name.startswith("-")
        }
        takes = {name: not getattr(param, "is_flag", False) for name, param in options.items()}
        return super().parse_args(ctx, _Spreader(takes, words).spread())


def _by_new_names(args: Sequence[str], former: Mapping[str, str]) -> Iterator[str]:
    is_over = False
    for word in args:
        is_over = is_over or word == "--"
        name, equals, value = word.partition("=")
        if name in former and not is_over:
            print(f"hint: {name} is called {former[name]} now", file=sys.stderr)
            yield former[name] + equals + value
        else:
            yield word


def _is_option(word: str) -> bool:
    return word.startswith("-") and word != "-"


@dataclass(slots=True)
class _Spreader:
    """Gives each name of a list its own option. `takes` says which options take a value."""

    takes: Mapping[str, bool]
    words: Sequence[str]

    def spread(self) -> list[str]:
        """The words as a parser of options wants them. Raises UsageError where it is not clear."""
        words: list[str] = []
        at, n_positional = 0, 0
        while at < len(self.words) and self.words[at] != "--":
            word = self.words[at]
            words.append(word)
            at += 1
            if not _is_option(word):
                n_positional += 1
            elif self.takes.get(word) and at < len(self.words):
                words.append(self.words[at])
                at += 1
                more = self._more(word, at, n_positional)
                words += [part for name in more for part in (word, name)]
                at += len(more)
        return [*words, *self.words[at:]]

    def _more(self, option: str, at: int, n_positional: int) -> Sequence[str]:
        """The further names of a list; none where they are a command's own."""
        end = at
        while end < len(self.words) and not _is_option(self.words[end]):
            end += 1
        names = self.words[at:end]
        if option in _GLOBS and names:
            _check_unexpanded(option, self.words[at - 1], names[0])
        if option not in PATH_LISTS or not names:
            return ()
        if n_positional:
            return names
        if len(names) > 1:
            raise UsageError(
                f"which of the {len(names) + 1} names after {option} belong to it? Put the others "
                f"before {option}, which takes all that follow it"
            )
        return ()


def _check_unexpanded(option: str, value: str, name: str) -> None:
    if not glob.has_magic(value) and os.path.isfile(value) and os.path.isfile(name):
        raise UsageError(
            f"{option} was given names of files, '{value}', '{name}', …: put the pattern into "
            f"quotes, such as {option} '*.png', so that the shell leaves it alone"
        )
