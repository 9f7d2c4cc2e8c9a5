"""The folder of a stored index: datasets, and the file that says which versions belong together.

    index.json     recipe, schema, and the version of each dataset: replaced in one step
    rows.lance     ... and the other datasets, see `lance_rows`
    writer.lock    held by whoever writes; writer.txt says who that is
    sums.json      whether files hold what was written, see `lance_sums`

A batch adds versions to several datasets and then replaces `index.json`. Readers open the versions
that it names, so they see all of a batch or nothing of it. What a writer left that was killed
before is undone by the next one. Raises UsageError for a folder that cannot be used.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from objsearch.components.telemetry import keep_quiet
from objsearch.errors import LostIndexError, MissingDependencyError, UsageError
from objsearch.files import write_own
from objsearch.index import lance_root
from objsearch.index.lance_root import Root
from objsearch.types import Recipe

if TYPE_CHECKING:
    import lance

SCHEMA = 2
"""Raised when what is stored changes; `read` refuses what is newer."""
OLDEST = 1
"""The oldest schema that is read as it is: `read` has what is older built anew."""

RECORD, LOCK, HOLDER, SUMS = "index.json", "writer.lock", "writer.txt", "sums.json"
ENDING = ".lance"
INDEX_CACHE_BYTES, METADATA_CACHE_BYTES = 128 << 20, 64 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """What `index.json` says."""

    recipe: Recipe
    generation: int = 0
    next_number: int = 0
    versions: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What was used beside the recipe: `words`, the vocabulary and whose keypoints; `root`."""


def engine() -> Any:
    """The module `lance`, told not to chat. Raises MissingDependencyError."""
    keep_quiet()
    try:
        import lance
    except ImportError:
        raise MissingDependencyError(
            "a stored index needs Lance: pip install pylance (there is none for Macs with Intel "
            "processors; the index 'visual-words' needs none, and keeps nothing)"
        ) from None
    return lance


