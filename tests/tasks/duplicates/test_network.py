"""Copies of copies are tried, with where they lead to; a chain alone makes no copy."""

from __future__ import annotations

import threading

import numpy as np

from objsearch.tasks.duplicates.likeness import Likeness, Means, Transform
from objsearch.tasks.duplicates.network import Network, Task


def shift(dx: float) -> Transform:
    return np.array([[1.0, 0, dx], [0, 1, 0], [0, 0, 1]])


def network(calls: list[tuple[int, int, list[float]]], *, believes_hints: bool) -> Network:
    """Pictures on a line, one pixel apart; neighbours are alike, others only if led to."""

    def judge(task: Task) -> Likeness | None:
        (i, j), _, hints = task
        calls.append((i, j, [float(hint[0, 2]) for hint in hints]))
        is_alike = j - i == 1 or (believes_hints and len(hints) > 0)
        return Likeness(0.9, transform=shift(j - i)) if is_alike else None

    return Network(judge, lambda i, j: True)


def test_a_pair_that_was_tried_is_tried_again_where_another_leads() -> None:
    calls: list[tuple[int, int, list[float]]] = []
    found = network(calls, believes_hints=True)
    found.verify([[(0, 1), (0, 2), (1, 2)]])
    assert found.alike(0, 2) is None
    found.explore([2])
    assert found.copies(2) == {0, 1}
    assert calls[3:] == [(0, 2, [2.0])]
    back = found.alike(2, 0)
    assert back is not None and back.transform is not None and back.transform[0, 2] == -2


def test_what_is_led_to_in_vain_is_not_tried_for_ever() -> None:
    calls: list[tuple[int, int, list[float]]] = []
    found = network(calls, believes_hints=False)
    found.verify([[(0, 1), (1, 2)]])
    for _ in range(2):
        found.explore([0])
        assert found.copies(0) == {1}
    assert calls[2:] == [(0, 2, [2.0])]


def test_what_is_together_waits_until_it_is_asked_for() -> None:
    calls: list[tuple[int, int, list[float]]] = []
    found = network(calls, believes_hints=False)
    found.verify([[(0, 1), (1, 2)], [(0, 2), (2, 3)], [(0, 3), (1, 3)]])
    assert [call[:2] for call in calls] == [(0, 1), (1, 2), (2, 3)]
    found.explore([0])
    assert found.copies(0) == {1}  # no chain: 2 is like 1 only
    waited = [(0, 2, []), (0, 3, []), (1, 3, [])]
    assert [call for call in calls[3:] if not call[2]] == waited


def test_those_that_are_explored_side_by_side_find_what_one_after_the_other_do() -> None:
    pairs = [(0, 1), (1, 2), (4, 5), (5, 6)]
    one_by_one, at_once = (network([], believes_hints=True) for _ in range(2))
    for found in (one_by_one, at_once):
        found.verify([pairs])
    firsts = at_once.firsts([6, 3, 2, 1, 0, 4, 5])
    assert firsts == [6, 2]  # 3 is alone
    at_once.explore(firsts)
    for i in firsts:
        one_by_one.explore([i])
    assert [at_once.copies(i) for i in (2, 6)] == [{0, 1}, {4, 5}]
    assert [one_by_one.copies(i) for i in (2, 6)] == [{0, 1}, {4, 5}]


def test_a_few_tasks_are_shared_among_the_threads() -> None:
    meeting = threading.Barrier(4, timeout=10)

    def judge(_: Task) -> None:
        meeting.wait()  # raises unless four are judged at once

    Network(judge, lambda i, j: True, workers=4).verify([[(0, 1), (2, 3), (4, 5), (6, 7)]])


def test_frames_that_were_taken_for_granted_are_compared_when_asked_for() -> None:
    calls: list[tuple[int, int, list[float]]] = []
    found = network(calls, believes_hints=False)
    found.verify([[(0, 1), (1, 2)], [(2, 3)], [(0, 3)]], by="frames")
    assert (0, 3) not in [call[:2] for call in calls]
    found.explore([0])
    assert (0, 3, []) in calls


def test_a_task_that_two_pictures_lead_to_is_judged_once() -> None:
    calls: list[tuple[int, int, list[float]]] = []
    found = network(calls, believes_hints=False)
    found.verify([[(0, 1), (1, 2)], [(0, 2)]])
    found.explore([0, 2])
    assert len(calls) == len({(i, j, bool(hints)) for i, j, hints in calls})


def test_frames_that_were_no_copies_do_not_wait() -> None:
    calls: list[tuple[int, int, list[float]]] = []
    found = network(calls, believes_hints=False)
    found.verify([[(0, 1), (0, 3)]], by="frames")
    found.explore([0])
    assert [call[:2] for call in calls] == [(0, 1), (0, 3)]


def test_of_what_is_together_the_first_of_each_kind_leads() -> None:
    found = network([], believes_hints=False)
    found.verify([[(0, 1), (1, 2), (4, 5)]])
    assert found.leaders([2, 5, 4, 3, 1, 0], "xxxxxx") == [2, 3, 5]
    assert found.leaders([2, 5, 4, 3, 1, 0], "yxxxxx") == [0, 2, 3, 5]


def test_each_means_is_tried_once() -> None:
    tasks: list[Task] = []
    found = Network(tasks.append, lambda i, j: True)
    told: list[tuple[int, int | None]] = []
    looks: tuple[Means, ...] = ("frames", "keypoints", "keypoints", "mirror")
    for by in looks:
        found.verify([[(0, 1)], [(1, 2)]], lambda _, done, total: told.append((done, total)), by=by)
    assert [task.by for task in tasks] == [by for by in looks[:1] + looks[2:] for _ in range(2)]
    assert told == [(1, 2), (2, 2)] * 3
