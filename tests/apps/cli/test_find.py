"""`objsearch find`: what it prints where, and its exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import load_settings
from tests.apps.cli.conftest import Cli, Result
from tests.pictures import drawing, encoded

Failing = Callable[..., str]

HIT_KEYS = {"ref", "score", "verdict", "width", "height", "pairs"}
PAIR_KEYS = {
    *("query", "query_box_xyxy", "reference_box_xyxy", "query_label", "reference_label"),
    *("score", "inliers", "transform", "overlap_query", "overlap_reference"),
}
ANSWER_KEYS = {
    *("schema", "queries", "hits", "scanned", "compared", "skipped", "settings"),
    "elapsed_seconds",
}


@pytest.fixture
def find(cli: Cli, config: Path, photos: Path) -> Callable[..., Result]:
    """A quick search over the example photos."""
    return lambda *arguments: cli("find", *arguments, "--in", photos, "--config", config)


def test_json_has_the_promised_keys(find: Callable[..., Result], queries: Path) -> None:
    result = find(queries / "palace.jpg", "--json")
    assert result.code == 0
    assert result.err == ""
    data = result.data
    assert set(data) >= ANSWER_KEYS
    assert data["schema"] == "objsearch/find/1"
    assert data["scanned"] == data["compared"] + len(data["skipped"]) == 32
    hit = data["hits"][0]
    assert set(hit) >= HIT_KEYS
    assert Path(hit["ref"]).name == "palace_copy_recompressed.jpg"
    assert hit["verdict"] == "same"
    assert (hit["width"], hit["height"]) == (320, 240)
    pair = hit["pairs"][0]
    assert set(pair) >= PAIR_KEYS
    assert pair["query"] == str(queries / "palace.jpg")
    assert len(pair["query_box_xyxy"]) == len(pair["reference_box_xyxy"]) == 4
    assert [len(row) for row in pair["transform"]] == [3, 3, 3]
    assert pair["inliers"] > 10
    assert 0 < pair["overlap_query"] <= 1
    scores = [one["score"] for one in data["hits"]]
    assert scores == sorted(scores, reverse=True)


def test_the_command_line_and_python_say_the_same(
    find: Callable[..., Result], queries: Path, photos: Path, config: Path
) -> None:
    hits = find(queries / "palace.jpg", "--json", "--threshold", "0").data["hits"]
    answer = ObjectSearch.open(config).add(str(photos)).find(queries / "palace.jpg", threshold=0)
    assert [(one["ref"], one["score"]) for one in hits] == [
        (str(one.ref), round(one.score, 6)) for one in answer.hits
    ]


def test_the_table_is_for_people(find: Callable[..., Result], queries: Path) -> None:
    result = find(queries / "palace.jpg", "--top", "2")
    assert result.code == 0
    assert result.err == ""
    assert "palace_copy_recompressed.jpg" in result.out
    assert "%" in result.out and "same" in result.out


def test_csv_has_a_row_a_hit(find: Callable[..., Result], queries: Path) -> None:
    result = find(queries / "palace.jpg", "--csv")
    rows = list(csv.DictReader(io.StringIO(result.out)))
    data = find(queries / "palace.jpg", "--json").data
    assert [row["ref"] for row in rows] == [hit["ref"] for hit in data["hits"]]
    both = find(queries / "palace.jpg", queries / "motorcycle.jpg", "--each", "--csv").out
    assert both.count("ref") == result.out.count("ref")  # one header for all answers


def test_each_is_one_object_a_line_in_order(find: Callable[..., Result], queries: Path) -> None:
    names = ["motorcycle.jpg", "palace.jpg", "marker_board.jpg"]
    result = find(*(queries / name for name in names), "--each", "--json", "--top", "1")
    assert result.code == 0
    assert [Path(line["queries"][0]["ref"]).name for line in result.lines] == names
    assert all(len(line["hits"]) <= 1 for line in result.lines)
    folder = find(queries, "--each", "--json", "--top", "1")
    every = sorted(path.name for path in queries.iterdir())
    assert [Path(line["queries"][0]["ref"]).name for line in folder.lines] == every


def test_each_goes_on_after_a_query_that_cannot_be_read(
    find: Callable[..., Result], queries: Path, tmp_path: Path
) -> None:
    words, page = tmp_path / "words.txt", tmp_path / "page.html"
    words.write_text("no picture")
    named = (queries / "motorcycle.jpg", words, queries / "palace.jpg", "--each", "--top", "1")
    result = find(*named, "--json", "--report", page)
    assert result.code == 0
    assert [len(line["queries"]) for line in result.lines] == [1, 0, 1]
    assert "words.txt: not an image" in result.err
    assert "the query cannot be read" in page.read_text(encoding="utf-8")
    alone = find(words, words, "--each")
    assert alone.code == 2 and "no query can be read" in alone.err


def test_nothing_found_is_exit_code_1(find: Callable[..., Result], queries: Path) -> None:
    result = find(queries / "dahlia.jpg", "--threshold", "1", "--json")
    assert result.code == 1
    assert result.data["hits"] == []
    people = find(queries / "dahlia.jpg", "--threshold", "1")
    assert people.code == 1
    assert "Nothing found" in people.out


def test_false_alarms_are_told_and_a_border(
    cli: Cli, failing: Failing, config: Path, queries: Path, photos: Path
) -> None:
    base = ("find", queries / "palace.jpg", "--in", photos)
    fast = (*base, "--preset", "fast", "--set", "search.second_look.doubtful=1")
    every = cli(*fast, "--json", "--threshold", "0").data["hits"]
    few = cli(*fast, "--json", "--max-false-alarms", "0.01").data["hits"]
    assert 0 < len(few) < len(every)
    assert max(hit["false_alarms"] for hit in few) <= 0.01
    assert every[0]["false_alarms"] < 0.01 and every[-1]["false_alarms"] > 1
    assert "<0.01" in cli(*fast).out
    said = failing(*base, "--config", config, "--max-false-alarms", "1")
    assert "nobody has measured what different photos score by orb" in said


def test_warnings_and_data_do_not_mix(
    cli: Cli, config: Path, queries: Path, tmp_path: Path
) -> None:
    (tmp_path / "wrong.jpg").write_bytes(encoded(drawing(60, 80), "PNG"))
    (tmp_path / "broken.png").write_bytes(b"")
    (tmp_path / "query.png").write_bytes(b"broken")
    find = ("find", queries / "palace.jpg", tmp_path / "query.png", "--in", tmp_path)
    result = cli(*find, "--config", config, "--json", "--threshold", "0")
    assert result.code == 1  # the only hits are of the verdict "different"
    assert {Path(one["ref"]).name for one in result.data["skipped"]} == {"broken.png", "query.png"}
    told = result.err.splitlines()
    assert all(line.startswith("warning: ") for line in told)
    assert any("wrong.jpg" in line and "PNG" in line for line in told)
    assert any("query.png" in line for line in told)


def test_options_reach_the_search(find: Callable[..., Result], queries: Path, photos: Path) -> None:
    palace = queries / "palace.jpg"
    every = find(palace, "--json", "--threshold", "0").data
    assert len(every["hits"]) == 32
    page = find(palace, "--json", "--threshold", "0", "--top", "3", "--offset", "2").data
    assert page["hits"] == every["hits"][2:5]
    assert page["settings"]["search"]["offset"] == 2
    by_set = find(palace, "--json", "--set", "search.top=1", "--set", "search.threshold=0").data
    assert by_set["hits"] == every["hits"][:1]
    toys = photos / "toys.jpg"
    others = find(toys, "--json", "--threshold", "0").data["hits"]
    assert str(toys) not in {hit["ref"] for hit in others}
    itself = find(toys, "--json", "--include-query").data["hits"][0]
    assert itself["ref"] == str(toys)
    part = find(toys, "--json", "--include-query", "--region", "25%,25%,50%,50%").data
    assert part["queries"][0]["ref"].startswith(f"{toys}#xywh=")
    views = (palace, queries / "motorcycle.jpg")
    fused = find(*views, "--json", "--fusion", "mean").data
    assert set(fused["hits"][0]["view_scores"]) == {str(view) for view in views}
    assert (
        find(palace, "--json", "--workers", "1", "--threshold", "0").data["hits"] == every["hits"]
    )


def test_regions_by_corners_inside_and_of_references(
    find: Callable[..., Result], queries: Path, photos: Path
) -> None:
    toys = photos / "toys.jpg"
    by_size = find(toys, "--json", "--region", "100,80,300,200").data
    by_corners = find(toys, "--json", "--region", "400,80:100,280").data
    assert by_corners["hits"] == by_size["hits"]
    assert by_corners["settings"]["search"]["region"] == "400,80:100,280"
    inside = find(toys, "--json", "--region", "100,80,300,200", "--roi-mode", "filter").data
    assert inside["settings"]["search"]["roi_mode"] == "filter"
    assert inside["queries"][0]["regions"][-1]["box_xyxy"] == [100, 80, 400, 280]
    parts = find(queries / "palace.jpg", "--json", "--in-region", "25%,25%:75%,75%").data
    assert all("#xywh=" in hit["ref"] for hit in parts["hits"])
    assert parts["compared"] == 32


def test_weights_and_unwanted_photos(
    find: Callable[..., Result], queries: Path, photos: Path
) -> None:
    views = [queries / "palace.jpg", queries / "motorcycle.jpg"]
    unwanted = photos / "motorcycle_garage.jpg"
    options = ("--weight", "1", "--weight", "2", "--not", unwanted, "--threshold", "0")
    data = find(*views, *options, "--json").data
    assert data["settings"]["search"]["weights"] == [1.0, 2.0]
    assert data["settings"]["search"]["negatives"] == [str(unwanted)]
    last = {hit["ref"]: hit for hit in data["hits"]}[str(unwanted)]
    assert last["negative_scores"] == {str(unwanted): 1.0}
    assert (last["score"], last["note"]) == (0.0, "like_a_negative")
    [first, *_] = csv.DictReader(io.StringIO(find(*views, *options, "--csv").out))
    assert set(json.loads(first["view_scores"])) == {str(view) for view in views}
    assert set(json.loads(first["negative_scores"])) == {str(unwanted)}
    table = find(*views, *options).out
    assert "each view: " in table and "not wanted: motorcycle_garage.jpg" in table


def test_filters_of_the_command_line(
    cli: Cli, config: Path, queries: Path, some: list[Path], tmp_path: Path
) -> None:
    for number, path in enumerate(some):
        shutil.copy(path, tmp_path)
        os.utime(tmp_path / path.name, (86_400 * (number + 0.5),) * 2)
    base = ("find", queries / "palace.jpg", "--in", tmp_path, "--config", config)

    def left(*options: object) -> tuple[set[str], int]:
        data = cli(*base, *options, "--json", "--threshold", "0").data
        assert data["scanned"] == data["compared"] + len(data["skipped"])
        return {Path(hit["ref"]).name for hit in data["hits"]}, data["filtered"]

    names = [path.name for path in some]
    assert left("--exclude", "c*", "--exclude", "toys.jpg") == (set(names[1:4]), 0)
    assert left("--include", "*.png") == ({"coins.png"}, 0)
    assert left("--since", "1970-01-02", "--until", "1970-01-03") == (set(names[1:3]), 0)
    large = {p.name for p in some if p.stat().st_size >= 60_000}
    assert left("--min-bytes", "60000") == (large, 0)
    assert left("--max-bytes", "59999") == (set(names) - large, len(large))
    assert left("--label", "frame", "--min-pixels", "1", "--max-pixels", "99999999")[1] == 0
    assert left("--label", "cup") == (set(), len(some))


def test_a_page_that_is_searched_is_a_query(cli: Cli, config: Path, tmp_path: Path) -> None:
    from tests.images import files

    pages = [drawing(90, 120, seed) for seed in range(3)]
    (tmp_path / "scan.pdf").write_bytes(files.pdf(pages))
    (tmp_path / "third.png").write_bytes(encoded(pages[2], "PNG"))
    query = f"{tmp_path}/scan.pdf#page=3"
    data = cli("find", query, "--in", tmp_path, "--config", config, "--json").data
    assert data["queries"][0]["ref"] == query
    assert data["hits"][0]["ref"] == str(tmp_path / "third.png")
    assert query not in {hit["ref"] for hit in data["hits"]}


def test_modes_choose_the_detector(cli: Cli, config: Path, queries: Path, photos: Path) -> None:
    photo = photos / "two_books.jpg"
    base = ("find", queries / "electronics_book.jpg", "--in", photo, "--json", "--threshold", "0")
    whole = cli(*base, "--mode", "whole").data
    assert whole["settings"]["detector"]["name"] == "whole-image"
    assert [region["proposal"] for region in whole["queries"][0]["regions"]] == ["frame"]
    auto = cli(*base, "--mode", "auto").data
    assert auto["settings"]["detector"]["name"] == "yolo"
    assert len(auto["queries"][0]["regions"]) > 1
    objects = cli(*base, "--mode", "object", "--preset", "fast").data
    assert objects["settings"]["detector"]["name"] == "yolo"
    assert objects["settings"]["assignment"]["frames"] is False


def test_a_report_is_one_file_and_says_where(
    find: Callable[..., Result], queries: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    result = find(queries / "palace.jpg", "--report", report, "--json", "--top", "1")
    assert result.code == 0
    assert result.data["hits"]
    assert result.err.strip() == f"report: {report}"
    page = report.read_text(encoding="utf-8")
    assert "palace_copy_recompressed.jpg" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


MISTAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "no query": (("--in", "{photos}"), "no query"),
    "no references": (("{query}",), "--in PATH"),
    "query not there": (("gone.jpg", "--in", "{photos}"), "no such query: 'gone.jpg'"),
    "references not there": (("{query}", "--in", "gone"), "no such reference: 'gone'"),
    "two forms": (("{query}", "--in", "{photos}", "--json", "--csv"), "not both"),
    "two settings": (
        ("{query}", "--in", "{photos}", "--preset", "fast", "--config", "a.yaml"),
        "not both",
    ),
    "unknown preset": (
        ("{query}", "--in", "{photos}", "--preset", "defalt"),
        "did you mean 'default'",
    ),
    "settings not there": (("{query}", "--in", "{photos}", "--config", "gone.yaml"), "gone.yaml"),
    "unknown setting": (
        ("{query}", "--in", "{photos}", "--set", "search.tip=3"),
        "unknown key 'search.tip'",
    ),
    "setting of a wrong kind": (
        ("{query}", "--in", "{photos}", "--set", "search.top=many"),
        "search.top",
    ),
    "setting without a value": (
        ("{query}", "--in", "{photos}", "--set", "search.top"),
        "KEY=VALUE",
    ),
    "setting that is no YAML": (("{query}", "--in", "{photos}", "--set", "search.top=["), "--set"),
    "setting that wants quotes": (
        ("{query}", "--in", "{photos}", "--set", "input.include=[*.jpg]"),
        "--set input.include: '[*.jpg]' is no value in YAML, where text with signs in it stands in "
        "quotes",
    ),
    "setting that is no day": (
        ("{query}", "--in", "{photos}", "--set", "search.where.changed_from=2024-02-30"),
        "--set search.where.changed_from: '2024-02-30' is no value (day is out of range",
    ),
    "extractor's option": (("{query}", "--in", "{photos}", "--set", "extractor.n=3"), "extractor"),
    "no region": (("{query}", "--in", "{photos}", "--region", "1,2:3"), "two corners"),
    "weights that do not fit": (
        ("{query}", "--in", "{photos}", "--preset", "fast", "--weight", "1", "--weight", "2"),
        "2 weights for 1 query",
    ),
    "weights of a batch": (("{query}", "--in", "{photos}", "--each", "--weight", "1"), "--each"),
    "unwanted not there": (
        ("{query}", "--in", "{photos}", "--preset", "fast", "--not", "gone.jpg"),
        "no such unwanted image: 'gone.jpg'",
    ),
    "unwanted that is none": (
        ("{query}", "--in", "{photos}", "--preset", "fast", "--not", "{broken}"),
        "no unwanted image can be read",
    ),
    "region of three": (("{query}", "--in", "{photos}", "--region", "1,2,3"), "region"),
    "region outside": (
        ("{query}", "--in", "{photos}", "--preset", "fast", "--region", "9000,9000,5,5"),
        "region",
    ),
    "nothing readable": (
        ("{broken}", "--in", "{photos}", "--preset", "fast"),
        "no query can be read",
    ),
    "no readable reference": (
        ("{query}", "--in", "{broken}", "--preset", "fast"),
        "none of the 1 references can be read",
    ),
    "empty folder": (("{query}", "--in", "{empty}", "--preset", "fast"), "no references"),
    "a report into nowhere": (
        ("{query}", "--in", "{photos}", "--preset", "fast", "--report", "{query}/a.html"),
        "cannot write",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    mistake: str, cli: Cli, queries: Path, photos: Path, tmp_path: Path
) -> None:
    broken, empty = tmp_path / "broken.jpg", tmp_path / "empty"
    broken.write_bytes(b"broken")
    empty.mkdir()
    names = {
        "query": str(queries / "palace.jpg"),
        "photos": str(photos / "coins.png"),
        "broken": str(broken),
        "empty": str(empty),
    }
    arguments, expected = MISTAKES[mistake]
    result = cli("find", *(argument.format(**names) for argument in arguments))
    assert result.code == 2
    [sentence] = [line for line in result.err.splitlines() if not line.startswith("warning: ")]
    assert sentence.startswith("error: ")
    assert expected in sentence
    assert "Traceback" not in result.err
    if "report" not in mistake:
        assert result.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("--top", "0"),
        ("--top", "many"),
        ("--offset", "-1"),
        ("--threshold", "2"),
        ("--threshold", "nan"),
        ("--fusion", "median"),
        ("--mode", "both"),
        ("--roi-mode", "cut"),
        ("--weight", "heavy"),
        ("--since", "yesterday"),
        ("--min-bytes", "-1"),
        ("--workers", "0"),
        ("--colour", "red"),
    ],
    ids=" ".join,
)
def test_option_values_are_checked_at_once(
    cli: Cli, queries: Path, photos: Path, arguments: tuple[str, ...]
) -> None:
    result = cli("find", queries / "palace.jpg", "--in", photos, *arguments)
    assert result.code == 2
    assert result.out == ""
    assert arguments[0] in result.err


def test_names_that_are_no_text_are_shown_and_read_back(
    cli: Cli, config: Path, tmp_path: Path
) -> None:
    name = os.fsdecode(b"\xff\xfe \x1b[31m\n.png")
    (tmp_path / name).write_bytes(encoded(drawing(90, 70), "PNG"))
    query = tmp_path / "query.jpg"
    query.write_bytes(encoded(drawing(90, 70), "JPEG", quality=95))
    base = ("find", query, "--in", tmp_path / name, "--config", config, "--threshold", "0")
    [hit] = cli(*base, "--json").data["hits"]
    assert Path(hit["ref"]).name == name
    for form in ((), ("--csv",)):
        result = cli(*base, *form)
        assert result.code == 0
        assert "\x1b[31m" not in result.out or form


def test_ctrl_c_is_one_line(
    find: Callable[..., Result], queries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ObjectSearch, "add", interrupted)
    result = find(queries / "palace.jpg")
    assert result.code == 130
    assert result.out == ""
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        "config schema",  # printed by typer
        "models",  # printed by rich
        "find {photo} --in {photo} --include-query --config {config} --json",
        "find {photo} --in {photo} --include-query --config {config} --paths",
        "compare {photo} {photo} --config {config}",
        "compare {photo} gone.jpg",  # the sentence on stderr
    ],
)
def test_a_closed_pipe_ends_a_command_without_a_word(
    words: str, root: Path, photos: Path, config: Path, clean_environment: dict[str, str]
) -> None:
    named = [word.format(photo=photos / "coins.png", config=config) for word in words.split()]
    code = "from objsearch.apps.cli import main; main()"
    reading, writing = os.pipe()
    os.close(reading)  # as if `head` had seen enough before the first byte came
    result = subprocess.run(
        [sys.executable, "-c", code, *named],
        cwd=root,
        env=clean_environment,
        stdout=writing,
        stderr=writing if "gone" in words else subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    os.close(writing)
    assert result.returncode == 141  # as of a program that SIGPIPE ended: 0 and 1 are answers
    assert not result.stderr


@pytest.mark.skipif(os.name == "nt", reason="shells there close nothing")
@pytest.mark.parametrize(
    ("words", "closed", "code"),
    [
        ("find - --in {photo} --config {config}", "<&-", 2),
        ("find {photo} --in - --config {config}", "<&-", 2),
        ("find {photo} --in {photo} --include-query --config {config} --paths", ">&-", 0),
        ("compare {photo} gone.jpg", "2>&-", 2),
        ("models", "<&- >&- 2>&-", 0),
    ],
)
def test_closed_streams_lead_nowhere(
    words: str,
    closed: str,
    code: int,
    root: Path,
    photos: Path,
    config: Path,
    clean_environment: dict[str, str],
) -> None:
    called = words.format(photo=photos / "coins.png", config=config)
    program = "from objsearch.apps.cli import main; main()"
    result = subprocess.run(
        ["sh", "-c", f"'{sys.executable}' -c '{program}' {called} {closed}"],
        cwd=root,
        env=clean_environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="a folder in use stays there")
def test_an_output_where_the_current_folder_is_gone(
    failing: Failing, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    said = failing("find", photos / "coins.png", "--in", photos, "--report", "page.html")
    assert said == "--report: cannot write 'page.html': the current folder is gone"


def test_the_quick_settings_are_settings(config: Path) -> None:
    assert load_settings(config).detector.name == "whole-image"
