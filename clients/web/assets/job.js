// One job: its steps, its log, the film, files, quality; what can be done with it.
import {byId, complain, facts, h, keep, once, remake, say, setText, show, table} from "/assets/dom.js";
import {live} from "/assets/live.js";
import {exportForm, fileTable, madeTable, qualityReport} from "/assets/made.js";
import {act, actionsOf, badge, bar, fillBadge, fillBar, isUnderWay, trouble} from "/assets/parts.js";
import {Problem, filePath, get, getText, jobPath, options, post} from "/assets/server.js";
import {ENDED, age, atNode, duration, fileName, languageName, plural, rough, waitsFor} from "/assets/words.js";

const LOG_LINES = 500;
const LOG_MS = 2000;
const TRACK = /\.([a-z]{2,3}(?:-[A-Z][a-z]{3})?)\.(?:srt|vtt|ass|ttml)$/;
const REPORT = /\.([a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:\+[a-z]{2,3}(?:-[A-Z][a-z]{3})?)?)\.qc\.json$/;

let open = null;
const view = {};

/** Show a job. */
export async function openJob(id) {
  open = {id, known: "", state: "", languages: "", log: ""};
  const mine = open;
  build();
  try {
    const job = await live.watch(id);
    if (mine !== open) return;
    fill(job);
    readLog();
  } catch (problem) {
    if (mine !== open) return;
    setText(view.title, id);
    complain(view.problem, problem);
  }
}

export function closeJob() {
  open = null;
  view.video?.pause();
  view.video?.removeAttribute("src");
  byId("job").replaceChildren();
}

export function beginJob() {
  live.addEventListener("change", ({detail}) => {
    if (!open || (detail !== null && detail !== open.id)) return;
    const job = live.get(open.id);
    if (job) fill(job);
    else if (detail === open.id) complain(view.problem, new Problem("This job was removed."));
  });
  setInterval(() => {
    const job = open && live.get(open.id);
    if (job && !document.hidden && !ENDED.has(job.state)) readLog();
  }, LOG_MS);
}

function build() {
  const panel = (title, ...children) => h("section", {class: "panel"}, h("h2", {}, title), ...children);
  view.title = h("h1", {id: "job-title", tabindex: "-1"}, "…");
  view.badge = badge();
  view.bar = bar("Job, done");
  view.left = h("span", {class: "dim"});
  view.problem = h("p", {class: "problem", role: "alert", hidden: true});
  view.error = h("div", {class: "error", hidden: true});
  view.notes = h("ul", {class: "notes"});
  view.facts = h("div", {});
  view.steps = h("tbody", {});
  view.log = h("pre", {class: "log", tabindex: "0", role: "region", "aria-label": "Log"});
  view.film = h("div", {class: "film-box"});
  view.files = h("div", {});
  view.quality = h("div", {});
  view.export = h("div", {});
  view.video = null;
  view.qualityPanel = panel("Quality", view.quality);
  view.exportPanel = panel("Write in another format", view.export);
  view.filmPanel = panel("Film", view.film);
  for (const part of [view.qualityPanel, view.exportPanel]) part.hidden = true;
  const steps = ["Step", "Environment", "State", ["Time", "number"]];
  byId("job").replaceChildren(
    h("p", {class: "back"}, h("a", {href: "#films"}, "← Films")),
    h("div", {class: "head"}, view.title, h("p", {class: "standing"}, view.badge, view.bar, view.left)),
    buildActions(), view.problem, view.error, view.notes,
    h("div", {class: "columns"},
      h("div", {},
        panel("Steps", table("Steps", steps, view.steps)), panel("Log", view.log), panel("About", view.facts)),
      h("div", {}, view.filmPanel, panel("Files", view.files), view.qualityPanel, view.exportPanel)));
}

function buildActions() {
  const button = (action, text) => h("button", {type: "button", "data-action": action, hidden: true,
    onclick: ({currentTarget}) => once(currentTarget, () => doIt(action))}, text);
  view.stage = h("select", {id: "job-stage", "aria-label": "Stage to do again"});
  view.buttons = [button("cancel", "Cancel"), button("resume", "Resume")];
  const again = h("button", {type: "button", onclick: () => once(again, retry)}, "Do again from");
  view.retry = h("span", {class: "retry"}, again, view.stage);
  view.review = h("a", {class: "button", hidden: true}, "Put subtitles right");
  return h("p", {class: "buttons", "data-group": ""}, view.review, view.buttons, view.retry);
}