class Store:
    """One folder, read by anyone, or its owner alone (`is_private`); written under `writing`."""

    def __init__(
        self, folder: str, recipe: Recipe, root: str | None = None, *, is_private: bool = False
    ) -> None:
        lance = engine()
        self.folder = os.path.abspath(os.path.expanduser(folder))
        self._recipe = recipe
        self._mode = 0o700 if is_private else 0o777
        self._given = None if root is None else lance_root.given_root(root, self.folder)
        self._root: Root | None = None
        self._session = lance.Session(INDEX_CACHE_BYTES, METADATA_CACHE_BYTES)
        self.restored: set[str] = set()
        """Datasets of which something was undone, and that not yet seen to the disk."""
        self.read()

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def read(self) -> Record:
        """What the folder holds now; an empty record for a new one."""
        try:
            with open(self.path(RECORD), encoding="utf-8") as stream:
                data = json.load(stream)
            return self._checked(data)
        except FileNotFoundError:
            return self._new()
        except (KeyError, TypeError, AttributeError, ValueError):
            raise self.damaged(f"{RECORD} is none of an index") from None
        except OSError as error:
            raise UsageError(f"cannot read the index '{self.folder}': {error.strerror}") from None

    def _checked(self, data: Mapping[str, Any]) -> Record:
        schema = int(data["schema"])
        if schema > SCHEMA:
            raise UsageError(
                f"the index '{self.folder}' was made by a newer objsearch (its schema is {schema}, "
                f"and this one reads up to {SCHEMA}): update objsearch"
            )
        if schema < OLDEST:
            raise LostIndexError.of(
                self.folder,
                f"the index '{self.folder}' was made by an older objsearch (its schema is "
                f"{schema}, and this one reads from {OLDEST} on)",
            )
        recipe = Recipe(dict(data["recipe"]))
        if difference := self._recipe.difference(recipe):
            raise UsageError(
                f"the index '{self.folder}' was made otherwise: {difference}; search it with the "
                "settings that it was made with, or build it anew (index build --anew)"
            )
        versions = {str(name): int(version) for name, version in data["versions"].items()}
        if any(os.path.basename(name) != name for name in versions):  # it leads out of the folder
            raise ValueError("no name of a dataset")
        numbers = int(data["generation"]), int(data["next_number"])
        record = Record(recipe, *numbers, versions, dict(data["notes"]))
        if lance_root.NOTE in record.notes:
            str(record.notes[lance_root.NOTE]["folder"])  # a record without is none of ours
        elif self._given is not None:
            raise UsageError(
                f"the index '{self.folder}' has no root, it knows files by their whole paths: "
                "build another with one"
            )
        return record

    def root_of(self, record: Record) -> Root:
        """Where the root of what a record names lies; looked for once."""
        if lance_root.NOTE not in record.notes:
            return Root()
        if self._root is None:
            keys = partial(self._some_keys, record)
            noted = record.notes[lance_root.NOTE]
            self._root = self._given or lance_root.root_of(noted, self.folder, keys)
        return self._root

    def _some_keys(self, record: Record) -> list[str]:
        if "rows" not in record.versions:
            return []
        with self.reading("rows"):
            rows = self.dataset("rows", record.versions["rows"])
            n_rows = rows.count_rows()
            every = max(1, n_rows // lance_root.TRIED)
            table = rows.take(list(range(0, n_rows, every)), columns=["key"])
        return [os.fsdecode(key) for key in table["key"].to_pylist()]

    def _new(self) -> Record:
        try:
            there = set(os.listdir(self.folder))
        except FileNotFoundError:
            there = set()
        except OSError as error:
            raise UsageError(f"cannot read the index '{self.folder}': {error.strerror}") from None
        if f"rows{ENDING}" in there:
            raise self.damaged(f"it has no {RECORD}")
        ours = (LOCK, HOLDER, SUMS, f"{RECORD}.")
        if others := sorted(name for name in there if not name.startswith(ours)):
            raise UsageError(f"'{self.folder}' is no index: it holds '{others[0]}'")
        given = self._given
        return Record(self._recipe, notes={lance_root.NOTE: given.note()} if given else {})

    def damaged(self, reason: str) -> LostIndexError:
        """What to raise for a folder that cannot be read as it should."""
        return LostIndexError.of(self.folder, f"the index '{self.folder}' is damaged ({reason})")

    def dataset(self, name: str, version: int | None = None) -> lance.LanceDataset:
        """A dataset at a version, or at its newest."""
        path = self.path(name + ENDING)
        try:
            opened: lance.LanceDataset = engine().dataset(
                path, version=version, session=self._session
            )
            return opened
        except (ValueError, OSError) as error:
            raise self.damaged(f"'{name}{ENDING}' does not open: {_short(error)}") from None

    @contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """Says that the folder is damaged where a dataset cannot be read, or makes no sense."""
        try:
            yield
        except (ValueError, OSError, TypeError, LookupError) as error:
            raise self.damaged(f"'{name}{ENDING}' cannot be read: {_short(error)}") from None

    def publish(self, record: Record) -> Record:
        """Let readers see what a record names, and see that to the disk."""
        record = replace(record, generation=record.generation + 1)
        data = {
            "schema": SCHEMA,
            "recipe": dict(record.recipe.options),
            "generation": record.generation,
            "next_number": record.next_number,
            "versions": dict(record.versions),
            "notes": dict(record.notes),
        }
        write_own(self.path(RECORD), json.dumps(data, indent=1) + "\n")
        return record

    @contextmanager
    def writing(self, seconds: float) -> Iterator[Record]:
        """Nobody else writes meanwhile; gives what the folder holds, with leftovers undone.

        Raises UsageError that names who holds the folder after so many seconds.
        """
        from filelock import FileLock, Timeout

        try:
            os.makedirs(self.folder, self._mode, exist_ok=True)
            lock = FileLock(self.path(LOCK))
            lock.acquire(timeout=seconds)
        except Timeout:
            raise UsageError(
                f"the index '{self.folder}' is being written to by {self._holder()}"
            ) from None
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            write_own(self.path(HOLDER), f"process {os.getpid()} on {_host()}")
            record = self.read()
            if not os.path.exists(self.path(RECORD)):
                record = self.publish(record)
            yield self._recovered(record)
        except OSError as error:
            raise self._unwritable(error) from error
        finally:
            lock.release()

    def _unwritable(self, error: OSError) -> UsageError:
        reason = error.strerror or _short(error)
        return UsageError(f"cannot write to the index '{self.folder}': {reason}")

    def _holder(self) -> str:
        try:
            with open(self.path(HOLDER), encoding="utf-8") as stream:
                return stream.read(200) or "another process"
        except (OSError, ValueError):
            return "another process"

    def _recovered(self, record: Record) -> Record:
        """Undo what was written and never published."""
        versions = dict(record.versions)
        for entry in os.listdir(self.folder):
            name = entry.removesuffix(ENDING)
            if entry != name and name not in versions:
                shutil.rmtree(self.path(entry))
        for name, version in record.versions.items():
            newest = self.dataset(name)
            if newest.version != version:
                back = self.dataset(name, version)
                back.restore()  # type: ignore[no-untyped-call]
                versions[name] = back.version
                self.restored.add(name)
        return replace(record, versions=versions)

    def sweep(self) -> None:
        """Delete what killed writers left in the middle of a file. For the writer alone."""
        left = [
            os.path.join(folder, name)
            for folder, _, names in os.walk(self.folder)
            for name in names
            if name.startswith(".tmp") or (folder == self.folder and name.endswith(".part"))
        ]
        for path in left:
            os.unlink(path)


def _host() -> str:
    import socket

    return socket.gethostname()


def _short(error: BaseException) -> str:
    """The first words of an engine's message, without the places in its source."""
    return str(error).splitlines()[0].split(", /")[0][:160] if str(error) else type(error).__name__
