"use strict";
// The list of groups: pages, choices by click and by key, counting, saving.
const Review = (() => {
  const BADGES = {
    keep: "✓ keep",
    remove: "✕ remove",
    review: "? to review",
    apart: "≠ no duplicates",
  };
  const FILTERS = {
    review: ["To review", (g) => plan.groups[g].members.some((member) => member.action === "review")],
    open: ["Not decided yet", (g) => plan.groups[g].members.some((_, i) => isOpen(g, i))],
    gone: ["To be removed", (g) => plan.groups[g].members.some((_, i) => stateOf(g, i) === "remove")],
    changed: ["Decided by you", (g) => isChanged(g)],
    all: ["All groups", () => true],
  };
  const data = (name) => document.getElementById(`data-${name}`).textContent;
  const page = JSON.parse(data("page"));
  const plan = {
    groups: JSON.parse(data("groups")),
    notes: page.notes,
    otherNames: new Set(page.other_names),
  };
  const store = `objsearch/review/${page.id}`;
  const sections = [...document.querySelectorAll("section.group")];
  const filter = document.getElementById("filter");
  const toast = document.getElementById("toast");
  let choices = Choices.fresh();
  let isKept = true; // by the browser
  let isSaved = true;
  let listed = sections;
  let pageNumber = 0;
  let at = null; // the figure that keys speak of

  const groupOf = (figure) => Number(figure.parentElement.parentElement.dataset.g);
  const placeOf = (figure) => [groupOf(figure), Number(figure.dataset.i)];
  const sectionOf = new Map(sections.map((section) => [Number(section.dataset.g), section]));
  const figureOf = (g, i) => sectionOf.get(g).querySelectorAll("figure.member")[i];
  const stateOf = (g, i) => Choices.stateOf(plan, choices, g, i);
  const isChanged = (g) => Choices.isChanged(choices, g);
  const isOpen = (g, i) =>
    plan.groups[g].members[i].action === "review" && !Choices.isDecided(plan, choices, g, i);

  function say(text, seconds = 4) {
    toast.textContent = text;
    toast.hidden = !text;
    clearTimeout(say.timer);
    say.timer = setTimeout(() => (toast.hidden = true), seconds * 1000);
  }

  // Kept choices: this page read again goes on with them, and so does another tab at once.
  function load() {
    try {
      const text = localStorage.getItem(store);
      choices = text ? Choices.restored(plan, text) : Choices.fresh();
    } catch {
      isKept = false;
    }
  }

  function loadOfOtherTab(event) {
    if (event.key !== null && event.key !== store) return;
    load();
    drawAll();
    Compare.refresh();
  }

  function keep() {
    isSaved = false;
    try {
      localStorage.setItem(store, JSON.stringify(choices));
    } catch {
      isKept = false;
    }
  }

  function draw(g) {
    const section = sectionOf.get(g);
    section.classList.toggle("changed", isChanged(g));
    section.querySelectorAll("figure.member").forEach((figure, i) => {
      const state = stateOf(g, i);
      figure.dataset.state = state;
      figure.querySelector(".badge").textContent = BADGES[state];
    });
  }

  function drawAll() {
    plan.groups.forEach((_, g) => draw(g));
    count();
  }

  function count() {
    const told = Choices.counted(plan, choices);
    const megabytes = (told.bytes / 1e6).toFixed(1);
    const parts = [
      told.review ? `${told.decided} of ${told.review} reviewed` : "nothing to review",
      `${told.removed} to remove (${megabytes} MB)`,
    ];
    if (told.apart) parts.push(`${told.apart} no duplicates`);
    if (!isKept) parts.push("this browser keeps no choices: save before closing");
    document.getElementById("counts").textContent = parts.join(" · ");
  }

  // One more choice; says what came of it, and whether it was taken.
  function decide(g, i, what) {
    const { choices: made, refused } = Choices.decided(plan, choices, g, i, what);
    if (refused) {
      say(refused);
      return false;
    }
    choices = made;
    keep();
    draw(g);
    count();
    say(what === "undo" ? "As planned." : `${Choices.WORDS[what]}: ${nameOf(g, i)}`);
    return true;
  }

  const nameOf = (g, i) => figureOf(g, i).getAttribute("aria-label");

  const size = page.groups_a_page;
  const lastPage = () => Math.max(0, Math.ceil(listed.length / size) - 1);
  const onPage = () => listed.slice(pageNumber * size, (pageNumber + 1) * size);

  function list() {
    const [, isListed] = FILTERS[filter.value];
    listed = sections.filter((section) => isListed(Number(section.dataset.g)));
    pageNumber = 0;
    show();
  }

  function show() {
    pageNumber = Math.min(Math.max(pageNumber, 0), lastPage());
    const shown = new Set(onPage());
    for (const section of sections) section.hidden = !shown.has(section);
    document.getElementById("nothing").hidden = listed.length > 0;
    document.getElementById("place").textContent = `${pageNumber + 1} / ${lastPage() + 1}`;
    for (const button of document.querySelectorAll("[data-do=previous]")) {
      button.disabled = pageNumber === 0;
    }
    for (const button of document.querySelectorAll("[data-do=next]")) {
      button.disabled = pageNumber === lastPage();
    }
    mark(null);
  }

  function turn(by) {
    const former = pageNumber;
    pageNumber += by;
    show();
    if (pageNumber === former) return;
    goTo(figuresOf(onPage())[0]);
    document.getElementById("groups").scrollIntoView();
  }

  const figuresOf = (some) =>
    some.flatMap((section) => [...section.querySelectorAll("figure.member")]);

  function mark(figure) {
    at?.classList.remove("at");
    at = figure;
    at?.classList.add("at");
  }

  // Whatever page it is on.
  function goTo(figure) {
    const place = listed.indexOf(figure.closest("section"));
    if (place >= 0 && !onPage().includes(listed[place])) {
      pageNumber = Math.floor(place / size);
      show();
    }
    mark(figure);
    figure.focus({ preventScroll: true });
    figure.scrollIntoView({ block: "nearest" });
  }

  function step(by) {
    const every = figuresOf(listed);
    const next = at ? every[every.indexOf(at) + by] : figuresOf(onPage())[0];
    if (next) goTo(next);
  }

  // The first picture to decide on of the next or the former group.
  function stepGroup(by) {
    const section = at ? listed[listed.indexOf(at.closest("section")) + by] : onPage()[0];
    if (!section) return;
    const open = section.querySelector("figure[data-state=review]");
    goTo(open ?? section.querySelector("figure.member"));
  }

  function save() {
    const text = Choices.saved(plan, choices, data("rest"));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    // Named by its time: a browser renames what is saved twice, and the older plan would be applied.
    const time = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
    link.download = `plan-${page.id}-decided-${time}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    isSaved = true;
    const { review, decided } = Choices.counted(plan, choices);
    const open = review > decided ? ` ${review - decided} not decided on stay where they are.` : "";
    say(`Saved as ${link.download}.${open} Then: objsearch duplicates apply ${link.download}`, 20);
  }

  // What a key means for a picture: k keeps it, in the stead of the other where that may go.
  function meant(g, i, letter) {
    const { can } = plan.notes[g][i];
    const whats = { k: ["keeper", "keep", "both"], r: ["remove"], b: ["both", "keep"], n: ["apart"] };
    if (letter === "u") return "undo";
    return whats[letter]?.find((what) => can.includes(what)) ?? whats[letter]?.[0];
  }

  // The compared pairs of all pages, in order: members that were compared with another.
  const pairs = () =>
    figuresOf(listed)
      .map(placeOf)
      .filter(([g, i]) => plan.notes[g][i].of >= 0);

  // Of a kept file, the first that was compared with it.
  function pairOf(figure) {
    const [g, i] = placeOf(figure);
    if (plan.notes[g][i].of >= 0) return [g, i];
    const first = plan.notes[g].findIndex((note) => note.of === plan.notes[g][i].file);
    return first < 0 ? null : [g, first];
  }

  function compare(figure) {
    const pair = pairOf(figure);
    if (pair) Compare.open(...pair);
  }

  const KEYS = {
    ArrowRight: () => step(1),
    ArrowLeft: () => step(-1),
    ArrowDown: () => stepGroup(1),
    ArrowUp: () => stepGroup(-1),
    "]": () => turn(1),
    "[": () => turn(-1),
    s: save,
    Enter: () => at && compare(at),
  };

  // A key pressed in a field or on a button is the field's; letters are ours on buttons, too.
  function isTaken(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return true;
    const on = event.target.closest?.("input, select, textarea, button, a, summary");
    return Boolean(on) && (event.key.length > 1 || on.matches("input, select, textarea"));
  }

  function onKey(event) {
    if (isTaken(event) || document.querySelector("dialog[open]")) return;
    const act = KEYS[event.key];
    if (act) act();
    else if (at && "krbnu".includes(event.key)) decide(...placeOf(at), meant(...placeOf(at), event.key));
    else return;
    event.preventDefault();
  }

  function onClick(event) {
    const button = event.target.closest("[data-do]");
    const figure = event.target.closest("figure.member");
    if (figure) mark(figure);
    if (!button || button.closest("dialog")) {
      if (figure && event.target.closest(".shot")) compare(figure);
      return;
    }
    const what = button.dataset.do;
    const acts = { previous: () => turn(-1), next: () => turn(1), save };
    if (acts[what]) acts[what]();
    else if (what === "compare") compare(figure);
    else decide(...placeOf(figure), what);
  }

  function start() {
    load();
    for (const [name, [label, isListed]] of Object.entries(FILTERS)) {
      const n = name === "review" || name === "all" ? plan.groups.filter((_, g) => isListed(g)).length : 0;
      filter.add(new Option(n ? `${label} (${n})` : label, name));
    }
    filter.value = plan.groups.some((_, g) => FILTERS.review[1](g)) ? "review" : "all";
    drawAll();
    document.body.classList.add("live");
    if (matchMedia("(hover: none)").matches) document.querySelector(".keys").open = false;
    filter.addEventListener("change", list);
    document.addEventListener("keydown", onKey);
    document.addEventListener("click", onClick);
    document.addEventListener("focusin", (event) => {
      const figure = event.target.closest("figure.member");
      if (figure) mark(figure);
    });
    addEventListener("storage", loadOfOtherTab);
    addEventListener("beforeunload", (event) => {
      if (!isKept && !isSaved) event.preventDefault();
    });
    list();
  }

  return { plan, BADGES, start, say, decide, meant, pairs, isChanged, isOpen, isTaken, figureOf, goTo, stateOf };
})();
