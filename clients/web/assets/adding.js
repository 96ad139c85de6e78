// Adding films: which, and what is to be done with them.
import {byId, complain, facts, h, keep, once, say, setText, table} from "/assets/dom.js";
import {Problem, options, post} from "/assets/server.js";
import {start, take, unstarted, uploads} from "/assets/uploads.js";
import {duration, fileName, plural, size} from "/assets/words.js";

const REMEMBERED = "cpw.wish";
const WORKFLOWS = {
  transcribe: ["Subtitles in its language", "what is spoken, written down"],
  translate: ["Subtitles in other languages", "what is spoken, translated"],
  subtitle: ["Film with subtitles", "its language and others, and a copy of the film that holds them"],
};
const STAGES = {
  separate: "Take voices out of the music first (separate)",
  vad: "Look for speech by a model of its own (vad)",
};

let view = null;
let known = null;
let targets = [];

/** Make the form when it is first shown. */
export async function openAdding() {
  if (view) return;
  try {
    known = await options();
  } catch (problem) {
    byId("add").replaceChildren(title(), h("p", {class: "problem", role: "alert"}, problem.message));
    return;
  }
  view = build();
  byId("add").replaceChildren(title(), view.form);
  recall();
  uploads.addEventListener("change", showButtons);
  showWorkflow();
  showButtons();
}

function title() {
  return h("h1", {id: "add-title", tabindex: "-1"}, "Add films");
}

function build() {
  const made = {
    files: h("input", {type: "file", id: "add-files", multiple: true}),
    paths: h("textarea", {id: "add-paths", rows: "2", spellcheck: "false", "aria-describedby": "add-places"}),
    source: languages("add-source", "found by listening"),
    target: languages("add-target", "add a language …", known.scripts),
    chosen: h("ul", {class: "chips", "aria-label": "Target languages"}),
    profile: h("select", {id: "add-profile"}, known.profiles.map(name => h("option", {value: name}, name))),
    settings: h("textarea", {id: "add-settings", rows: "3", spellcheck: "false", placeholder: "asr.model=small"}),
    priority: h("input", {id: "add-priority", type: "number", step: "1", class: "short"}),
    again: h("input", {id: "add-again", type: "checkbox"}),
    hold: h("input", {id: "add-hold", type: "checkbox"}),
    submit: h("button", {type: "submit", class: "strong"}, "Start"),
    dry: h("button", {type: "button"}, "What would be done?"),
    problem: h("p", {class: "problem", role: "alert", hidden: true}),
    forecast: h("div", {class: "forecast", tabindex: "-1"}),
  };
  made.stages = known.optional_stages.map(name => h("input", {type: "checkbox", value: name, id: `add-with-${name}`}));
  made.workflows = known.workflows.map(flow =>
    h("input", {type: "radio", name: "workflow", value: flow.name, id: `add-${flow.name}`}));
  made.form = h("form", {class: "adding"}, h("div", {class: "columns"}, fields(made), made.forecast));
  listen(made);
  return made;
}

function fields(made) {
  return h("div", {class: "fields"},
    h("fieldset", {}, h("legend", {}, "Films"),
      h("div", {class: "dropping"}, h("label", {for: "add-files"}, "Drop them here, or choose files"), made.files),
      h("label", {for: "add-paths"}, "Or name what is on the server, a line each: films, folders, patterns"),
      made.paths, places()),
    h("fieldset", {}, h("legend", {}, "What to make"), made.workflows.map(radio),
      h("div", {class: "pair"},
        h("div", {}, h("label", {for: "add-source"}, "Spoken language"), made.source),
        h("div", {class: "targets"}, h("label", {for: "add-target"}, "Translate into"), made.target, made.chosen),
        h("div", {}, h("label", {for: "add-profile"}, "Rules of the subtitles"), made.profile))),
    h("details", {}, h("summary", {}, "More settings"),
      made.stages.map(box => checkbox(box, STAGES[box.value] || `Do ${box.value}, too`)),
      checkbox(made.again, "Do everything again, also what another job has done"),
      checkbox(made.hold, "Only prepare: wait until it is resumed"),
      h("p", {class: "line-of-fields"}, h("label", {for: "add-priority"}, "Priority"), made.priority,
        h("span", {class: "dim"}, "higher goes first")),
      h("label", {for: "add-settings"}, "Settings of stages, a line each: stage.field=value"), made.settings),
    made.problem,
    h("p", {class: "buttons"}, made.submit, made.dry));
}

function radio(input) {
  const [name, meaning] = WORKFLOWS[input.value] || [input.value, ""];
  return h("div", {class: "choice"}, input, h("label", {for: input.id}, name, h("span", {class: "dim"}, meaning)));
}

function checkbox(input, text) {
  return h("div", {class: "choice"}, input, h("label", {for: input.id}, text));
}

function languages(id, first, more = []) {
  return h("select", {id}, h("option", {value: ""}, first),
    [...known.languages, ...more].map(({code, name}) => h("option", {value: code}, name)));
}

function places() {
  const none = "No folder may be named yet: CPW_MEDIA=/folder cpw up";
  const text = known.media.length ? `Below ${known.media.join(", ")}` : none;
  return h("p", {class: "dim", id: "add-places"}, text);
}

function listen(made) {
  made.files.addEventListener("change", () => {
    take([...made.files.files]);
    made.files.value = "";
  });
  made.target.addEventListener("change", () => {
    if (made.target.value && !targets.includes(made.target.value)) targets.push(made.target.value);
    made.target.value = "";
    showTargets();
  });
  made.form.addEventListener("submit", event => {
    event.preventDefault();
    once(made.submit, submit);
  });
  made.form.addEventListener("change", showWorkflow);
  made.paths.addEventListener("input", showButtons);
  made.dry.addEventListener("click", () => once(made.dry, dryRun));
}

