"""The page to decide on: what it holds, what its script makes of choices, and that plans come back.

The script's choices are pure functions: with Node at hand they are called without a browser.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.errors import UsageError
from objsearch.report.templates import hash_of
from objsearch.tasks.duplicates import Plan
from objsearch.tasks.duplicates.reviewing import SCRIPTS, file_uri, preview_side, write_page
from objsearch.tasks.removal import apply_plan, read_plan
from objsearch.types import Flag, ImageRef, Pixels
from tests.pictures import cropped, drawing
from tests.tasks.duplicates.conftest import Planned, deciding_in, planner, put

FOLDER = Path(write_page.__globals__["__file__"]).parent
NODE = shutil.which("node")
with_node = pytest.mark.skipif(NODE is None, reason="Node runs the page's script")
ODD = "a <script>&'\" #1?100%\u202eé"


def read(ref: ImageRef) -> Pixels | None:
    with PillowImage.open(ref.uri) as picture:
        return np.asarray(picture.convert("RGB"))


def plan_of(folder: Path, light: dict[str, Any]) -> Plan:
    """`1.png`, kept, with a copy, and a part to be reviewed; the same below `best`, protected."""
    photos, pixels = folder / "photos", drawing(400, 600, seed=1)
    put(photos / "1.png", pixels)
    put(photos / "2.bmp", pixels)
    put(photos / f"{ODD}.png", cropped(pixels, 0.7))
    put(photos / "best" / "1.png", drawing(400, 600, seed=2))
    put(photos / "of.png", cropped(drawing(400, 600, seed=2), 0.7))
    planned = planner(deciding_in(folder, light))
    made = planned(photos, keep=["path"], references=[photos / "best"])
    assert [len(group.members) for group in made.groups] == [3, 2]
    assert [one.action for one in made.groups[0].members] == ["keep", "remove", "review"]
    return made


def page_of(plan: Plan, folder: Path) -> str:
    write_page(plan, folder / "review.html", read)
    return (folder / "review.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def plan(light: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A plan over photos that nobody changes."""
    return plan_of(tmp_path_factory.mktemp("planned"), light)