function fill(job) {
  const name = fileName(job.media);
  setText(view.title, name);
  document.title = `${name} · cpw`;
  fillBadge(view.badge, job.state);
  fillBar(view.bar, job.fraction, isUnderWay(job));
  const waits = waitsFor(job);
  const left = ENDED.has(job.state) || job.left_ms === null ? "" : `about ${rough(job.left_ms)} left`;
  setText(view.left, [waits && `waits for ${waits}`, left].filter(Boolean).join(", "));
  fillError(job);
  keep(view.notes, job.notes || [], note => note, note => h("li", {}, note));
  keep(view.steps, job.steps, step => step.name, makeStep, fillStep);
  fillFacts(job);
  fillActions(job);
  const done = job.steps.filter(step => step.state === "done").map(step => `${step.name}${step.attempt}`).join();
  const known = `${job.state} ${done}`;
  if (known !== open.known) {
    open.known = known;
    readFiles(job);
    if (ENDED.has(job.state)) readLog();
  }
}

function fillError(job) {
  const text = trouble(job);
  const details = (job.error || job.steps.map(step => step.error).find(Boolean))?.details || "";
  show(view.error, Boolean(text));
  remake(view.error, [text, details], () => [h("p", {}, text),
    details ? h("details", {}, h("summary", {}, "What the program says"), h("pre", {tabindex: "0"}, details)) : ""]);
}

function fillFacts(job) {
  const probability = job.language_probability ? `, ${Math.round(100 * job.language_probability)} % sure` : "";
  const pairs = [
    ["Workflow", job.workflow],
    ["Language", job.language ? `${languageName(job.language)}${probability}` : ""],
    ["Quality", job.quality ? `${job.quality.grade}: ${job.quality.why}` : ""],
    ["Added", age(job.created_at)],
    ["Worked", job.elapsed_ms ? duration(job.elapsed_ms) : ""],
    ["Job", job.job],
    ["Film", job.media],
    ["Folder", job.directory],
  ];
  remake(view.facts, pairs, () => [facts(pairs)]);
}

function makeStep(step) {
  return h("tr", {},
    h("td", {class: "step"}, step.name, h("p", {class: "why dim"})), h("td", {class: "environment dim"}),
    h("td", {}, badge(), bar(`${step.name}, done`)), h("td", {class: "number time"}));
}

function fillStep(row, step) {
  const at = step.attempt > 1 ? `attempt ${step.attempt}` : "";
  const waits = step.waits_for ? `waits for ${step.waits_for}` : "";
  // The error of a step is the job's, and stands above.
  const why = [at, waits, step.error ? "" : step.note].filter(Boolean).join(" · ");
  setText(row.querySelector(".why"), why);
  row.querySelector(".why").hidden = !why;
  setText(row.querySelector(".environment"), atNode(step.environment, step.node));
  fillBadge(row.querySelector(".badge"), step.state);
  row.querySelector(".bar").hidden = step.state !== "running";
  fillBar(row.querySelector(".bar"), step.fraction);
  setText(row.querySelector(".time"), duration(step.duration_ms ?? step.running_ms));
}

function fillActions(job) {
  const wanted = actionsOf(job);
  const ended = ["done", "failed", "cancelled"].includes(job.state);
  const done = job.steps.filter(step => step.attempt > 0 || step.state === "done").map(step => step.name);
  keep(view.stage, done, name => name, name => h("option", {value: name}, name));
  if (open.state !== job.state) {
    const failed = job.steps.find(step => step.state === "failed")?.name;
    view.stage.value = failed || (done.includes("asr") ? "asr" : done[0] || "");
    open.state = job.state;
  }
  for (const button of view.buttons) if (wanted.includes(button.dataset.action)) button.hidden = false;
  // First what is new is shown: the focus of what goes moves there.
  const again = ended && done.length > 0;
  if (again) view.retry.hidden = false;
  for (const button of view.buttons) show(button, wanted.includes(button.dataset.action));
  show(view.retry, again);
}

