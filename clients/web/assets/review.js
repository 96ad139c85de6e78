// Subtitles put right: the film, its sound, the list; saved as corrections that outlive a retry.
import {byId, h, setText} from "/assets/dom.js";
import {added, asLoaded, correctionsOf, cueOf, cuesOf, draftOf, History, join, split, withText, withTimes} from "/assets/review_cues.js";
import {beginFinding} from "/assets/review_find.js";
import {Rows} from "/assets/review_rows.js";
import {Voices} from "/assets/review_voices.js";
import {Wave} from "/assets/review_wave.js";
import {get, jobPath, post} from "/assets/server.js";
import {clock, decoded, fileName, languageName, plural} from "/assets/words.js";

const job = decoded(location.pathname.split("/").pop());
const film = byId("film");
const NUDGE_MS = 100;
const DOUBTFUL_WORD = "doubtful word: ";
const ENDED = new Set(["done", "failed", "cancelled"]);

let review = null;
let track = null;
let loaded = [];
let history = new History([]);
let current = "";
let stopAt = null;
let queued = [];

const cues = () => history.cues;
const cue = () => cues().find(one => one.id === current);
const nowMs = () => Math.round(film.currentTime * 1000) + (review?.playable_starts_ms || 0);
const changes = () => correctionsOf(loaded, cues());
const draftKey = () => `cpw-draft ${job} ${track.language} ${review.base}`;

const wave = new Wave(byId("wave"), {
  seek,
  chosen: id => choose(id, false),
  moved(id, start, end, done) {
    const next = withTimes(cues(), id, start, end);
    if (done) put(next);
    else wave.show(next, id);
  },
});
const rows = new Rows(byId("rows"), {
  chosen: id => choose(id, false),
  typed(id, text) {
    history.put(withText(cues(), id, text), `text ${id}`);
    const place = cues().findIndex(one => one.id === id);
    for (const near of [place, place + 1]) if (cues()[near]) rows.fillOne(cues(), near, facts());
    afterChange();
  },
});

function facts() {
  return {current, numbers: track.numbers, language: track.language, doubtsOf, besideOf};
}

function doubtsOf(one) {
  const touching = track.doubts.filter(([start, end]) => start < one.end_ms && end > one.start_ms);
  const [words, others] = [[], []];
  for (const [, , why] of touching) (why.startsWith(DOUBTFUL_WORD) ? words : others).push(why);
  const told = words.length ? [`doubtful: ${words.map(why => why.slice(DOUBTFUL_WORD.length)).join(" ")}`] : [];
  return [...new Set(others), ...told];
}

/** The other language's text at the same time: what was said beside a translation. */
function besideOf(one) {
  const source = review.page.tracks.find(other => other !== track && !other.translated_from);
  if (!source || !track.translated_from) return "";
  const touching = source.cues.filter(([start, end]) => Math.min(end, one.end_ms) - Math.max(start, one.start_ms) > 150);
  return touching.map(([, , , lines]) => lines.join(" ")).join(" / ");
}

function put(next, id = current) {
  history.put(next);
  current = id;
  draw();
}

function draw() {
  if (!cue()) current = cues()[0]?.id || "";
  rows.show(cues(), facts());
  byId("empty").hidden = cues().length > 0;
  afterChange();
}

function afterChange() {
  wave.show(cues(), current);
  const made = changes();
  byId("save").disabled = !made.length;
  byId("undo").disabled = history.place === 0;
  byId("redo").disabled = history.place === history.states.length - 1;
  if (made.length) sessionStorage.setItem(draftKey(), draftOf(loaded, cues()));
  else sessionStorage.removeItem(draftKey());
  tell(made.length ? `${plural(made.length, "change")} not saved` : "");
  showCue();
}

function tell(text) {
  setText(byId("state"), text);
}

function complain(problem) {
  byId("trouble").hidden = !problem;
  setText(byId("trouble"), problem ? problem.message : "");
}

function choose(id, withFocus = true) {
  if (id !== current) {
    current = id;
    for (const row of byId("rows").children) row.dataset.current = String(row.dataset.key === id);
    const one = cue();
    if (one && (nowMs() < one.start_ms || nowMs() > one.end_ms)) seek(one.start_ms);
    wave.show(cues(), current);
  }
  if (withFocus) rows.focus(id);
}

function seek(ms) {
  stopAt = null;
  queued = [];
  film.currentTime = Math.max(0, (ms - review.playable_starts_ms) / 1000);
  wave.at(Math.max(0, ms));
  showCue(ms);
}

