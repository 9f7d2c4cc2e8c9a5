"""What is made once, and given up when there is too much of it."""

from __future__ import annotations

from objsearch.tasks.duplicates.recent import Recent


def test_what_was_asked_for_last_stays_recent() -> None:
    made: list[str] = []

    def make(key: str) -> str | None:
        made.append(key)
        return None if key == "none" else key

    recent = Recent[str, str](len, 6)
    for key in ("one", "two", "one", "three", "one", "two"):
        assert recent.get(key, make) == key
    # The second and the third are not at hand together with the first, nor the third with another.
    assert made == ["one", "two", "three", "one", "two"]
    assert [recent.get("none", make) for _ in range(2)] == [None, None]
    assert made[5:] == ["none", "none"]
    assert recent.get("too long", make) == "too long"
    assert recent.get("one", make) == "one" and made[-1] == "one"
