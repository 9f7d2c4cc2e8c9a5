"""Changing the rows of a stored index, one batch after the other."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from objsearch.index import lance_root, lance_words
from objsearch.index.lance_rows import ROWS, WORDS, parts_tables, rows_table, words_table
from objsearch.index.lance_store import Record, Store
from objsearch.index.lance_thumbnails import THUMBNAILS, thumbnails_table
from objsearch.index.lance_view import View
from objsearch.index.lance_words import WordFinder, Words
from objsearch.index.lance_writer import Writer
from objsearch.types import Key, Row

ROWS_AT_ONCE = 500
"""Rows that become visible together; more than that are cut into batches."""

CLEANED = "cleaned"
"""The note of when old versions last went."""
CHANGES_UNCLEANED = 64

Known = dict[Key, tuple[int, int]]
"""Number and place of each row."""


class Editor:
    """Puts rows in, takes them out, and keeps what is derived from them up to date."""

    def __init__(
        self, store: Store, finder: WordFinder, flat_regions: int, wait_seconds: float
    ) -> None:
        self.store, self.finder = store, finder
        self.flat_regions, self.wait_seconds = flat_regions, wait_seconds
        self._lock = threading.Lock()
        self._known: tuple[int, Known] | None = None
        self._has_written = self._has_swept = self._has_cleaned = False

    @contextmanager
    def _writer(self) -> Iterator[Writer]:
        with self._lock, self.store.writing(self.wait_seconds) as record:
            if not self._has_swept:
                self.store.sweep()
                self._has_swept = True
            writer = Writer(self.store, record)
            if self.store.restored:
                # At once: what readers are told of must be the newest, which is never cleaned away.
                self._finish(writer)
            self._note_root(writer)
            yield writer

    def _note_root(self, writer: Writer) -> None:
        """Have the next change remember where the root lies by now."""
        root = self.store.root_of(writer.record)
        if os.path.isdir(root.folder):
            writer.note(lance_root.NOTE, root.note())

    def _rows_of(self, record: Record) -> Known:
        """Number and place of every row; read anew where another process wrote."""
        if self._known is None or self._known[0] != record.generation:
            view = View(self.store, record)
            where = zip(view.column("number"), view.column("place"), strict=True)
            self._known = record.generation, dict(zip(view.keys, where, strict=True))
        return self._known[1]

    def put(self, rows: Iterable[Row]) -> None:
        batch: dict[Key, Row] = {}
        for row in rows:
            batch[row.key] = row
            if len(batch) == ROWS_AT_ONCE:
                self._put(list(batch.values()))
                batch = {}
        if batch:
            self._put(list(batch.values()))

    def _put(self, batch: Sequence[Row]) -> None:
        words = [self.finder.words_in(row.image) for row in batch]
        with self._writer() as writer:
            known = self._rows_of(writer.record)
            first = writer.record.next_number
            numbered = [(first + i, row) for i, row in enumerate(batch)]
            places = [known[row.key][1] if row.key in known else n for n, row in numbered]
            tables = parts_tables(numbered)
            worded = [(first + i, own) for i, own in enumerate(words) if own is not None]
            if worded:
                self.finder.check(self.store, writer.record)
                writer.note(WORDS, self.finder.note)
                tables[WORDS] = words_table(worded, self.finder.vocabulary.n_words)
            tables[ROWS] = rows_table(numbered, places, self.store.root_of(writer.record))
            writer.delete([known[row.key][0] for row in batch if row.key in known])
            for name, table in tables.items():
                writer.append(name, table)
            writer.put_together()
            is_due = self._is_cleaning_due(writer)
            record = writer.finish(first + len(batch))
            if is_due:
                writer.clean()
            at = zip(batch, range(first, first + len(batch)), places, strict=True)
            known.update({row.key: (number, place) for row, number, place in at})
            self._known = record.generation, known
            self._has_written = True

    def _is_cleaning_due(self, writer: Writer) -> bool:
        """Whether old versions should go: many changes after they last did, once a process.

        Who only ever puts rows in has room given back, too.
        """
        now, last = writer.record.generation, writer.record.notes.get(CLEANED, 0)
        if self._has_cleaned or now - last < CHANGES_UNCLEANED:
            return False
        writer.note(CLEANED, now)
        self._has_cleaned = True
        return True

    def remove(self, keys: Iterable[Key]) -> int:
        gone = set(keys)
        with self._writer() as writer:
            known = self._rows_of(writer.record)
            there = gone & known.keys()
            if there:
                writer.delete(sorted(known[key][0] for key in there))
                record = writer.finish()
                for key in there:
                    del known[key]
                self._known = record.generation, known
                self._has_written = True
        return len(there)

    def keep_thumbnails(self, thumbnails: Mapping[Key, bytes]) -> None:
        """Those of rows that are there; the numbers of these stay as they are."""
        with self._writer() as writer:
            known = self._rows_of(writer.record)
            numbered = {known[key][0]: jpeg for key, jpeg in thumbnails.items() if key in known}
            if numbered:
                writer.append(THUMBNAILS, thumbnails_table(numbered))
                writer.put_together()
                self._finish(writer)

    def optimize(self) -> list[str]:
        """Indexes of vectors, and the inverted file, where they are due; what was done."""
        with self._writer() as writer:
            done = [f"index of '{name}'" for name in writer.index_vectors(self.flat_regions)]
            if done:
                self._finish(writer)
            if self._is_words_due(writer.record):
                self._save_words(writer)
                done.append("inverted file of words")
            writer.clean()
            lance_words.sweep(self.store, writer.record)
        return done

    def compact(self) -> int:
        """Few large files, without what was removed; versions go after a day. Bytes freed."""
        with self._writer() as writer:
            writer.put_together(always=True)
            self._finish(writer)
            freed = writer.clean()
            lance_words.sweep(self.store, writer.record)
        return freed

    def _finish(self, writer: Writer) -> None:
        """Publish a change that leaves the rows as they are."""
        record = writer.finish()
        if self._known is not None and self._known[0] == record.generation - 1:
            self._known = record.generation, self._known[1]

    def _is_words_due(self, record: Record) -> bool:
        if WORDS not in record.versions:
            return False
        view = View(self.store, record)
        return lance_words.is_due(self.store, record, view.numbers[view.is_described])

    def _save_words(self, writer: Writer) -> None:
        self.finder.check(self.store, writer.record)
        words = Words(View(self.store, writer.record), self.finder)
        name = f"{lance_words.FOLDER}-{writer.record.generation}"
        lance_words.saved(words, name)
        writer.note(lance_words.FOLDER, name)
        self._finish(writer)

    def due(self) -> list[str]:
        """What `optimize` would do now, in words."""
        record = self.store.read()
        writer = Writer(self.store, record)
        done = [f"index of '{name}'" for name in writer.vectors_due(self.flat_regions)]
        return [*done, *(["inverted file of words"] if self._is_words_due(record) else [])]

    def close(self) -> None:
        if self._has_written and self.due():
            self.optimize()
        self._has_written = False