/** Play stretches of the film, one after the other. */
function playLines([first, ...rest]) {
  seek(first.start_ms);
  stopAt = first.end_ms;
  queued = rest;
  film.play();
}

function showCue(ms = nowMs()) {
  const there = cues().find(one => one.start_ms <= ms && ms < one.end_ms);
  setText(byId("shown"), there ? there.text : "");
}

/** One turn of a key: the next subtitle from here, or the one before. */
function step(by) {
  const place = cues().findIndex(one => one.id === current);
  const next = cues()[place + by];
  if (next) choose(next.id);
}

const acts = {
  play() {
    seek(cue().start_ms);
    stopAt = cue().end_ms;
    film.play();
  },
  in: () => put(withTimes(cues(), current, nowMs(), Math.max(cue().end_ms, nowMs() + 300))),
  out: () => put(withTimes(cues(), current, Math.min(cue().start_ms, nowMs() - 300), nowMs())),
  earlier: () => put(withTimes(cues(), current, cue().start_ms - NUDGE_MS, cue().end_ms - NUDGE_MS)),
  later: () => put(withTimes(cues(), current, cue().start_ms + NUDGE_MS, cue().end_ms + NUDGE_MS)),
  split() {
    const text = rows.textarea(current);
    const place = text && text.selectionStart > 0 ? text.selectionStart : Math.floor(cue().text.length / 2);
    const next = split(cues(), current, place, track.numbers.min_gap_ms);
    if (next) put(next);
    else tell("Put the cursor where the second part begins.");
  },
  join() {
    const next = join(cues(), current);
    if (next) put(next);
  },
  add() {
    const next = added(cues(), current, current ? cue().end_ms + track.numbers.min_gap_ms : nowMs());
    if (!next) return tell("There is no room after this one.");
    put(next.cues, next.id);
    return rows.focus(next.id);
  },
  remove() {
    const place = cues().findIndex(one => one.id === current);
    const near = cues()[place + 1] || cues()[place - 1];
    put(cues().filter(one => one.id !== current), near?.id || "");
    if (near) rows.focus(near.id);
  },
  doubt() {
    const place = cues().findIndex(one => one.id === current);
    const found = [...cues().slice(place + 1), ...cues().slice(0, place + 1)].find(one => doubtsOf(one).length);
    if (found) choose(found.id);
    else tell("No line is doubtful.");
  },
  hear: () => again({}, "Hearing it again"),
  translate() {
    const text = besideOf(cue());
    if (!text) return tell("There is no spoken line beside this one.");
    return again({text, target_language: track.language}, "Translating it again");
  },
};

/** Have a warm worker do the chosen stretch again; what it finds is a change like any other. */
async function again(wanted, sentence) {
  const one = cue();
  if (!one) return;
  tell(`${sentence} ...`);
  try {
    const found = await post(jobPath(job, "/again"), {start_ms: one.start_ms, end_ms: one.end_ms, ...wanted});
    const text = found.segments.map(segment => segment.text.trim()).join(" ");
    if (!text) tell("Nothing was heard there.");
    else if (cues().some(still => still.id === one.id)) put(withText(cues(), one.id, text), one.id);
  } catch (problem) {
    complain(problem);
  }
}

async function save() {
  const made = changes();
  if (!made.length) return;
  tell("Saving ...");
  complain(null);
  try {
    const draft = draftKey();
    const saved = await post(jobPath(job, "/corrections"), {language: track.language, base: review.base, changes: made});
    sessionStorage.removeItem(draft);
    review.base = saved.base;
    loaded = asLoaded(cues());
    history = new History(loaded);
    draw();
  } catch (problem) {
    complain(problem);
    tell(`${plural(made.length, "change")} not saved`);
    return;
  }
  try {
    await settled();
    await load(track.language);
    tell(`Saved. ${plural(made.length, "change")} in every file.`);
  } catch (problem) {
    // The server went away afterwards: what was saved is saved.
    complain(problem);
    tell("Saved. Load this page again to see the files that were made.");
  }
}

const voices = new Voices(job, {
  play: playLines,
  complain,
  async saved() {
    try {
      await settled();
      await load(track?.language || "");
      tell("Saved. The names are in every file.");
    } catch (problem) {
      complain(problem);
    }
  },
});

/** Wait until the files are made again. */
async function settled() {
  for (;;) {
    const {jobs} = await get(jobPath(job));
    if (ENDED.has(jobs[0].state)) return;
    tell("Saved. The files are being made again ...");
    await new Promise(resolve => setTimeout(resolve, 150));
  }
}

