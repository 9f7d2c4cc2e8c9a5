"use strict";
// What is chosen, as pure functions of the plan and of the choices; a page and a test call them.
//
// A plan here is {groups, notes, otherNames}: the plan's groups, and of each member where in its group
// the first name of its file stands (`file`), what it was compared with (`of`, -1 for nothing) and what
// may be chosen for it (`can`). Choices are {actions: {"g:i": action}, apart: {"g:i": true}}: values,
// never changed in place, that a browser keeps as JSON.
const Choices = (() => {
  const WORDS = {
    keep: "keep",
    keeper: "keep instead of the other",
    remove: "remove",
    both: "keep both",
    apart: "no duplicates",
  };
  const KEEPS_NOTHING = "One file of each group stays: choose another to keep first.";

  const fresh = () => ({ actions: {}, apart: {} });
  const key = (g, i) => `${g}:${i}`;

  function actionOf(plan, choices, g, i) {
    return choices.actions[key(g, i)] ?? plan.groups[g].members[i].action;
  }

  function stateOf(plan, choices, g, i) {
    return choices.apart[key(g, i)] ? "apart" : actionOf(plan, choices, g, i);
  }

  // A file goes or stays under all its names.
  function withAction(plan, choices, g, i, action) {
    const file = plan.notes[g][i].file;
    const actions = { ...choices.actions };
    plan.notes[g].forEach((note, j) => {
      if (note.file === file) actions[key(g, j)] = action;
    });
    return { ...choices, actions };
  }

  function without(choices, g, isMeant) {
    const left = (entries) =>
      Object.fromEntries(
        Object.entries(entries).filter(([name]) => {
          const [group, member] = name.split(":").map(Number);
          return group !== g || !isMeant(member);
        }),
      );
    return { actions: left(choices.actions), apart: left(choices.apart) };
  }

  function together(plan, choices, g, i) {
    const file = plan.notes[g][i].file;
    return { ...choices, apart: without(choices, g, (j) => plan.notes[g][j].file === file).apart };
  }

  // The choices after one more, or why it cannot be made: {choices, refused}.
  function decided(plan, choices, g, i, what) {
    if (what === "undo") return { choices: without(choices, g, () => true), refused: "" };
    const { of, can } = plan.notes[g][i];
    if (!can.includes(what)) return { choices, refused: `This cannot be chosen here: ${WORDS[what]}.` };
    let made = together(plan, choices, g, i);
    made = withAction(plan, made, g, i, what === "remove" ? "remove" : "keep");
    if (what === "keeper") made = withAction(plan, made, g, of, "remove");
    if (what === "both") made = withAction(plan, made, g, of, "keep");
    if (what === "apart") made = { ...made, apart: { ...made.apart, [key(g, i)]: true } };
    if (objection(plan, made, g)) made = otherAsPlanned(plan, made, g, of);
    const refused = objection(plan, made, g);
    return refused ? { choices, refused } : { choices: made, refused: "" };
  }

  // Another choice takes "keep this instead" back where nothing else would stay.
  function otherAsPlanned(plan, choices, g, of) {
    if (of < 0 || choices.actions[key(g, of)] !== "remove") return choices;
    const file = plan.notes[g][of].file;
    const { actions } = without(choices, g, (j) => plan.notes[g][j].file === file);
    return { ...choices, actions };
  }

  // Why a group cannot be as it is chosen; nothing when it can.
  function objection(plan, choices, g) {
    const members = plan.groups[g].members;
    const actions = members.map((_, i) => actionOf(plan, choices, g, i));
    if (!actions.includes("keep")) return KEEPS_NOTHING;
    for (let i = 0; i < members.length; i++) {
      if (actions[i] === "remove" && members[i].action !== "remove" && !mayGo(plan, g, i)) {
        return "It is protected, and stays.";
      }
      if (choices.apart[key(g, i)] && standsForOther(plan, actions, g, i)) {
        return "No duplicates: neither can stand for the other. Keep both.";
      }
    }
    return "";
  }

  // What is compared with a protected file is not kept in its stead.
  const mayGo = (plan, g, i) => plan.notes[g][i].can.includes("remove");

  // Of two that are no duplicates, one goes, and only the other would stay.
  function standsForOther(plan, actions, g, i) {
    const { file, of } = plan.notes[g][i];
    const other = plan.notes[g][of].file;
    const goes = (index) => actions[index] === "remove";
    const nothingBut = (index) =>
      actions.every((action, j) => action !== "keep" || plan.notes[g][j].file === index);
    return (goes(file) && nothingBut(other)) || (goes(other) && nothingBut(file));
  }

  const isDecided = (plan, choices, g, i) => stateOf(plan, choices, g, i) !== "review";

  function each(plan, use) {
    plan.groups.forEach((group, g) => group.members.forEach((member, i) => use(member, g, i)));
  }

  // How many were to be reviewed and are decided, what goes, and how many bytes that frees.
  function counted(plan, choices) {
    const told = { review: 0, decided: 0, removed: 0, bytes: 0, apart: 0 };
    each(plan, (member, g, i) => {
      if (member.action === "review") {
        told.review += 1;
        if (isDecided(plan, choices, g, i)) told.decided += 1;
      }
      if (choices.apart[key(g, i)]) told.apart += 1;
      if (actionOf(plan, choices, g, i) === "remove") {
        told.removed += 1;
        if (!plan.otherNames.has(member.path)) told.bytes += member.bytes;
      }
    });
    return told;
  }

  // The groups that choices are of: choices are never changed in place, and asked about all groups.
  const changedBy = new WeakMap();

  function isChanged(choices, g) {
    if (!changedBy.has(choices)) {
      const names = [...Object.keys(choices.actions), ...Object.keys(choices.apart)];
      changedBy.set(choices, new Set(names.map((name) => Number(name.split(":")[0]))));
    }
    return changedBy.get(choices).has(g);
  }

  function chosen(plan, choices, g, i) {
    const member = plan.groups[g].members[i];
    const action = actionOf(plan, choices, g, i);
    if (action === member.action && !choices.apart[key(g, i)]) return member;
    const said = choices.apart[key(g, i)] ? "no duplicates" : action;
    return { ...member, action, reason: `${member.reason}; decided: ${said}` };
  }

  // The plan with the choices in it, as text. `rest` is all but its groups, and stays as it is.
  function saved(plan, choices, rest) {
    const groups = plan.groups.map((group, g) => ({
      ...group,
      members: group.members.map((_, i) => chosen(plan, choices, g, i)),
    }));
    const pairs = [];
    each(plan, (member, g, i) => {
      if (choices.apart[key(g, i)]) pairs.push([member.path, member.copy_of]);
    });
    const end = rest.lastIndexOf("}");
    const made = `"groups":${JSON.stringify(groups)},"not_duplicates":${JSON.stringify(pairs)}`;
    return `${rest.slice(0, end)},${made}}\n`;
  }

  const isAction = (action) => action === "keep" || action === "remove";

  // Choices that a browser kept; what does not fit the plan is left out, group by group.
  function restored(plan, text) {
    let kept;
    try {
      kept = JSON.parse(text);
    } catch {
      return fresh();
    }
    const made = fresh();
    each(plan, (member, g, i) => {
      const name = key(g, i);
      const { of, can } = plan.notes[g][i];
      const action = kept?.actions?.[name];
      if (isAction(action) && (action === "keep" || can.includes("remove"))) made.actions[name] = action;
      if (kept?.apart?.[name] === true && of >= 0 && can.includes("apart")) made.apart[name] = true;
    });
    return plan.groups.reduce(
      (choices, _, g) =>
        isChanged(choices, g) && objection(plan, choices, g) ? without(choices, g, () => true) : choices,
      made,
    );
  }

  return { WORDS, fresh, stateOf, decided, counted, isChanged, isDecided, saved, restored };
})();