const workflow = () => known.workflows.find(flow => flow.name === view.form.elements.workflow.value);

function showWorkflow() {
  view.form.querySelector(".targets").hidden = !workflow().targets;
}

function showTargets() {
  keep(view.chosen, targets, code => code, code => {
    const name = [...known.languages, ...known.scripts].find(language => language.code === code)?.name || code;
    return h("li", {}, h("button", {type: "button", class: "chip", "aria-label": `Remove ${name}`, onclick: () => {
      targets = targets.filter(other => other !== code);
      view.target.focus();
      showTargets();
    }}, name, h("span", {"aria-hidden": "true"}, " ×")));
  });
}

const paths = () => view.paths.value.split("\n").map(line => line.trim()).filter(Boolean);

function showButtons() {
  const films = unstarted().length;
  setText(view.submit, films > 1 ? `Start ${films} films` : "Start");
  setText(byId("uploads-title"), films ? "Films to be started" : "Films on their way");
}

/** Return the submission that the form says, without its films. */
function wish() {
  const set = {"subtitle.profile": view.profile.value};
  for (const line of view.settings.value.split("\n").map(text => text.trim()).filter(Boolean)) {
    const [name, ...rest] = line.split("=");
    if (!rest.length) throw new Problem(`“${line}” is not of the form stage.field=value.`, 400);
    set[name.trim()] = rest.join("=").trim();
  }
  return {
    workflow: workflow().name,
    source_language: view.source.value || null,
    target_languages: workflow().targets ? targets : [],
    with_stages: view.stages.filter(box => box.checked).map(box => box.value),
    set,
    again: view.again.checked,
    hold: view.hold.checked,
    priority: view.priority.value === "" ? null : Number(view.priority.value),
  };
}

async function submit() {
  try {
    const [wanted, named] = [wish(), paths()];
    if (!named.length && !unstarted().length) throw new Problem("Choose films first, or name some.", 400);
    if (named.length) await submitPaths(wanted, named);
    start(wanted);
    remember();
    complain(view.problem, null);
    view.forecast.replaceChildren();
    location.hash = "#films";
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    complain(view.problem, problem);
  }
}

async function submitPaths(wanted, named) {
  const answer = await post("/api/jobs", {...wanted, media: named});
  const refused = (answer.refused || []).map(film => `${fileName(film.media)}: ${film.message} ${film.remedy}`.trim());
  if (!answer.jobs.length || refused.length) throw new Problem(refused.join(" ") || "There is no film.", 422);
  view.paths.value = "";
  say(`${plural(answer.jobs.length, "film")} added.`);
}

async function dryRun() {
  try {
    const [wanted, named] = [wish(), paths()];
    const arrived = unstarted().filter(film => film.upload);
    if (!named.length && !arrived.length) {
      const waits = unstarted().length;
      throw new Problem(waits ? "The films are still being sent." : "Choose films first, or name some.", 400);
    }
    const asked = [...(named.length ? [{media: named}] : []), ...arrived.map(film => ({upload: film.upload}))];
    const reports = await Promise.all(asked.map(films => post("/api/jobs/dry-run", {...wanted, ...films})));
    complain(view.problem, null);
    view.forecast.replaceChildren(...forecast(reports));
    view.forecast.focus();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    complain(view.problem, problem);
  }
}

function forecast(reports) {
  const films = reports.flatMap(report => report.films);
  const models = new Map(reports.flatMap(report => report.models).map(model => [model.model, model]));
  const [report] = reports;
  return [
    h("h2", {}, "What would be done"),
    facts([
      ["Takes", films.length && known_ms(report.takes_ms)],
      ["Waits first", report.waits_ms ? duration(report.waits_ms) : ""],
      ["Models", [...models.values()].map(model => `${model.model}${model.loaded ? " (loaded)" : ""}`).join(", ")],
      ["Memory of models", size(report.memory_bytes)],
    ]),
    ...films.map(filmForecast),
  ];
}

const known_ms = ms => (ms === null || ms === undefined ? "not known yet on this machine" : duration(ms));

function filmForecast(film) {
  if (film.error) {
    const {message, remedy} = film.error;
    return h("p", {class: "problem"}, `${fileName(film.media)}: ${message} ${remedy || ""}`);
  }
  const rows = film.steps.map(step => h("tr", {},
    h("td", {}, step.name, h("p", {class: "why dim"}, step.reasons.join("; "))),
    h("td", {}, step.environment, step.model ? h("p", {class: "why dim"}, step.model) : ""),
    h("td", {class: "number"}, step.takes_ms === null ? "" : duration(step.takes_ms))));
  return h("section", {class: "panel"}, h("h3", {}, fileName(film.media)),
    film.notes.map(note => h("p", {class: "note"}, note)),
    table(`Steps of ${fileName(film.media)}`, ["Step", "Environment", ["Takes", "number"]], h("tbody", {}, rows)));
}

function remember() {
  const {workflow: name, source_language: source, target_languages: languages} = wish();
  localStorage.setItem(REMEMBERED, JSON.stringify({name, source, languages, profile: view.profile.value}));
}

/** Fill the form as it was last sent. */
function recall() {
  let last = {};
  try {
    last = JSON.parse(localStorage.getItem(REMEMBERED)) || {};
  } catch {
    localStorage.removeItem(REMEMBERED);
  }
  const flow = known.workflows.find(flow => flow.name === last.name) || known.workflows[0];
  view.form.elements.workflow.value = flow.name;
  if (last.source) view.source.value = last.source;
  if (last.profile) view.profile.value = last.profile;
  targets = (last.languages?.length ? last.languages : ["en"]);
  showTargets();
}