/** Have a film made that the browser plays. */
async function copy() {
  byId("copy").disabled = true;
  tell("A film that the browser plays is being made; that may take minutes ...");
  try {
    const found = await post(jobPath(job, "/review/copy"));
    film.removeAttribute("src");
    showFilm(found);
    tell("");
  } catch (problem) {
    complain(problem);
  }
  byId("copy").disabled = false;
}

function showFilm(found) {
  if (found.playable && !film.hasAttribute("src")) film.src = jobPath(job, "/review/media");
  film.classList.toggle("sound", !found.has_picture);
  byId("copy").hidden = !found.can_copy;
  review.playable_starts_ms = found.playable_starts_ms;
}

async function load(language) {
  review = await get(jobPath(job, "/review"));
  await voices.load().catch(complain);
  const {page} = review;
  setText(byId("title"), page.title);
  document.title = `${page.title} · cpw`;
  byId("language").replaceChildren(...page.tracks.map(one => h("option", {value: one.language}, languageName(one.language))));
  const notes = [...page.notes];
  showFilm(review);
  wave.load(page.wave);
  setText(byId("about"), [fileName(page.film), ...notes].join(". "));
  open(page.tracks.find(one => one.language === language) || page.tracks[0]);
}

function open(wanted) {
  track = wanted;
  if (!track) return;
  byId("language").value = track.language;
  loaded = track.cues.map(cueOf);
  history = new History(loaded);
  const draft = sessionStorage.getItem(draftKey());
  const kept = draft && cuesOf(draft, loaded);
  if (kept) history.put(kept);
  current = cues().find(one => one.end_ms > nowMs())?.id || cues()[0]?.id || "";
  byId("rows").lang = track.language;
  draw();
  if (kept) tell("What you changed before is here again, not saved yet.");
  else if (draft) tell("The subtitles are others now: what you changed before does not fit them.");
  wave.at(nowMs());
}

const SHORTCUTS = {
  "Ctrl+s": save, "Ctrl+z": () => history.move(-1) && draw(), "Ctrl+y": () => history.move(1) && draw(),
  "Ctrl+Shift+Z": () => history.move(1) && draw(), "Ctrl+Enter": acts.split, "Ctrl+j": acts.join,
  "Ctrl+i": acts.add, "Ctrl+Delete": acts.remove, "F8": acts.doubt, "Alt+h": acts.hear, "Alt+t": acts.translate,
  "Alt+p": acts.play, "Alt+[": acts.in, "Alt+]": acts.out, "Alt+ArrowLeft": acts.earlier,
  "Alt+ArrowRight": acts.later, "PageDown": () => step(1), "PageUp": () => step(-1),
  "Ctrl+ ": () => (film.paused ? film.play() : film.pause()),
};

addEventListener("keydown", event => {
  const keys = [event.ctrlKey || event.metaKey ? "Ctrl" : "", event.altKey ? "Alt" : "",
    event.shiftKey && event.key.length === 1 && event.ctrlKey ? "Shift" : "", event.key].filter(Boolean).join("+");
  if (keys === "?" && !event.target.closest("input, textarea")) byId("keys").showModal();
  const act = SHORTCUTS[keys];
  if (!act || byId("keys").open) return;
  event.preventDefault();
  act();
});

for (const button of document.querySelectorAll("[data-act]"))
  button.addEventListener("click", () => (cue() || button.dataset.act === "add") && acts[button.dataset.act]());
byId("save").addEventListener("click", save);
byId("copy").addEventListener("click", copy);
byId("undo").addEventListener("click", SHORTCUTS["Ctrl+z"]);
byId("redo").addEventListener("click", SHORTCUTS["Ctrl+y"]);
byId("keys-open").addEventListener("click", () => byId("keys").showModal());
byId("language").addEventListener("change", event => open(review.page.tracks.find(one => one.language === event.target.value)));
beginFinding({cues, put, choose, current: () => current, shortcuts: SHORTCUTS});

film.addEventListener("timeupdate", () => {
  if (stopAt !== null && nowMs() >= stopAt) {
    stopAt = null;
    if (queued.length) playLines(queued);
    else film.pause();
  }
  wave.at(nowMs());
  showCue();
  const there = cues().find(one => one.start_ms <= nowMs() && nowMs() < one.end_ms);
  if (!film.paused && there && there.id !== current && stopAt === null) {
    current = there.id;
    for (const row of byId("rows").children) row.dataset.current = String(row.dataset.key === current);
    rows.scroll(current);
    wave.show(cues(), current);
  }
});
addEventListener("beforeunload", event => {
  if (changes().length) event.preventDefault();
});

try {
  await load(new URLSearchParams(location.search).get("language") || "");
} catch (problem) {
  complain(problem);
}
