// The list of films. Its rows are kept: what has the focus keeps it while everything moves.
import {byId, complain, h, keep, once, say, setText, show} from "/assets/dom.js";
import {live} from "/assets/live.js";
import {act, actionsOf, badge, bar, fillBadge, fillBar, isUnderWay, trouble} from "/assets/parts.js";
import {age, fileName, languageName, stageWords, timeLeft, waitsFor} from "/assets/words.js";

const MORE = 100;
const MORE_IN_SEARCH = 500;
const AGES_MS = 30_000;
const ACTIONS = {cancel: "Cancel", resume: "Resume"};
const rows = byId("films-rows");

export function beginFilms() {
  for (const field of [byId("films-state"), byId("films-text")]) field.addEventListener("input", showAll);
  byId("films-more").addEventListener("click", ({currentTarget}) => once(currentTarget, showMore));
  live.addEventListener("change", ({detail}) => (detail === null ? showAll() : showOne(detail)));
  setInterval(() => document.hidden || showAll(), AGES_MS);
}

function showAll() {
  const shown = live.list.filter(isWanted);
  keep(rows, shown, job => job.job, makeRow, fillRow);
  const filtered = isFiltered();
  setText(byId("films-count"), filtered ? `${shown.length} of the newest ${live.list.length}` : counted());
  setText(byId("films-more"), filtered ? "Search older films" : "Show more");
  show(byId("films-more"), live.hasMore);
  show(byId("films-table"), shown.length > 0);
  showEmpty(!shown.length, filtered);
}

function showOne(id) {
  const job = live.get(id);
  const row = rows.querySelector(`[data-key="${CSS.escape(id)}"]`);
  if (job && row && isWanted(job)) fillRow(row, job);
  else if (job && (row || isWanted(job)) && live.list.includes(job)) showAll();
  if (job && !isFiltered()) setText(byId("films-count"), counted());
}

function counted() {
  const going = state => live.list.filter(job => job.state === state).length;
  const parts = ["running", "queued", "held"].map(state => [going(state), state]).filter(([count]) => count);
  return parts.map(([count, state]) => `${count} ${state}`).join(", ");
}

function showEmpty(empty, filtered) {
  const box = byId("films-empty");
  show(box, empty);
  if (!empty) return;
  if (filtered) box.replaceChildren(h("p", {}, "No film that is loaded is so called and in this state."));
  else {
    box.replaceChildren(
      h("p", {class: "large"}, "No films yet"),
      h("p", {}, "Drop films anywhere on this page, or ", h("a", {href: "#add"}, "choose some"), "."));
  }
}

function isFiltered() {
  return Boolean(byId("films-state").value || byId("films-text").value.trim());
}

function isWanted(job) {
  const state = byId("films-state").value;
  const text = byId("films-text").value.trim().toLocaleLowerCase();
  if (state === "going" && ["done", "failed", "cancelled"].includes(job.state)) return false;
  if (state && state !== "going" && job.state !== state) return false;
  return !text || `${fileName(job.media)} ${job.job}`.toLocaleLowerCase().includes(text);
}

async function showMore() {
  const last = rows.lastElementChild;
  try {
    await live.more(isFiltered() ? MORE_IN_SEARCH : MORE);
    complain(byId("films-problem"), null);
  } catch (problem) {
    complain(byId("films-problem"), problem);
  }
  // Whoever goes by keys goes on where the new rows begin.
  (last?.nextElementSibling || last)?.querySelector("a")?.focus({preventScroll: true});
}

function makeRow(job) {
  const cell = (kind, ...children) => h("td", {role: "cell", class: kind}, ...children);
  const name = fileName(job.media);
  const row = h("tr", {role: "row"},
    cell("film", h("a", {href: `#job=${encodeURIComponent(job.job)}`}, name), h("p", {class: "why"})),
    cell("state", badge()), cell("stage"), cell("done"), cell("left"),
    cell("language"), cell("added"), cell("act"));
  return row;
}

function fillRow(row, job) {
  const part = kind => row.querySelector(`.${kind}`);
  fillBadge(part("badge"), job.state);
  const waits = waitsFor(job);
  const why = trouble(job) || (waits && `waits for ${waits}`);
  setText(part("why"), why);
  part("why").hidden = !why;
  setText(part("stage"), stageWords(job));
  fillDone(part("done"), job);
  setText(part("left"), timeLeft(job));
  setText(part("language"), languageName(job.language));
  setText(part("added"), age(job.created_at));
  keep(part("act"), actionsOf(job).slice(0, 1), action => action, action => makeAction(job, action));
}

/** Most films of a long list have ended, and need no bar. */
function fillDone(cell, job) {
  if (isUnderWay(job)) {
    if (!cell.firstChild) cell.append(bar(`${fileName(job.media)}, done`));
    fillBar(cell.firstChild, job.fraction);
  } else cell.firstChild?.remove();
}

function makeAction(job, action) {
  const name = fileName(job.media);
  const button = h("button", {type: "button", class: "quiet", "aria-label": `${ACTIONS[action]} ${name}`},
    ACTIONS[action]);
  button.addEventListener("click", () => once(button, async () => {
    try {
      await act(job.job, action);
      complain(byId("films-problem"), null);
      say(action === "cancel" ? `${name} is cancelled.` : `${name} goes on.`);
    } catch (problem) {
      complain(byId("films-problem"), problem);
    }
  }));
  return button;
}

/** Bring the focus back to a film of the list. */
export function focusFilm(id) {
  const link = rows.querySelector(`[data-key="${CSS.escape(id)}"] a`);
  (link || byId("films-title")).focus();
}