@pytest.fixture(scope="module")
def page(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> str:
    return page_of(plan, tmp_path_factory.mktemp("page"))


def data(page: str, name: str) -> str:
    found = re.search(rf'<script type="application/json" id="data-{name}">(.*?)</script>', page)
    assert found
    return found[1]


def attributes(page: str, element: str, name: str) -> list[str]:
    made = [
        re.search(rf' {name}="([^"]*)"', one) for one in re.findall(rf"<{element}\b[^>]*>", page)
    ]
    return [html.unescape(one[1]) if one else "" for one in made]


def test_every_picture_has_a_text_and_every_file_a_link(page: str, plan: Plan) -> None:
    body = page[: page.index("<dialog")]
    assert all(attributes(body, "img", "alt")) and len(attributes(body, "img", "alt")) == 5
    links = attributes(page, "a", "href")
    members = [one for group in plan.groups for one in group.members]
    assert {unquote_to_bytes(link.removeprefix("file://")) for link in links} == {
        os.fsencode(one.path) for one in members
    }
    assert all(re.fullmatch(r"file:///[\w/.~%+-]*", link, re.ASCII) for link in links)


def test_why_a_picture_is_there_names_the_first_of_its_group_by_its_place(page: str) -> None:
    said = re.findall(r'<span class="why">(.*?)</span>', page)
    assert said[:2] == ["kept: first path", "same pixels as the first"]
    assert said[2] == "part of the same picture as the first: showing 49% of it"
    assert 'Group 1 <span class="muted">· part</span>' in page


def test_no_picture_that_differs_is_all_alike(plan: Plan, tmp_path: Path) -> None:
    group = plan.groups[0]
    sure = tuple(one.model_copy(update={"similarity_to_keep": 1.0}) for one in group.members)
    groups = (group.model_copy(update={"members": sure}), *plan.groups[1:])
    write_page(plan.model_copy(update={"groups": groups}), tmp_path / "review.html", read)
    page = (tmp_path / "review.html").read_text(encoding="utf-8")
    said = re.findall(r'</span>\n<span class="facts">(.*?)</span>', page)
    assert said[:2] == ["identical", "99.9% alike"]


def test_a_name_that_is_no_text_has_a_link(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(str(tmp_path)) + b"/\xff.png")
    assert file_uri(path).endswith("/%FF.png")


def test_nothing_comes_from_outside_and_only_its_own_scripts_run(page: str) -> None:
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    rules = dict(one.strip().split(" ", 1) for one in policy.split(";"))
    assert rules["default-src"] == "'none'" and rules["img-src"] == "data:"
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert rules["script-src"] == " ".join(f"'{hash_of(script)}'" for script in scripts)
    assert len(scripts) == len(SCRIPTS)
    assert rules["style-src"] == f"'{hash_of(style)}'"
    assert not re.search(r"(?<!file)://", page) and "unsafe" not in policy
    assert not re.search(r"<[^>]+ (style|on\w+)=", page)  # the policy would not let them in


def test_the_page_holds_the_plan_and_what_may_be_chosen(page: str, plan: Plan) -> None:
    groups = json.loads(data(page, "groups"))
    assert [[one["path"] for one in group["members"]] for group in groups] == [
        [one.path for one in group.members] for group in plan.groups
    ]
    told = json.loads(data(page, "page"))
    assert told["id"] == plan.id and told["groups_a_page"] == 50
    kept, copy, part = told["notes"][0]
    assert (kept["of"], copy["of"], part["of"]) == (-1, 0, 0)
    assert kept["can"] == ["keep", "remove"] and part["can"] == [
        "keeper",
        "remove",
        "both",
        "apart",
    ]
    protected, beside = told["notes"][1]
    assert protected["can"] == ["keep"] and "keeper" not in beside["can"]
    assert attributes(page, "section", "data-g") == ["0", "1"]


def test_the_part_is_laid_where_it_belongs(page: str) -> None:
    """Of 600 x 400, the middle 420 x 280: from 90, 60."""
    overlay = json.loads(data(page, "page"))["notes"][0][2]["overlay"]
    a, b, c, d, e, f, *_ = overlay["matrix"]
    assert [a, b, c, d, e, f] == pytest.approx([1, 0, 90, 0, 1, 60], abs=0.5)
    assert overlay["stage"] == pytest.approx([0, 0, 600, 400], abs=1)
    assert overlay["lost"] == "" and overlay["gained"].startswith("M0.0 0.0L600.0 0.0")
    assert json.loads(data(page, "page"))["notes"][0][1]["overlay"]["matrix"][0] == 1


def test_groups_to_review_come_first_and_pictures_fit(planned: Planned, tmp_path: Path) -> None:
    put(tmp_path / "photos" / "1.png", drawing(400, 600, seed=1))
    put(tmp_path / "photos" / "1.bmp", drawing(400, 600, seed=1))
    put(tmp_path / "photos" / "2.png", drawing(400, 600, seed=2))
    put(tmp_path / "photos" / "3.png", cropped(drawing(400, 600, seed=2)))
    write_page(planned(tmp_path / "photos"), tmp_path / "review.html", read)
    page = (tmp_path / "review.html").read_text(encoding="utf-8")
    assert attributes(page, "section", "data-g") == ["1", "0"]
    assert [preview_side(n) for n in (10, 1000, 2000, 100_000)] == [640, 480, 320, 320]


def test_flagged_pictures_are_blurred_also_when_laid_over(plan: Plan, tmp_path: Path) -> None:
    """The overlay is made of the pictures in the list: there are no others on the page."""
    flag = Flag("block-list", 1.0, "a copy")
    flags = {ImageRef(one.path): (flag,) for one in plan.groups[0].members}
    for name, flagged in (("plain", {}), ("blurred", flags)):
        write_page(plan, tmp_path / name, read, flagged)
    plain, blurred = (
        re.findall(r"data:image/jpeg[^\"]+", (tmp_path / name).read_text(encoding="utf-8"))
        for name in ("plain", "blurred")
    )
    assert len(plain) == len(blurred) == 5
    assert [a == b for a, b in zip(plain, blurred, strict=True)] == [False] * 3 + [True] * 2


Chosen = Callable[..., Any]


@pytest.fixture
def chosen(page: str, tmp_path: Path) -> Chosen:
    return choosing_on(page, tmp_path)


def choosing_on(page: str, tmp_path: Path) -> Chosen:
    """`chosen([(g, i, what), ...])` is what the script says after these choices, and its plan."""
    (tmp_path / "page.json").write_text(
        json.dumps({name: data(page, name) for name in ("groups", "rest", "page")})
    )
    scripts = "".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS[:2])
    run = """
    const given = JSON.parse(require("fs").readFileSync(process.argv[2], "utf8"));
    const page = JSON.parse(given.page);
    const otherNames = new Set(page.other_names);
    const plan = {groups: JSON.parse(given.groups), notes: page.notes, otherNames};
    let choices = Choices.fresh(), refused = [];
    for (const [g, i, what] of JSON.parse(process.argv[3])) {
      const made = Choices.decided(plan, choices, g, i, what);
      choices = made.choices;
      refused.push(made.refused);
    }
    const again = Choices.restored(plan, JSON.stringify(choices));
    const odd = Choices.restored(plan, process.argv[4]);
    console.log(JSON.stringify({
      refused, choices, again, odd, counted: Choices.counted(plan, choices),
      saved: Choices.saved(plan, choices, given.rest),
    }));
    """
    (tmp_path / "run.js").write_text(scripts + run, encoding="utf-8")

    def choose(choices: list[tuple[int, int, str]], odd: object = None) -> Any:
        words = [str(tmp_path / "page.json"), json.dumps(choices), json.dumps(odd)]
        done = subprocess.run(
            [str(NODE), str(tmp_path / "run.js"), *words], capture_output=True, check=True
        )
        told = json.loads(done.stdout)
        (tmp_path / "saved.json").write_text(told["saved"], encoding="utf-8")
        return told

    return choose


