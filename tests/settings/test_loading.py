"""YAML -> settings: what loads, and the sentence for what does not."""

from __future__ import annotations

import copy
import json
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from objsearch.errors import ConfigError, ObjSearchError
from objsearch.match.calibration import Calibration, save
from objsearch.match.fallback import fallback
from objsearch.settings import Settings, dump_yaml, json_schema, load_settings, preset_names

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a settings file."""

    def written(text: str | bytes) -> Path:
        path = tmp_path / "mine.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


def sentence_of(path: Path) -> str:
    """What loading says, without the folder."""
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    text = str(caught.value)
    assert "\n" not in text
    return text.replace(str(path.parent) + os.sep, "")


MISTAKES = [
    ("serch: {}\n", "mine.yaml, line 1: unknown key 'serch'; did you mean 'search'?"),
    (
        "run: {workers: 2}\nsearch:\n  top: 3\n  treshold: 0.3\n",
        "mine.yaml, line 4: unknown key 'search.treshold'; did you mean 'threshold'?",
    ),
    ("search:\n  threshold: 3\n", "line 2: search.threshold: .*less than or equal to 1, not 3"),
    ("search:\n  top: 0\n", "line 2: search.top: .*greater than or equal to 1, not 0"),
    ("search:\n  top: three\n", "line 2: search.top: .*integer.*'three'"),
    ("search:\n  threshold: .nan\n", "line 2: search.threshold: .*nan"),
    ("search: 3\n", "line 1: search: .*not 3"),
    ("search:\n  fusion: maximum\n", "line 2: search.fusion: .*'max'.*not 'maximum'"),
    ("detector: yolol\n", "line 1: detector: no 'yolol' in detect; did you mean 'yolo'.*known"),
    (
        "detector:\n  name: yolo\n  max_object: 3\n",
        "line 3: unknown key 'detector.max_object'; did you mean 'max_objects'?",
    ),
    ("detector: {name: yolo, image_size: 100}\n", "line 1: detector.image_size: .*32, not 100"),
    ("detector: {name: given-boxes}\n", "line 1: detector.boxes_xywh: .*required"),
    ("detector: {max_objects: 3}\n", "line 1: detector: .*needs a 'name'"),
    ("detector: 3\n", "line 1: detector: .*not 3"),
    ("detector:\n", "line 1: detector: .*not None"),
    ("index: memry\n", "line 1: index: no 'memry' in index; did you mean 'memory'"),
    (
        "descriptors:\n- extractor: embedding\n- extractor:\n    name: orb\n    n_point: 9\n",
        "line 5: unknown key 'descriptors.1.extractor.n_point'; did you mean 'n_points'?",
    ),
    ("descriptors:\n- extractor: orbb\n", "line 2: descriptors.0.extractor: .*'orb'"),
    (
        "descriptors:\n- extractor: orb\n  matchr: cosine\n",
        "line 3: unknown key 'descriptors.0.matchr'; did you mean 'matcher'?",
    ),
    (
        "descriptors:\n- extractor: orb\n  matcher: cosine\n",
        "line 2: descriptors.0: the matcher 'cosine' does not fit the extractor 'orb'.*ratio-test",
    ),
    (
        "descriptors:\n- extractor: orb\n  matcher: {name: ratio-test, ration: 0.5}\n",
        "line 3: unknown key 'descriptors.0.matcher.ration'; did you mean 'ratio'?",
    ),
    ("descriptors:\n- matcher: cosine\n", "line 2: descriptors.0.extractor: .*required"),
    ("descriptors: []\n", "line 1: descriptors: input should have at least 1 in its list"),
    ("descriptors: orb\n", "line 1: descriptors: input should be a list, not 'orb'"),
    ("search: [1]\n", r"line 1: search: input should be keys with their values, not \[1\]"),
    ("geometry: 3\n", "line 1: geometry: input should be keys with their values, not 3"),
    ("SEARCH: {top: 1}\n", "line 1: unknown key 'SEARCH'; did you mean 'search'?"),
    ("search:\n  top: true\n", "line 2: search.top: input should be a number, not true"),
    ("search: {weights: [1, yes]}\n", "line 1: search.weights.1: .* a number, not true"),
    (
        "detector: {name: yolo, confidence: no}\n",
        "line 1: detector.confidence: input should be a number, not false",
    ),
    (
        "descriptors:\n- extractor: {name: orb, first_threshold: on}\n",
        "line 2: descriptors.0.extractor.first_threshold: .* a number, not true",
    ),
    (
        "descriptors:\n- extractor: orb\n- extractor: orb\n",
        "line 1: descriptors: two descriptors are kept under 'orb'",
    ),
    ("geometry:\n  models: [homograpy]\n", "line 2: geometry.models.0: .*not 'homograpy'$"),
    ("input: {background: [1, 2, 300]}\n", "line 1: input.background.2: .*255, not 300"),
    ("a: 1\nb: 2\na: 3\n", "line 3: 'a' is given twice"),
    ("search:\n  top: 1\n  top: 2\n", "line 3: 'top' is given twice"),
    ("descriptors:\n- extractor: orb\n  extractor: sift\n", "line 3: 'extractor' is given twice"),
    ("[1, 2]\n", "a mapping of keys, not a list"),
    ("just words\n", "a mapping of keys, not a str"),
    ("x: [\n", "line 2: not YAML"),
    ("search: {top: 3}\n---\nsearch: {top: 2}\n", "line 2: not YAML .*another document"),
    ("a: !!python/object:os.system x\n", "line 1: not YAML"),
    ("? [a, b]\n: c\n", "line 1: a key is a word, not a list"),
    ("a: &a [*a]\n", "not YAML"),
    ("a: 2024-99-99\n", "line 1: not YAML .*month"),
    ("1: 2\n", "line 1: a key is a word, not 1"),
    (
        "search:\n  where: {changed_from: yesterday}\n",
        "line 2: search.where.changed_from: input should be a day such as .*, not 'yesterday'",
    ),
    ("search: {where: {changed_to: 2024-02-28 10:00}}\n", "input should be a day such as 2024"),
    (b"\xff\xfe\x00", "not a text file in UTF-8"),
    (b"a: \x00\n", "not YAML"),
]


@pytest.mark.parametrize(("text", "expected"), MISTAKES, ids=[str(t)[:40] for t, _ in MISTAKES])
def test_a_mistake_is_named_with_its_place(write: Write, text: str | bytes, expected: str) -> None:
    said = sentence_of(write(text))
    assert said.startswith("mine.yaml")
    assert re.search(expected.replace("'?", r"'\?") if expected.endswith("?") else expected, said)
    assert "and 1 more" not in said


def test_further_mistakes_are_counted(write: Write) -> None:
    said = sentence_of(write("search: {tip: 1, treshold: 2}\nrun: {wrkers: 1}\n"))
    assert said.startswith("mine.yaml, line 1: unknown key 'search.tip'")
    assert said.endswith("(and 2 more)")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read the settings '.*gone\.yaml': No such file"):
        load_settings(tmp_path / "gone.yaml")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(ConfigError, match="Is a directory"):
        load_settings(tmp_path / "folder.yaml")


def test_an_unknown_preset_is_told_with_the_nearest_and_all() -> None:
    with pytest.raises(ConfigError, match="'defalt'; did you mean 'default'") as caught:
        load_settings("defalt")
    assert all(name in str(caught.value) for name in preset_names())


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "{}\n"])
def test_an_empty_file_is_the_default(write: Write, text: str) -> None:
    assert load_settings(write(text)) == load_settings({}) == Settings()


def test_a_file_says_only_what_differs(write: Write) -> None:
    loaded = load_settings(write("search: {top: 3}\ndetector: whole-image\n"))
    assert loaded.search.top == 3
    assert loaded.detector.name == "whole-image"
    expected = Settings().model_copy(update={"search": loaded.search, "detector": loaded.detector})
    assert loaded == expected


def test_the_default_matcher_fits(write: Write) -> None:
    text = "descriptors: [{extractor: embedding}, {extractor: sift, matcher: null}]\n"
    channels = load_settings(write(text)).descriptors
    assert [c.matcher.name for c in channels if c.matcher] == ["cosine", "ratio-test"]


def test_overrides_by_dotted_key() -> None:
    given = {"search": {"top": 3}, "detector": "yolo"}
    before = copy.deepcopy(given)
    changes = {"search.threshold": 0.7, "detector.max_objects": 4, "geometry.mirrored": True}
    loaded = load_settings(given, changes)
    assert given == before
    assert loaded.search.top == 3
    assert loaded.search.threshold == 0.7
    assert loaded.detector.spec()["max_objects"] == 4
    assert loaded.geometry.mirrored
    assert load_settings({}, {"detector.max_objects": 4}).detector.name == "yolo"
    assert load_settings({}, {"detector": "grid", "search.top": None}).detector.name == "grid"


@pytest.mark.parametrize("key", ["search.top.x", "SEARCH.top", ".search", "search..top"])
def test_a_key_that_an_override_made_is_not_the_files(write: Write, key: str) -> None:
    with pytest.raises(ConfigError, match=f"^--set {re.escape(key)}: ") as told:
        load_settings(write("search: {threshold: 0.3}\n"), {key: 3}, {key: f"--set {key}"})
    assert "mine.yaml" not in str(told.value)


@pytest.mark.parametrize(
    "change",
    [
        {"search.treshold": 0.3},
        {"search.top": "three"},
        {"search.top.x": 3},
        {"search": 3},
        {"extractor.n_points": 5},
        {"matcher": 5},
        {"descriptors.extractor.n_points": 5},
        {"descriptors.0.extractor.n_points": 5},
        {"detector.max_object": 5},
        {"": 3},
        {"search..top": 3},
        {".": 3},
    ],
    ids=str,
)
def test_an_override_that_does_not_fit_is_told(change: dict[str, Any]) -> None:
    for preset in ("default", "fast"):
        with pytest.raises(ConfigError):
            load_settings(preset, change)


@pytest.mark.parametrize("preset", preset_names())
def test_settings_are_loaded_from_settings(preset: str) -> None:
    """As a notebook has them: loaded, looked at, and one thing changed."""
    loaded = load_settings(preset)
    before = loaded.model_dump()
    assert load_settings(loaded) == loaded
    changed = load_settings(loaded, {"search.top": 7, "detector": "grid"})
    assert (changed.search.top, changed.detector.name) == (7, "grid")
    assert changed.descriptors == loaded.descriptors
    assert loaded.model_dump() == before


def test_settings_are_frozen_and_refuse_unknown_keys() -> None:
    settings = Settings()
    with pytest.raises(ValueError):
        settings.search.top = 3  # type: ignore[misc]
    with pytest.raises(ValueError):
        Settings(serch={})  # type: ignore[call-arg]


def test_answers_name_all_settings_but_the_workers_and_other_tasks() -> None:
    said = Settings().answer_settings()
    left_out = {"run", "description", "thumbnails", "duplicates", "larger", "signing"}
    assert set(said) == set(Settings.model_fields) - left_out
    assert json.loads(json.dumps(said)) == said
    assert load_settings(said) == Settings()


def test_the_auto_calibration_is_named_after_the_extractors() -> None:
    one = load_settings({"descriptors": [{"extractor": "orb"}, {"extractor": "embedding"}]})
    other = load_settings({"descriptors": [{"extractor": "embedding"}, {"extractor": "orb"}]})
    assert one.calibration_name == other.calibration_name == "embedding+orb"
    assert load_settings({"calibration": "own.yaml"}).calibration_name == "own.yaml"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "no calibration for"),
        ("intercept: 1\n", "not a calibration"),
        ("intercept: 1\ncoefficients: {orb: 1}\nslope: 2\n", "not a calibration"),
        ("x: [\n", "not a calibration"),
        ("", "not a calibration"),
    ],
)
def test_a_calibration_that_does_not_load_is_told(
    tmp_path: Path, text: str | None, expected: str
) -> None:
    path = tmp_path / "own.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=expected) as caught:
        load_settings({"calibration": str(path)}).load_calibration()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_extractors_that_nobody_fitted_have_the_stated_fallback() -> None:
    settings = load_settings(
        {"descriptors": [{"extractor": "sift"}, {"extractor": "perceptual-hash"}]}
    )
    found = settings.load_calibration()
    assert found.is_fallback
    assert found == fallback({"sift": "local-real", "perceptual-hash": "binary"})
    assert not load_settings("default").load_calibration().is_fallback


def test_a_file_fitted_for_other_descriptors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    save(Calibration(intercept=1.0, coefficients={"embedding": 1.0}), path)
    two = [{"extractor": "embedding"}, {"extractor": "embedding", "alias": "plain"}]
    settings = load_settings({"descriptors": two, "calibration": str(path)})
    with pytest.raises(ConfigError, match=r"made for embedding, .* by embedding and plain; make"):
        settings.load_calibration()


def test_a_descriptor_has_an_alias_by_default_the_extractors_name() -> None:
    two = [{"extractor": "orb"}, {"extractor": {"name": "orb", "n_points": 90}, "alias": "few-1"}]
    loaded = load_settings({"descriptors": two})
    assert [channel.alias for channel in loaded.descriptors] == ["orb", "few-1"]
    assert load_settings(loaded.model_dump(mode="json")) == loaded
    for preset in preset_names():
        for channel in load_settings(preset).descriptors:
            assert channel.alias == channel.extractor.name


@pytest.mark.parametrize("alias", ["", "Plain", "two words", "a.b", "-a", "a--b", "a/b", "plain\n"])
def test_a_bad_alias_is_told_in_a_sentence_and_by_the_schema(write: Write, alias: str) -> None:
    text = f"descriptors:\n- extractor: orb\n- {{extractor: sift, alias: {json.dumps(alias)}}}\n"
    said = sentence_of(write(text))
    assert "line 3: descriptors.1.alias:" in said and "is no alias: take lower-case" in said
    told = json_schema()["$defs"]["Channel"]["properties"]["alias"]
    assert "default" not in told
    pattern = told["pattern"]
    assert not re.fullmatch(pattern.removesuffix("$"), alias)
    assert re.search(pattern, "plain-2")


def test_every_setting_says_what_it_is() -> None:
    schema = json_schema()
    for name, part in schema["$defs"].items():
        for key, option in part.get("properties", {}).items():
            known = {"description", "const", "$ref"} & set(option)
            assert known, f"{name}.{key} has no description"


def test_the_schema_is_sound_and_refuses_what_loading_refuses() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = ["{}", "detector: grid", "descriptors: [{extractor: {name: orb, n_points: 99}}]"]
    bad = [
        *("serch: {}", "search: {threshold: 3}", "detector: yolol", "search: {tip: 3}"),
        *("detector: {name: yolo, max_object: 3}", "descriptors: []", "detector: {levels: 3}"),
        "descriptors: [{extractor: {name: orb, n_point: 99}}]",
    ]
    assert all(validator.is_valid(yaml.safe_load(text)) for text in good)
    assert not any(validator.is_valid(yaml.safe_load(text)) for text in bad)
    for text in bad:
        with pytest.raises(ObjSearchError):
            load_settings(yaml.safe_load(text))


def test_dumped_settings_keep_words_of_every_language(write: Write) -> None:
    settings = load_settings({"description": "чашка: «да» #1", "input": {"exclude": ["*.tmp"]}})
    assert "чашка" in dump_yaml(settings)
    assert load_settings(write(dump_yaml(settings))) == settings


def test_a_path_leads_to_a_file_of_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").write_text("search: {top: 7}")
    assert load_settings(tmp_path / "mine").search.top == 7
    monkeypatch.chdir(tmp_path)
    assert load_settings(Path("mine")).search.top == 7
    with pytest.raises(ConfigError, match="no preset 'mine'"):  # a text names a preset
        load_settings("mine")
    with pytest.raises(ConfigError, match=r"cannot read the settings '\.': Is a directory"):
        load_settings(Path())
    if hasattr(os, "mkfifo"):  # as a shell makes of <(...)
        os.mkfifo("piped")
        threading.Thread(target=Path("piped").write_text, args=("search: {top: 9}",)).start()
        assert load_settings(Path("piped")).search.top == 9
    assert load_settings(Path("fast")) == load_settings("fast")
