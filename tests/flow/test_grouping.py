"""Batches that span groups: order, sizes, bounds and the first mistake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objsearch.flow import map_groups

Group = tuple[int, Sequence[int]]


def squares(batch: list[int]) -> list[int]:
    return [n * n for n in batch]


def numbered(sizes: Sequence[int]) -> list[Group]:
    """Groups of so many items each, no two items alike."""
    items = iter(range(sum(sizes)))
    return [(number, [next(items) for _ in range(n)]) for number, n in enumerate(sizes)]


@given(
    st.lists(st.integers(0, 9), max_size=30),
    st.integers(1, 12),
    st.integers(1, 8),
)
def test_every_group_gets_its_results_in_order_however_they_are_cut(
    sizes: list[int], size: int, most: int
) -> None:
    batches: list[int] = []

    def noted(batch: list[int]) -> list[int]:
        batches.append(len(batch))
        return squares(batch)

    groups = numbered(sizes)
    found = list(map_groups(noted, groups, size=size, most=most))
    assert found == [(number, squares(list(items))) for number, items in groups]
    assert sum(batches) == sum(sizes)
    assert all(0 < n <= size for n in batches)


def test_batches_are_full_but_the_last_where_enough_groups_may_wait() -> None:
    batches: list[list[int]] = []

    def noted(batch: list[int]) -> list[int]:
        batches.append(batch)
        return squares(batch)

    list(map_groups(noted, numbered([3, 1, 0, 4, 7, 2]), size=4, most=9))
    assert [len(batch) for batch in batches] == [4, 4, 4, 4, 1]
    assert [n for batch in batches for n in batch] == list(range(17))


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("most", [1, 5])
def test_no_more_groups_wait_than_may(size: int, most: int) -> None:
    taken = 0

    def endless() -> Iterator[Group]:
        nonlocal taken
        while True:
            taken += 1
            yield taken, [taken] * (taken % 3)

    results = map_groups(squares, endless(), size=size, most=most)
    for given_back in range(1, 40):
        assert next(results)[0] == given_back
        assert taken - given_back < most


def test_groups_without_items_wait_their_turn_and_no_longer() -> None:
    taken: list[int] = []

    def groups() -> Iterator[Group]:
        for number, n in enumerate([0, 0, 2, 0, 0]):
            taken.append(number)
            yield number, [1] * n

    results = map_groups(squares, groups(), size=9, most=9)
    assert next(results) == (0, []) and taken == [0]
    assert [number for number, _ in results] == [1, 2, 3, 4]


def test_a_mistake_of_a_batch_is_raised_in_the_place_of_its_first_group() -> None:
    def fails_at_7(batch: list[int]) -> list[int]:
        if 7 in batch:
            raise ValueError("seven")
        return squares(batch)

    groups = numbered([2, 2, 3, 4, 5])  # batches: 0-3, 4-7; 4 is the first of group 2
    results = map_groups(fails_at_7, groups, size=4, most=9)
    got = []
    with pytest.raises(ValueError, match="seven"):
        for number, _ in results:
            got.append(number)
    assert got == [0, 1]


def test_a_mistake_of_the_source_comes_after_all_that_came_before_it() -> None:
    def groups() -> Iterator[Group]:
        yield from numbered([2, 1])
        raise KeyError("third")

    results = map_groups(squares, groups(), size=100, most=100)
    assert [next(results), next(results)] == [(0, [0, 1]), (1, [4])]
    with pytest.raises(KeyError, match="third"):
        next(results)


def test_results_for_a_batch_must_be_as_many_as_its_items() -> None:
    with pytest.raises(ValueError, match="1 results for a batch of 2"):
        list(map_groups(lambda batch: batch[:1], [(0, [1, 2])], size=4, most=4))


def test_not_asked_for_more_it_does_no_more_and_ends_the_source() -> None:
    worked: list[int] = []
    ended = []

    def groups() -> Iterator[Group]:
        try:
            for number in range(1000):
                yield number, [number]
        finally:
            ended.append(True)

    def noted(batch: list[int]) -> list[int]:
        worked.extend(batch)
        return squares(batch)

    results = map_groups(noted, groups(), size=2, most=4)
    assert next(results) == (0, [0])
    results.close()  # type: ignore[attr-defined]
    del results
    assert worked == [0, 1] and ended == [True]
