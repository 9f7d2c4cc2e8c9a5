from __future__ import annotations

import numpy as np
import pytest

from objsearch.signing.bits import bits_wanted, chance_of, percentage_of
from objsearch.signing.password import Key
from objsearch.signing.pixel import full_vote, quick_vote, sign_samples
from objsearch.types import Pixels


def test_the_percentage_is_0_at_chance_and_100_when_intact() -> None:
    assert percentage_of(128) == 0.0
    assert percentage_of(256) == 100.0
    assert percentage_of(100) == 0.0
    assert percentage_of(224) == 75.0
    assert bits_wanted(75.0) == 224
    assert chance_of(75.0) < 1e-30
    assert chance_of(0.0) == 1.0


def test_signed_samples_read_100_and_change_by_one_at_most(
    hard_pictures: dict[str, Pixels], key: Key
) -> None:
    for picture in hard_pictures.values():
        signed = sign_samples(picture, key)
        assert full_vote(signed, key).percentage == 100.0
        assert quick_vote(signed, key, 75.0).percentage == 100.0
        assert np.abs(signed.astype(int) - picture).max() <= 1
        assert (signed >> 1 == picture >> 1).all()


def test_signing_twice_changes_nothing_more(toys: Pixels, key: Key) -> None:
    once = sign_samples(toys, key)
    assert (sign_samples(once, key) == once).all()


def test_wrong_keys_and_unsigned_pictures_read_about_0(
    hard_pictures: dict[str, Pixels], toys: Pixels, key: Key, wrong_keys: list[Key]
) -> None:
    signed = sign_samples(toys, key)
    read = [full_vote(signed, wrong).percentage for wrong in wrong_keys]
    read += [full_vote(picture, key).percentage for picture in hard_pictures.values()]
    assert np.mean(read) < 5.0
    assert max(read) < 30.0


def test_the_quick_test_agrees_with_the_full_one_and_reads_less(
    toys: Pixels, key: Key, wrong_keys: list[Key]
) -> None:
    signed = sign_samples(toys, key)
    found = quick_vote(signed, key, 75.0)
    assert found.percentage == 100.0
    assert not found.is_full
    assert found.part_read < 0.02
    for wrong in wrong_keys[:10]:
        missed = quick_vote(signed, wrong, 75.0)
        assert missed.percentage < 75.0
        assert missed.part_read < 0.5


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_picture_changed_in_part_keeps_its_signature_by_vote(
    toys: Pixels, key: Key, part: float
) -> None:
    signed = sign_samples(toys, key)
    rows = round(len(signed) * part)
    rng = np.random.default_rng(5)
    signed[:rows] = rng.integers(0, 256, signed[:rows].shape, dtype=np.uint8)
    assert full_vote(signed, key).percentage >= 75.0


def test_noise_in_every_lowest_bit_takes_the_signature_away(toys: Pixels, key: Key) -> None:
    signed = sign_samples(toys, key)
    noise = np.random.default_rng(6).integers(0, 2, signed.shape, dtype=np.uint8)
    assert full_vote(signed ^ noise, key).percentage < 30.0


def test_cropped_pictures_are_others(toys: Pixels, key: Key) -> None:
    signed = sign_samples(toys, key)
    assert full_vote(signed[1:, 1:], key).percentage < 30.0


def test_the_bits_are_told_apart(toys: Pixels, key: Key, wrong_keys: list[Key]) -> None:
    """Signed for one key and then for another, a picture carries the last."""
    twice = sign_samples(sign_samples(toys, wrong_keys[0]), key)
    assert full_vote(twice, key).percentage == 100.0
    assert full_vote(twice, wrong_keys[0]).percentage < 30.0
