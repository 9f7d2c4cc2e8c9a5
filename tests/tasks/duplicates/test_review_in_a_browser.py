"""The page to decide on, driven by keys in a browser: what the script does to the page.

A script of the test's own is let in beside the page's, by its hash. Skipped without a browser.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.report.templates import hash_of
from objsearch.tasks.duplicates import Plan, reviewing
from objsearch.types import ImageRef, Pixels
from tests.pictures import cropped, drawing
from tests.tasks.duplicates.conftest import Planned, put

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no browser")

DRIVING = """
const told = [], wrong = [];
addEventListener("error", (event) => wrong.push(event.message));
addEventListener("securitypolicyviolation", (event) => wrong.push(event.violatedDirective));
const press = (key) =>
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const at = () => {
  const figure = document.querySelector("figure.at");
  return figure && `${figure.closest("section").dataset.g}:${figure.dataset.i}`;
};
const text = (selector) => document.querySelector(selector).textContent;
const see = () => told.push({
  at: at(), page: text("#place"), counts: text("#counts"), title: text("#title"),
  focus: document.activeElement === document.querySelector("figure.at"),
});
const done = () => (document.body.dataset.told = JSON.stringify({ told, wrong }));
"""

Driven = Callable[..., list[dict[str, Any]]]


def read(ref: ImageRef) -> Pixels | None:
    with PillowImage.open(ref.uri) as picture:
        return np.asarray(picture.convert("RGB"))


@pytest.fixture
def plan(planned: Planned, tmp_path: Path) -> Plan:
    """Two groups of a kept picture and a part to be reviewed."""
    for seed in (1, 2):
        put(tmp_path / "photos" / f"{seed}.png", drawing(600, 400, seed=seed))
        put(tmp_path / "photos" / f"{seed}-part.png", cropped(drawing(600, 400, seed=seed), 0.7))
    made = planned(tmp_path / "photos")
    assert [len(list(group.having("review"))) for group in made.groups] == [1, 1]
    return made


@pytest.fixture
def driven(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Driven:
    """What `see()` saw while a script ran in the page, one group a page."""
    monkeypatch.setattr(reviewing, "GROUPS_A_PAGE", 1)
    path = tmp_path / "review.html"
    reviewing.write_page(plan, path, read)
    page = path.read_text(encoding="utf-8")

    def drive(script: str, size: str = "1280,900") -> list[dict[str, Any]]:
        script = f"{DRIVING}{script}done();"
        let_in = page.replace("script-src ", f"script-src '{hash_of(script)}' ", 1)
        path.write_text(let_in.replace("</body>", f"<script>{script}</script></body>"), "utf-8")
        words = [
            str(BROWSER),
            "--headless",
            "--no-sandbox",
            "--dump-dom",
            "--virtual-time-budget=1000",
        ]
        words += [f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={size}"]
        run = subprocess.run([*words, path.as_uri()], capture_output=True, check=True, timeout=120)
        (seen,) = re.findall(r'data-told="([^"]*)"', run.stdout.decode())
        made = json.loads(html.unescape(seen))
        assert made["wrong"] == []
        told: list[dict[str, Any]] = made["told"]
        return told

    return drive


def test_keys_go_from_page_to_page_and_back(driven: Driven) -> None:
    keys = ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "]", "ArrowUp", "ArrowUp"]
    told = driven(f"for (const key of {json.dumps(keys)}) {{ press(key); see(); }}")
    assert [(one["at"], one["page"]) for one in told] == [
        *[("0:0", "1 / 2"), ("0:1", "1 / 2"), ("1:0", "2 / 2"), ("0:1", "1 / 2")],
        *[("1:0", "2 / 2"), ("0:1", "1 / 2"), ("0:1", "1 / 2")],
    ]
    assert all(one["focus"] for one in told)


def test_comparing_goes_on_to_what_is_open_on_another_page(driven: Driven) -> None:
    close = (
        'document.querySelector("dialog[open]").addEventListener("close", () => {'
        "setTimeout(() => { see(); done(); }); });"  # after what the page does itself
        'document.querySelector("[data-do=close]").click();'
    )
    told = driven(f'press("ArrowRight"); press("Enter"); see(); press("r"); see(); {close}')
    assert [one["title"] for one in told][:2] == ["Group 1 · pair 1 of 2", "Group 2 · pair 2 of 2"]
    assert told[1]["counts"].startswith("1 of 2 reviewed · 1 to remove")
    assert (told[2]["at"], told[2]["page"], told[2]["focus"]) == ("1:1", "2 / 2", True)


def test_both_pictures_are_named_where_they_are_laid_over_each_other(driven: Driven) -> None:
    sides = 'told.push({ sides: [text(".sides .first"), text(".sides .second")] });'
    told = driven(f'press("ArrowRight"); press("Enter"); press("o"); {sides}')
    first, second = told[0]["sides"]
    assert first.startswith("first picture ✓ keep") and "/1.png" in first
    assert second.startswith("second picture ? to review") and "/1-part.png" in second
    assert "the first: showing 49% of it" in second


def test_the_slider_is_in_sight_on_a_small_screen(driven: Driven) -> None:
    ends = "const end = (of) => document.querySelector(of).getBoundingClientRect();"
    told = driven(
        f'press("ArrowRight"); press("Enter"); press("o"); {ends} setTimeout(() => {{'
        'told.push({ slider: end("#share").bottom, foot: end("#compare footer").top,'
        'stage: end(".stage").height, lies: !document.querySelector(".over").hidden });'
        "done(); }, 200);",
        size="600,600",
    )
    assert told[0]["lies"] and told[0]["stage"] >= 160
    assert told[0]["slider"] <= told[0]["foot"]


def test_the_border_between_the_two_goes_with_the_slider(driven: Driven) -> None:
    told = driven(
        'press("ArrowRight"); press("Enter"); press("o");'
        'const share = document.querySelector("#share"); share.value = 20;'
        'share.dispatchEvent(new Event("input"));'
        "const style = (of) => document.querySelector(of).style;"
        'const border = style(".stage").getPropertyValue("--share");'
        'told.push({ border, second: style(".veil").clipPath });'
    )
    assert told[0]["border"] == "20%" and told[0]["second"].endswith(" 20%)")


def test_what_another_tab_decides_is_not_lost(driven: Driven, plan: Plan) -> None:
    store = f"objsearch/review/{plan.id}"
    kept = json.dumps({"actions": {"0:1": "remove"}, "apart": {}})
    told = driven(
        f"const key = {json.dumps(store)}; localStorage.setItem(key, {json.dumps(kept)});"
        'dispatchEvent(new StorageEvent("storage", { key })); see();'
        'Review.decide(1, 1, "both"); see(); told.push(JSON.parse(localStorage.getItem(key)));'
    )
    assert [one["counts"][:15] for one in told[:2]] == ["1 of 2 reviewed", "2 of 2 reviewed"]
    assert told[2]["actions"] == {"0:1": "remove", "1:0": "keep", "1:1": "keep"}


def test_no_two_saved_plans_have_one_name(driven: Driven, plan: Plan) -> None:
    """A browser would rename the second, and the first would be applied."""
    told = driven(
        "HTMLAnchorElement.prototype.click = function () { told.push({ name: this.download }); };"
        'press("s"); told.push({ said: text("#toast") });'
    )
    name = told[0]["name"]
    assert re.fullmatch(rf"plan-{plan.id}-decided-\d{{4}}(-\d\d){{2}}T\d\d-\d\d-\d\d\.json", name)
    assert told[1]["said"].endswith(f"objsearch duplicates apply {name}")
