"""Files -> candidates: one look at all that have the same bytes, unless it is remembered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from objsearch.errors import UnreadableImageError
from objsearch.flow import Progress, batches, counted, ordered_map
from objsearch.tasks.duplicates.describing import Look, Views, Whole, by_bytes_alone, whole_of
from objsearch.tasks.duplicates.folders import File, place_of
from objsearch.tasks.duplicates.keeping import Candidate
from objsearch.tasks.duplicates.linking import Pictures
from objsearch.tasks.duplicates.remembering import AT_ONCE, Memory
from objsearch.tasks.duplicates.rows import look_of, row_of_look
from objsearch.types import DescribedImage, ImageRef, Unreadable

Seen = Look | Whole | Unreadable
Asked = tuple[list[File], DescribedImage | None]
"""Files of the same bytes, and the row that is known of them."""


@dataclass(slots=True)
class Looking:
    """First looks at files; what they show is numbered in `pictures`.

    `n_remembered` counts names of files of which nothing had to be read.
    """

    views: Views
    pictures: Pictures
    memory: Memory
    progress: Progress
    warnings: list[str] = field(default_factory=list)
    as_a_whole: list[str] = field(default_factory=list)
    n_remembered: int = 0

    def candidates(self, files: Sequence[File], skipped: dict[str, str]) -> Iterator[Candidate]:
        """Every readable file with its size and the number of its picture; fills `skipped`."""
        classes: dict[str, list[File]] = {}
        for file in files:
            classes.setdefault(file.sha256 or file.path, []).append(file)
        every = list(classes.values())
        workers = self.views.settings.run.n_workers
        looked_at = ordered_map(self._looked_at, self._with_rows(every), workers=workers)
        told = counted(looked_at, "look", self.progress, len(every))
        for same, (result, is_known) in zip(every, told, strict=True):
            self._note(same, result, is_known)
            if isinstance(result, Unreadable):
                skipped.update((name, result.reason) for file in same for name in file.names)
                continue
            size_wh, number = self._numbered(result, same[0])
            yield from (Candidate(file, size_wh, number) for file in same)
        self.memory.looks.write()  # comparing takes long, and may be killed

    def _with_rows(self, every: Sequence[list[File]]) -> Iterator[Asked]:
        for some in batches(every, AT_ONCE):
            known = self.memory.looked_at([file for same in some for file in same])
            for same in some:
                yield same, next((known[file.path] for file in same if file.path in known), None)

    def _looked_at(self, asked: Asked) -> tuple[Seen, bool]:
        """What is seen of files of the same bytes, and whether that was known."""
        same, row = asked
        file, is_alone = same[0], len(same) == 1
        if file.unread:
            return Unreadable(ImageRef(file.path), file.unread), True
        known = look_of(row, self.views, file.path, is_alone=is_alone) if row is not None else None
        return (self._look(file, is_alone), False) if known is None else (known, True)

    def _look(self, file: File, is_alone: bool) -> Seen:
        """One picture of a file; all of it where no one picture stands for it."""
        try:
            if by_bytes_alone(file, self.views.settings):
                return whole_of(file, self.views, is_alone=is_alone)
            return self.views.look(file)
        except (UnreadableImageError, OSError):
            return self.views.look(file)  # which says why

    def _note(self, same: Sequence[File], seen: Seen, is_known: bool) -> None:
        for file in same:
            self.memory.note_look(file, _row_of(file, seen, same[0].path))
            self.n_remembered += len(file.names) if is_known and file.is_remembered else 0

    def _numbered(self, result: Look | Whole, file: File) -> tuple[tuple[int, int], int]:
        if isinstance(result, Whole):
            self.as_a_whole.append(file.path)
            return result.size_wh, self.pictures.add_opaque(file, result.samples)
        self.warnings += [f"{place_of(file).ref}: {warning}" for warning in result.warnings]
        return result.size_wh, self.pictures.add(result, file)


def _row_of(file: File, seen: Seen, looked_at: str) -> DescribedImage | Unreadable:
    return seen if isinstance(seen, Unreadable) else row_of_look(file, seen, looked_at)