def actions(plan: Plan) -> list[list[str]]:
    return [[one.action for one in group.members] for group in plan.groups]


@with_node
def test_without_choices_the_plan_comes_back(chosen: Chosen, plan: Plan, tmp_path: Path) -> None:
    """With times in nanoseconds, which a browser cannot count to."""
    told = chosen([])
    assert read_plan(tmp_path / "saved.json") == plan
    assert told["counted"] == {
        **{"review": 2, "decided": 0, "removed": 1, "apart": 0},
        "bytes": plan.removed_bytes,
    }


@with_node
@pytest.mark.parametrize(
    ("choices", "first_group"),
    [
        ([(0, 2, "remove")], ["keep", "remove", "remove"]),
        ([(0, 2, "both")], ["keep", "remove", "keep"]),
        ([(0, 2, "keeper")], ["remove", "remove", "keep"]),
        ([(0, 1, "keeper")], ["remove", "keep", "review"]),
        ([(0, 1, "keeper"), (0, 1, "remove")], ["keep", "remove", "review"]),
        ([(0, 2, "keeper"), (0, 0, "keep")], ["keep", "remove", "keep"]),
        ([(0, 2, "apart")], ["keep", "remove", "keep"]),
        ([(0, 2, "remove"), (0, 1, "both"), (0, 0, "undo")], ["keep", "remove", "review"]),
    ],
)
def test_choices_become_a_plan_that_is_read(
    choices: Any, first_group: list[str], chosen: Chosen, tmp_path: Path
) -> None:
    told = chosen(choices)
    assert told["refused"] == [""] * len(choices)
    assert told["again"] == told["choices"]
    made = read_plan(tmp_path / "saved.json")
    assert actions(made) == [first_group, ["keep", "review"]]
    assert bool(made.not_duplicates) == (choices[-1][-1] == "apart")


