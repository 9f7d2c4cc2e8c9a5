"use strict";
// Two pictures side by side and laid over each other, one pair after the other.
const Compare = (() => {
  const MOST_HEIGHT = 0.62; // of the window, for a stage
  const LEAST_HEIGHT = 160; // of a stage, in pixels
  const ROOM = 32; // around stage and slider
  const BLINK_MS = 700;
  const dialog = document.getElementById("compare");
  const part = (selector) => dialog.querySelector(selector);
  const stage = part(".stage");
  const share = part("#share");
  const mix = part("#mix");
  let at = null; // [group, member]
  let isOver = false;
  let blinking = null;

  const note = () => Review.plan.notes[at[0]][at[1]];
  const memberAt = (i) => Review.plan.groups[at[0]].members[i];
  const button = (what) => part(`[data-do=${what}]`);

  function open(g, i) {
    at = [g, i];
    if (!dialog.open) dialog.showModal();
    dialog.focus();
    dialog.scrollTop = 0;
    part(".status").textContent = "";
    draw();
  }

  // The picture of a figure in the list, with more marks where there are any.
  function copied(figure, picture, role, paths) {
    const shot = figure.querySelector(".shot");
    picture.querySelector(".shot").replaceChildren(...[...shot.childNodes].map((node) => node.cloneNode(true)));
    const image = picture.querySelector("img");
    if (image) {
      image.alt = `${role}: ${image.alt}`;
      image.loading = "eager"; // it is needed for the overlay while it is hidden
    }
    const marks = picture.querySelector("svg.marks");
    for (const [kind, d] of Object.entries(paths)) if (marks && d) marks.append(pathOf(kind, d));
    const told = figure.querySelector(".told").cloneNode(true);
    picture.querySelector("figcaption").replaceChildren(told);
    picture.dataset.state = figure.dataset.state;
  }

  // Which of the two lies below and which above, and what is said of them.
  function named(side, figure) {
    const parts = [...figure.querySelectorAll(".badge, .name, .why")].map((told) => told.cloneNode(true));
    part(`.sides .${side}`).replaceChildren(`${side} picture `, ...parts);
    part(`.sides .${side}`).dataset.state = figure.dataset.state;
  }

  function pathOf(kind, d) {
    const path = document.createElementNS(part(".stage svg").namespaceURI, "path");
    path.setAttribute("class", kind);
    path.setAttribute("d", d);
    return path;
  }

  function draw() {
    const [g, i] = at;
    const { of, can, overlay } = note();
    const pairs = Review.pairs();
    const place = pairs.findIndex(([a, b]) => a === g && b === i);
    part("#title").textContent = `Group ${Review.plan.groups[g].group} · pair ${place + 1} of ${pairs.length}`;
    const gained = overlay?.gained ?? "";
    copied(Review.figureOf(g, of), part(".kept"), "Compared with", {});
    part(".kept svg.marks")?.replaceChildren();
    for (const [kind, d] of [["gained", gained], ["differs", overlay?.differs ?? ""]]) {
      if (d) part(".kept svg.marks")?.append(pathOf(kind, d));
    }
    copied(Review.figureOf(g, i), part(".other"), "The other", {});
    for (const [side, member] of [["first", of], ["second", i]]) named(side, Review.figureOf(g, member));
    for (const what of ["keep", "keeper", "remove", "both", "apart"]) {
      button(what).hidden = !can.includes(what);
    }
    button("undo").hidden = !Review.isChanged(g);
    button("back").disabled = place <= 0;
    button("forth").disabled = place >= pairs.length - 1;
    drawOver();
  }

  function drawOver() {
    const canLie = Boolean(note().overlay) && Boolean(part(".kept img")) && Boolean(part(".other img"));
    const isShown = isOver && canLie;
    button("over").disabled = !canLie;
    button("over").setAttribute("aria-pressed", String(isShown));
    button("beside").setAttribute("aria-pressed", String(!isShown));
    part(".beside").hidden = isShown;
    part(".over").hidden = !isShown;
    part(".legend").replaceChildren(...legend(canLie));
    if (isShown) lay();
    else blink(false);
  }

  function legend(canLie) {
    const { overlay } = note();
    const member = memberAt(at[1]);
    const told = [
      [member.differs.length, "differs", "differs"],
      [overlay?.lost, "lost", "only in the second picture: lost when that is removed"],
      [overlay?.gained, "gained", "only in the first picture"],
    ];
    const items = told.filter(([is]) => is).map(([, kind, text]) => {
      const item = document.createElement("span");
      item.className = `key ${kind}`;
      item.textContent = text;
      return item;
    });
    if (!canLie) items.push("These two cannot be laid over each other.");
    return items;
  }

  // As high as the slider below it stays in sight.
  function mostHeight() {
    const others = ["header", "footer", ".mix"].map((which) => part(which).offsetHeight);
    const left = dialog.clientHeight - others.reduce((sum, height) => sum + height) - ROOM;
    return Math.max(LEAST_HEIGHT, Math.min(left, innerHeight * MOST_HEIGHT));
  }

  // Everything is placed by properties that a script sets: the page's policy lets no style attribute in.
  function lay() {
    const { of, overlay } = note();
    const sides = { below: [part(".kept img"), memberAt(of)], above: [part(".other img"), memberAt(at[1])] };
    const given = {};
    for (const [name, [source, member]] of Object.entries(sides)) {
      const image = part(`.stage .${name}`);
      if (image.src !== source.src) image.src = source.src;
      image.alt = source.alt;
      if (!source.naturalWidth) {
        source.decode().then(() => isOver && dialog.open && lay()).catch(() => {});
        return;
      }
      given[name] = {
        size: [member.width, member.height],
        copy: [source.naturalWidth, source.naturalHeight],
      };
    }
    const width = part(".mix").clientWidth - 2;
    const placed = Laying.placed(overlay, given.below, given.above, width, mostHeight());
    stage.style.width = `${placed.width}px`;
    stage.style.height = `${placed.height}px`;
    for (const [name, transform] of [["below", placed.keep], ["above", placed.member]]) {
      const image = part(`.stage .${name}`);
      image.style.width = `${given[name].copy[0]}px`;
      image.style.height = `${given[name].copy[1]}px`;
      image.style.transform = transform;
    }
    const marks = part(".stage svg.marks");
    marks.setAttribute("viewBox", placed.viewBox);
    const paths = [["gained", overlay.gained], ["lost", overlay.beyond], ["differs", overlay.differs]];
    marks.replaceChildren(...paths.filter(([, d]) => d).map(([kind, d]) => pathOf(kind, d)));
    blend();
  }

  // Where the first ends and the other begins, how much that shows through, or the difference of both.
  function blend() {
    const veil = part(".veil");
    const part100 = Number(share.value);
    veil.style.clipPath = mix.value === "wipe" ? `inset(0 0 0 ${part100}%)` : "";
    veil.style.opacity = mix.value === "fade" ? part100 / 100 : "";
    veil.style.mixBlendMode = mix.value === "difference" ? "difference" : "";
    share.disabled = mix.value === "difference";
    stage.classList.toggle("wiped", mix.value === "wipe");
    stage.style.setProperty("--share", `${part100}%`);
  }

  function blink(isOn) {
    clearInterval(blinking);
    blinking = null;
    stage.classList.remove("blank", "blinking");
    button("blink").setAttribute("aria-pressed", String(isOn));
    if (!isOn) return;
    stage.classList.add("blinking");
    blinking = setInterval(() => stage.classList.toggle("blank"), BLINK_MS);
  }

  function turnOver(is) {
    isOver = is;
    drawOver();
  }

  function step(by) {
    const pairs = Review.pairs();
    const next = pairs[pairs.findIndex(([g, i]) => g === at[0] && i === at[1]) + by];
    if (next) open(...next);
  }

  // On to the next that is to be decided on, on whatever page, from here to the end and then from the start.
  function on() {
    const pairs = Review.pairs();
    const now = pairs.findIndex(([g, i]) => g === at[0] && i === at[1]);
    const next = [...pairs.slice(now + 1), ...pairs.slice(0, now)].find((pair) => Review.isOpen(...pair));
    if (next) open(...next);
    return Boolean(next);
  }

  function decide(what) {
    const wasOpen = Review.isOpen(...at);
    const isTaken = Review.decide(...at, what);
    if (isTaken && !(what !== "undo" && wasOpen && on())) {
      draw();
      dialog.focus();
    }
    part(".status").textContent = document.getElementById("toast").textContent; // it lies behind
  }

  const ACTS = {
    close: () => dialog.close(),
    beside: () => turnOver(false),
    over: () => turnOver(true),
    blink: () => {
      if (!isOver) turnOver(true);
      if (!part(".over").hidden) blink(!blinking);
    },
    back: () => step(-1),
    forth: () => step(1),
  };
  const KEYS = {
    ArrowLeft: ACTS.back,
    ArrowRight: ACTS.forth,
    ArrowUp: ACTS.back,
    ArrowDown: ACTS.forth,
    Enter: () => on() || step(1),
    o: () => turnOver(!isOver),
    x: ACTS.blink,
  };

  function start() {
    dialog.addEventListener("click", (event) => {
      const what = event.target.closest("[data-do]")?.dataset.do;
      if (what) (ACTS[what] ?? (() => decide(what)))();
    });
    dialog.addEventListener("keydown", (event) => {
      if (Review.isTaken(event)) return;
      if (KEYS[event.key]) KEYS[event.key]();
      else if ("krbnu".includes(event.key)) decide(Review.meant(...at, event.key));
      else return;
      event.preventDefault();
    });
    dialog.addEventListener("close", () => {
      blink(false);
      Review.goTo(Review.figureOf(...at));
    });
    share.addEventListener("input", blend);
    mix.addEventListener("change", blend);
    addEventListener("resize", () => dialog.open && isOver && drawOver());
  }

  const refresh = () => dialog.open && draw();

  return { open, start, refresh };
})();
Compare.start();
Review.start();
