from __future__ import annotations

import copy
import logging
import pickle
from pathlib import Path

import numpy as np
import pytest

from objsearch.errors import UsageError
from objsearch.signing import Wanted
from objsearch.signing.password import (
    ENVIRONMENT,
    Key,
    Password,
    password_from_environment,
    password_from_file,
)

SECRET = "hush-hush"


def test_four_characters_are_enough_and_three_are_not() -> None:
    Password("four")
    with pytest.raises(UsageError, match="4 characters") as refused:
        Password("abc")
    assert "abc" not in str(refused.value)


def test_a_password_shows_itself_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    password = Password(SECRET)
    wanted = Wanted(password=password)
    texts = [repr(password), str(password), f"{password}", repr(wanted), repr(wanted.settings(()))]
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").info("%s %r", password, password.key)
    texts += [caplog.text, repr(password.key)]
    assert not any(SECRET in text for text in texts)
    assert all(not hasattr(one, "__dict__") for one in (password, password.key))
    for store in (pickle.dumps, copy.deepcopy, copy.copy):
        with pytest.raises(TypeError, match="not to be stored"):
            store(password)


def test_the_key_is_that_of_the_normal_form_and_is_derived_once() -> None:
    one, other = Password("caf\u00e9 1"), Password("cafe\u0301 1")
    assert one.key is one.key
    assert bytes(one.key.stream("x", 32)) == bytes(other.key.stream("x", 32))


def test_streams_are_fixed_for_all_time_and_differ_by_label() -> None:
    key = Key(bytes(32))
    # SHAKE-256 of 32 zero bytes and "a": a signature of today must be found tomorrow.
    assert bytes(key.stream("a", 4)).hex() == "e893105a"
    assert bytes(key.stream("b", 4)) != bytes(key.stream("a", 4))
    assert sorted(key.order("n", 100)) == list(range(100))
    assert set(np.unique(key.bits("n", 100))) == {0, 1}


def test_the_key_of_a_password_is_fixed_for_all_time(password: Password) -> None:
    assert bytes(password.key.stream("known", 4)).hex() == "91727553"


def test_a_file_holds_one_line(tmp_path: Path) -> None:
    path = tmp_path / "password.txt"
    path.write_bytes(f"{SECRET}\r\n".encode())
    assert password_from_file(path)._text == SECRET.encode()
    for content, why in ((b"one\ntwo\n", "more than one line"), (b"\xff\xfe\xff", "not UTF-8")):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=why):
            password_from_file(path)
    with pytest.raises(UsageError, match="cannot read"):
        password_from_file(tmp_path / "none.txt")


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    assert password_from_environment() is None
    monkeypatch.setenv(ENVIRONMENT, SECRET)
    assert password_from_environment() is not None