async function doIt(action) {
  const {id} = open;
  await attempt(() => act(id, action), action === "cancel" ? "The job is cancelled." : "The job goes on.");
}

async function retry() {
  const {id} = open;
  const stage = view.stage.value;
  await attempt(() => post(jobPath(id, "/retry"), {stage}), `The job is done again from ${stage}.`);
}

async function attempt(what, sentence) {
  const shown = view.problem;
  try {
    await what();
    complain(shown, null);
    say(sentence);
  } catch (problem) {
    complain(shown, problem);
  }
}

async function readLog() {
  const mine = open;
  let text = "";
  try {
    text = await getText(jobPath(mine.id, `/log?lines=${LOG_LINES}`));
  } catch {
    return; // The page says elsewhere that the line is lost, and asks again.
  }
  if (mine !== open || text === mine.log) return;
  const atEnd = view.log.scrollTop + view.log.clientHeight >= view.log.scrollHeight - 8;
  // What a person has selected stays where lines only come behind it.
  if (mine.log && text.startsWith(mine.log)) view.log.append(text.slice(mine.log.length));
  else view.log.textContent = text;
  mine.log = text;
  if (atEnd) view.log.scrollTop = view.log.scrollHeight;
}

async function readFiles(job) {
  const mine = open;
  let answer = null;
  try {
    answer = await get(jobPath(job.job, "/files"));
  } catch (problem) {
    complain(view.problem, problem);
    return;
  }
  if (mine !== open) return;
  fillFiles(job, answer);
  const made = answer.outputs;
  const languages = [...new Set(made.map(path => path.match(TRACK)?.[1]).filter(Boolean))];
  view.review.href = `/review/${encodeURIComponent(job.job)}`;
  show(view.review, ENDED.has(job.state) && languages.length > 0);
  fillFilm(job, languages);
  fillExport(job, languages);
  await fillQuality(job, made.filter(path => REPORT.test(path)));
}

function fillFiles(job, {files, outputs}) {
  const wanted = new Set(outputs);
  const [made, others] = [files.filter(file => wanted.has(file.path)), files.filter(file => !wanted.has(file.path))];
  remake(view.files, [files, outputs], () => [
    made.length ? madeTable(job.job, made) : h("p", {class: "dim"}, "Nothing is made yet."),
    h("details", {data: {name: "others"}},
      h("summary", {}, `All else that the job keeps: ${plural(others.length, "file")}`), fileTable(job.job, others)),
  ]);
}

/** The film with its subtitles. It is not touched again while its languages are the same: it may be playing. */
function fillFilm(job, languages) {
  const text = languages.join();
  if (view.video && open.languages === text) return;
  open.languages = text;
  const tracks = languages.map((language, place) => h("track", {
    kind: "subtitles", srclang: language, label: languageName(language),
    src: jobPath(job.job, `/tracks/${language}.vtt`), default: place === languages.length - 1 && ENDED.has(job.state),
  }));
  const told = h("p", {class: "dim", hidden: true}, "This browser cannot play the film. Players can: ",
    h("a", {href: jobPath(job.job, "/media"), download: ""}, "take it"), ".");
  const video = h("video", {controls: true, preload: "metadata", playsinline: true, "aria-label": "The film",
    src: jobPath(job.job, "/media"), onerror: () => {
      video.hidden = true;
      told.hidden = false;
    }}, tracks);
  view.video = video;
  view.film.replaceChildren(video, told);
}

async function fillQuality(job, reports) {
  const mine = open;
  const {rules} = await options().catch(() => ({rules: {}}));
  const read = await Promise.all(reports.map(path => get(filePath(job.job, path)).catch(() => null)));
  if (mine !== open) return;
  const found = read.filter(Boolean);
  view.qualityPanel.hidden = !found.length;
  remake(view.quality, found, () => found.map(report => qualityReport(report, rules)));
}

async function fillExport(job, languages) {
  const mine = open;
  view.exportPanel.hidden = !languages.length;
  if (!languages.length || view.export.dataset.languages === languages.join()) return;
  const known = await options().catch(() => null);
  if (mine !== open || !known) return;
  view.export.dataset.languages = languages.join();
  view.export.replaceChildren(exportForm(job, languages, known));
}