@with_node
def test_what_is_no_duplicate_is_a_pair_of_the_plan(chosen: Chosen, tmp_path: Path) -> None:
    told = chosen([(0, 2, "apart")])
    made = read_plan(tmp_path / "saved.json")
    kept, _, part = made.groups[0].members
    assert made.not_duplicates == ((part.path, kept.path),)
    assert part.reason.endswith("; decided: no duplicates")
    assert told["counted"]["apart"] == 1 and told["counted"]["decided"] == 1
    assert read_plan(tmp_path / "saved.json").not_duplicates
    chosen([(0, 2, "apart"), (0, 2, "remove")])
    assert read_plan(tmp_path / "saved.json").not_duplicates == ()


@with_node
@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ([(0, 0, "remove")], "One file of each group stays"),
        ([(0, 2, "both"), (0, 0, "remove"), (0, 2, "remove")], ""),
        ([(1, 0, "remove")], "This cannot be chosen here"),
        ([(1, 1, "keeper")], "This cannot be chosen here"),
        ([(0, 2, "apart"), (0, 0, "remove")], "No duplicates: neither can stand for the other"),
    ],
)
def test_no_choice_leaves_a_group_without_a_file_or_takes_what_is_protected(
    choices: Any, said: str, chosen: Chosen, tmp_path: Path
) -> None:
    told = chosen(choices)
    if said:
        assert told["refused"][-1].startswith(said)
    for group in read_plan(tmp_path / "saved.json").groups:
        assert any(group.having("keep"))


@with_node
@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        {"actions": {"0:0": "remove"}},
        {"actions": {"1:0": "remove", "1:1": "keep"}},
        {"actions": {"7:7": "remove", "0:1": "burn"}, "apart": {"0:0": True}},
        {"actions": {"0:2": "remove"}, "apart": {"0:2": True}},
    ],
)
def test_kept_choices_that_do_not_fit_are_left_out(odd: object, chosen: Chosen) -> None:
    told = chosen([], odd)["odd"]
    assert told["apart"] == {} and "remove" not in told["actions"].values()


@with_node
def test_a_page_of_many_decisions_opens_at_once(tmp_path: Path) -> None:
    """Half a second for 4,000 groups; looking through all choices for each took half a minute."""
    run = """
    const members = [{path: "a", action: "keep"}, {path: "b", action: "review", copy_of: "a"}];
    const notes = [{file: 0, of: -1, can: ["keep"]}, {file: 1, of: 0, can: ["remove", "both"]}];
    const each = (of) => Array.from({length: 4000}, () => of);
    const plan = {groups: each({members}), notes: each(notes), otherNames: new Set()};
    const actions = {};
    plan.groups.forEach((_, g) => (actions[`${g}:1`] = "remove"));
    const started = Date.now();
    const choices = Choices.restored(plan, JSON.stringify({actions, apart: {}}));
    const n = plan.groups.filter((_, g) => Choices.isChanged(choices, g)).length;
    console.log(JSON.stringify([n, (Date.now() - started) / 1000]));
    """
    script = (FOLDER / "review_choices.js").read_text(encoding="utf-8")
    (tmp_path / "run.js").write_text(script + run, encoding="utf-8")
    words = [str(NODE), str(tmp_path / "run.js")]
    n, seconds = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    assert n == 4000 and seconds < 3


@with_node
def test_a_saved_plan_is_applied(light: dict[str, Any], tmp_path: Path) -> None:
    chosen = choosing_on(page_of(plan_of(tmp_path, light), tmp_path), tmp_path)
    chosen([(0, 1, "keeper"), (0, 2, "remove"), (1, 1, "remove")])
    outcome = apply_plan(read_plan(tmp_path / "saved.json"), tmp_path / "quarantine")
    assert outcome.left == ()
    left = sorted(str(p.relative_to(tmp_path / "photos")) for p in tmp_path.glob("photos/**/*.*"))
    assert left == ["2.bmp", "best/1.png"]


def test_a_plan_whose_group_keeps_nothing_is_refused(page: str, tmp_path: Path) -> None:
    rest, groups = json.loads(data(page, "rest")), json.loads(data(page, "groups"))
    groups[0]["members"][0]["action"] = "remove"
    (tmp_path / "bad.json").write_text(json.dumps({**rest, "groups": groups}))
    with pytest.raises(UsageError, match="keeps nothing"):
        read_plan(tmp_path / "bad.json")
