"""Raw similarities -> probabilities."""

from __future__ import annotations

import errno
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objsearch.errors import ConfigError
from objsearch.match.calibration import (
    Calibration,
    Examples,
    bordered,
    evidence,
    fit,
    load,
    save,
)

TRUE = Calibration(intercept=-4.0, coefficients={"a": 6.0, "b": 1.5})


def sample(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels drawn from the known model, as many same as different."""
    rng = np.random.default_rng(seed)
    features = np.stack([rng.random(n), rng.random(n) * 2], axis=1)
    p = [TRUE.probability({"a": a, "b": b}) for a, b in features]
    labels = rng.random(n) < p
    return features, labels


def examples(features: np.ndarray, labels: np.ndarray) -> Examples:
    """Labelled pairs of one source."""
    return Examples(features, labels, np.zeros(len(labels), int))


def test_a_probability_by_hand() -> None:
    assert TRUE.probability({}) == pytest.approx(1 / (1 + math.exp(4)))
    assert TRUE.probability({"a": 0.5, "b": 1.0}) == pytest.approx(1 / (1 + math.exp(-0.5)))
    assert TRUE.probability({"a": 0.5, "b": 1.0, "unknown": 9.0}) == TRUE.probability(
        {"a": 0.5, "b": 1.0}
    )


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_probabilities_stay_in_0_to_1_whatever_comes(a: float, b: float) -> None:
    p = TRUE.probability({"a": a, "b": b})
    assert 0.0 <= p <= 1.0
    assert TRUE.probability({"a": a + 1, "b": b}) >= p


def test_arrays_give_what_single_numbers_give() -> None:
    features, _ = sample(50)
    many = TRUE.probabilities({"a": features[:, 0], "b": features[:, 1]})
    assert many == pytest.approx([TRUE.probability({"a": a, "b": b}) for a, b in features])
    alone = TRUE.probabilities({"a": features[:, 0]})
    assert alone == pytest.approx([TRUE.probability({"a": a}) for a, _ in features])


BOUNDED = Calibration(intercept=-8.0, coefficients={"a": 17.0, "b": 1.7}, least={"a": 0.3})


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 6), st.floats(0, 6))
def test_more_alike_and_better_proven_is_never_less_probable(
    a: float, other: float, b: float, another: float
) -> None:
    def probability(alike: float, proof: float) -> float:
        return BOUNDED.probability({"a": alike, "b": proof})

    assert probability(min(a, other), b) <= probability(max(a, other), b)
    assert probability(a, min(b, another)) <= probability(a, max(b, another))


def test_an_unlike_look_does_not_outweigh_keypoints_further_than_was_seen() -> None:
    plain = Calibration(intercept=-8.0, coefficients=BOUNDED.coefficients)
    proven = {"a": 0.0, "b": 3.3}
    assert plain.probability(proven) < 0.1
    assert BOUNDED.probability(proven) > 0.5
    for same in ({"a": 0.0}, {"a": 0.4}, {"a": 0.8, "b": 3.3}):
        assert BOUNDED.probability(same) == pytest.approx(plain.probability(same), abs=1e-3)
    arrays = {name: np.array([value]) for name, value in proven.items()}
    assert BOUNDED.probabilities(arrays) == pytest.approx([BOUNDED.probability(proven)])
    assert BOUNDED.probabilities({"b": np.array([3.3])}) == pytest.approx(
        [BOUNDED.probability({"b": 3.3})]
    )


def test_a_fit_bounds_whole_similarities_beside_others_and_nothing_else(tmp_path: Path) -> None:
    features, labels = sample(2_000)
    assert not fit(examples(features, labels), ["a", "b"], "made").least
    assert not fit(examples(features[:, :1], labels), ["a"], "made", whole=["a"]).least
    found = fit(examples(features, labels), ["a", "b"], "made", whole=["a"])
    assert set(found.least) == {"a"}
    assert (features[labels, 0] < found.least["a"]).mean() == pytest.approx(0.02, abs=0.005)
    save(found, tmp_path / "a+b.yaml")
    assert load(str(tmp_path / "a+b.yaml")) == found


def test_a_fit_recovers_the_model_that_made_the_labels() -> None:
    features, labels = sample(20_000)
    found = fit(examples(features, labels), ["a", "b"], "made")
    assert found.coefficients["a"] == pytest.approx(6.0, rel=0.1)
    assert found.coefficients["b"] == pytest.approx(1.5, rel=0.1)
    # Both classes weigh the same, which moves the intercept by the log of their odds.
    odds = math.log(labels.mean() / (1 - labels.mean()))
    assert found.intercept + odds == pytest.approx(-4.0, rel=0.1)
    assert found.fitted_on == "made"


def test_both_classes_weigh_the_same() -> None:
    features, labels = sample(4000)
    few = np.flatnonzero(labels)[:200]
    kept = np.concatenate([few, np.flatnonzero(~labels)])
    all_of_them = fit(examples(features, labels), ["a", "b"], "")
    fewer = fit(examples(features[kept], labels[kept]), ["a", "b"], "")
    middle = {"a": 0.5, "b": 1.0}
    assert fewer.probability(middle) == pytest.approx(all_of_them.probability(middle), abs=0.1)


def test_every_source_weighs_the_same_within_its_class() -> None:
    labels = np.array([True, True, True, True, False, False])
    source = np.array([0, 0, 0, 1, 0, 0])
    weights = Examples(np.zeros((6, 1)), labels, source).weights()
    assert weights == pytest.approx([1 / 12, 1 / 12, 1 / 12, 1 / 4, 1 / 4, 1 / 4])


def test_more_alike_never_means_less_probable() -> None:
    features, labels = sample(2000)
    mixed = np.stack([features[:, 0], -features[:, 1]], axis=1)
    turned = fit(examples(mixed, labels), ["a", "b"], "")
    assert turned.coefficients["b"] == 0.0
    assert turned.coefficients["a"] > 0


def test_constant_features_and_separable_labels_fit_finitely() -> None:
    features = np.stack([np.linspace(0, 1, 40), np.zeros(40)], axis=1)
    found = fit(examples(features, features[:, 0] > 0.5), ["a", "b"], "")
    assert all(map(math.isfinite, [found.intercept, *found.coefficients.values()]))
    assert found.coefficients["a"] < 100  # without the ridge it grows for ever
    assert found.probability({"a": 1.0}) > 0.9
    assert found.probability({"a": 0.0}) < 0.1


def test_evidence_grows_with_inliers() -> None:
    assert evidence(0) == 0.0
    assert evidence(9) == pytest.approx(math.log(10))


def test_saved_calibrations_read_back(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    save(TRUE, path)
    assert load(str(path)) == TRUE
    with pytest.raises(ConfigError, match="no calibration for 'nothing\\+here'"):
        load("nothing+here")


def test_a_calibration_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "folder.yaml"
    folder.mkdir()
    with pytest.raises(ConfigError, match=r"folder\.yaml"):
        load(str(folder))
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ConfigError, match=r"binary\.yaml"):
        load(str(binary))


TAIL = "tail: {logits: [-1, %s], rates: [1, 0.1], same: 0.1, n_pairs: 1000}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("intercept: .nan\ncoefficients: {a: 1}", "intercept: input should be a finite number"),
        ("intercept: 1\ncoefficients: {a: .inf}", "coefficients.a: input should be a finite"),
        ("intercept: 1\ncoefficients: {a: -1}", "coefficients.a: .* greater than or equal to 0"),
        (f"intercept: 1\ncoefficients: {{a: 1}}\n{TAIL % '.nan'}", "tail.logits.1: .*finite"),
        (
            "intercept: 1\ncoefficients: {a: 1}\nleast: {b: 1}",
            "least and most bound 'b', which has no",
        ),
        (
            "intercept: 1\ncoefficients: {a: 1}\nmost: {b: 1}",
            "least and most bound 'b', which has no",
        ),
        ("", "it holds no keys with their values; make one with 'objsearch calibrate'"),
        ("- 1", "it holds no keys with their values"),
        ("[" * 2000, ".*recursion"),
    ],
)
def test_a_calibration_with_bad_values_is_refused(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=rf"own\.yaml: not a calibration \({told}"):
        load(str(path))


def test_where_a_calibration_was_looked_for_is_told_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load("gone.yaml")
    assert str(Path.cwd() / "gone.yaml") in str(caught.value)


def test_a_calibration_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.yaml"
    save(TRUE, path)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(TRUE.model_copy(update={"intercept": 9.0}), path)
    assert load(str(path)) == TRUE
    assert [found.name for found in tmp_path.iterdir()] == ["own.yaml"]


PAGES = Calibration(intercept=-7.0, coefficients={"a": 14.0, "b": 1.5}, least={"a": 0.3})


def test_beyond_the_border_more_alike_says_nothing_more() -> None:
    bounded = PAGES.model_copy(update={"most": {"a": 0.5}})
    assert PAGES.probability({"a": 0.92}) > 0.99
    assert bounded.probability({"a": 0.92}) == pytest.approx(0.5, abs=0.01)
    assert bounded.probability({"a": 0.92, "b": evidence(40)}) > 0.99
    assert bounded.probability({"a": 0.2}) == pytest.approx(PAGES.probability({"a": 0.2}), abs=0.01)
    alike = [bounded.probability({"a": value}) for value in (0.5, 0.6, 0.7, 0.8)]
    assert alike == sorted(alike) and len(set(alike)) == 4, "their order is kept"


def test_pages_that_look_alike_draw_the_border() -> None:
    rng = np.random.default_rng(0)
    n = 200
    same = np.stack([rng.normal(0.6, 0.08, n), np.where(rng.random(n) < 0.6, 3.5, 0)], axis=1)
    other = np.stack([rng.normal(0.3, 0.08, n), np.zeros(n)], axis=1)
    pages = np.stack([rng.normal(0.88, 0.04, n), np.zeros(n)], axis=1)
    labels = np.array([True] * n + [False] * 2 * n)
    source = np.array([0] * 2 * n + [1] * n)
    given = Examples(np.vstack([same, other, pages]), labels, source)
    found = bordered(PAGES, given, ["a", "b"], ["a"])
    assert 0.4 <= found.most["a"] <= 0.65
    assert found.probability({"a": 0.9}) < 0.9 < PAGES.probability({"a": 0.9})
    photos = Examples(given.features[: 2 * n], labels[: 2 * n], source[: 2 * n])
    assert bordered(PAGES, photos, ["a", "b"], ["a"]).most["a"] > 0.7, "photos ask for none"


def test_borders_are_kept_in_the_file(tmp_path: Path) -> None:
    bounded = PAGES.model_copy(update={"most": {"a": 0.5}})
    save(bounded, tmp_path / "own.yaml")
    assert load(str(tmp_path / "own.yaml")) == bounded


def test_only_equal_pixels_score_1() -> None:
    steep = Calibration(intercept=0.0, coefficients={"a": 1000.0})
    assert 0.999 < steep.probability({"a": 1.0}) < 1.0
    assert 0.999 < steep.probabilities({"a": np.array([1.0])})[0] < 1.0
