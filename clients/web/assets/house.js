// The house: its health, its environments with their memory and models, the machine.
import {byId, complain, facts, h, keep, remake, setText, show, table} from "/assets/dom.js";
import {badge, fillBadge} from "/assets/parts.js";
import {Problem, getHealth} from "/assets/server.js";
import {age, atNode, duration, plural, size} from "/assets/words.js";

const LOOK_MS = 3000;
const view = {};
let isOpen = false;

export function beginHouse() {
  setInterval(() => isOpen && !document.hidden && look(), LOOK_MS);
}

export function openHouse() {
  isOpen = true;
  if (!view.title) build();
  look();
}

export function closeHouse() {
  isOpen = false;
}

function build() {
  const panel = (title, ...children) => h("section", {class: "panel"}, h("h2", {}, title), ...children);
  view.title = h("h1", {id: "house-title", tabindex: "-1"}, "House");
  view.badge = badge();
  view.sentence = h("span", {class: "dim"});
  view.problem = h("p", {class: "problem", role: "alert", hidden: true});
  view.problems = h("ul", {class: "problems", "aria-live": "polite", "aria-label": "Problems"});
  view.environments = h("tbody", {});
  view.models = h("tbody", {});
  view.noModels = h("p", {class: "dim"}, "No model is in memory.");
  view.machine = h("div", {});
  view.nodes = h("tbody", {});
  const nodeColumns = ["Node", "State", ["Memory", "number"], ["Free disk", "number"], ["Models", "number wide"]];
  view.nodePanel = panel("Nodes", table("Nodes", nodeColumns, view.nodes));
  view.nodePanel.hidden = true;
  const columns = ["Environment", "State", ["Memory", "number"], ["Cores", "number wide"], ["Calls", "number wide"],
    ["Restarts", "number wide"], ["Up", "number wide"]];
  view.modelTable = table("Models in memory",
    ["Model", ["Memory", "number"], "Device", ["Loaded in", "number wide"]], view.models);
  byId("house").replaceChildren(
    h("div", {class: "head"}, view.title, h("p", {class: "standing"}, view.badge, view.sentence)),
    view.problem, view.problems,
    h("div", {class: "columns uneven"},
      h("div", {}, panel("Environments", table("Environments", columns, view.environments)), view.nodePanel),
      h("div", {}, panel("Models in memory", view.modelTable, view.noModels), panel("Machine", view.machine))));
}

async function look() {
  try {
    fill(await getHealth());
    complain(view.problem, null);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    complain(view.problem, problem);
  }
}

function fill(report) {
  fillBadge(view.badge, report.healthy ? "healthy" : "not healthy");
  fillProblems(report);
  const environments = report.environments || [];
  keep(view.environments, environments, nameOf, makeEnvironment, fillEnvironment);
  const nodes = report.nodes || [];
  keep(view.nodes, nodes, node => node.name, makeNode, fillNode);
  show(view.nodePanel, nodes.length > 0);
  const models = environments.flatMap(row => row.models.map(model => ({...model, place: nameOf(row)})));
  keep(view.models, models, model => `${model.place} ${model.key}`, makeModel, fillModel);
  show(view.modelTable, models.length > 0);
  show(view.noModels, !models.length);
  if (!report.environments) return;
  const jobs = [[report.jobs_running, "running"], [report.jobs_queued, "queued"], [report.jobs_held, "held"]];
  const told = jobs.filter(([count]) => count).map(([count, word]) => `${plural(count, "job")} ${word}`);
  setText(view.sentence, told.join(", "));
  fillMachine(report);
}

const nameOf = row => atNode(row.worker || row.environment, row.node);
const isLeftOut = row => row.optional && row.state === "not built";

function fillProblems(report) {
  const own = report.problem ? [{sentence: report.problem, remedy: report.remedy}] : [];
  const notices = (report.notices || []).map(sentence => ({sentence, remedy: ""}));
  const found = [...own, ...(report.problems || []), ...notices];
  for (const node of report.nodes || []) {
    for (const {sentence, remedy} of node.problems) found.push({sentence: `${node.name}: ${sentence}`, remedy});
  }
  for (const row of report.environments || []) {
    if (row.problem && !isLeftOut(row)) found.push({sentence: `${nameOf(row)}: ${row.problem}`, remedy: row.remedy});
  }
  keep(view.problems, found, problem => `${problem.sentence} ${problem.remedy}`, ({sentence, remedy}) =>
    h("li", {}, sentence, remedy ? h("code", {}, remedy) : ""));
}

function makeEnvironment(row) {
  const number = kind => h("td", {class: `number ${kind}`});
  return h("tr", {}, h("td", {}, nameOf(row), h("p", {class: "why dim"})), h("td", {}, badge()),
    number("memory"), number("wide cores"), number("wide calls"), number("wide restarts"), number("wide up"));
}

function fillEnvironment(line, row) {
  const fillCell = (kind, text) => setText(line.querySelector(`.${kind}`), text);
  fillBadge(line.querySelector(".badge"), isLeftOut(row) ? "not built (optional)" : row.state);
  const busy = row.busy_with ? `does ${row.busy_with.step} of ${row.busy_with.job}` : row.stages.join(", ");
  fillCell("why", busy);
  const budget = row.ram_budget_bytes ? ` of ${size(row.ram_budget_bytes)}` : "";
  fillCell("memory", row.rss_bytes ? size(row.rss_bytes) + budget : "");
  fillCell("cores", row.cores ? String(row.cores) : "");
  fillCell("calls", row.pid === null ? "" : String(row.calls_done));
  fillCell("restarts", row.restarts ? String(row.restarts) : "");
  fillCell("up", row.uptime_ms === null ? "" : duration(row.uptime_ms));
}

function makeNode(node) {
  const number = kind => h("td", {class: `number ${kind}`});
  return h("tr", {}, h("td", {}, node.name, h("p", {class: "why dim"})), h("td", {}, badge()),
    number("memory"), number("disk"), number("wide models"));
}

function fillNode(line, node) {
  const fillCell = (kind, text) => setText(line.querySelector(`.${kind}`), text);
  const isThere = node.standing === "present";
  fillBadge(line.querySelector(".badge"), node.standing);
  const gpus = node.hardware ? node.hardware.cuda.map(gpu => gpu.name) : [];
  const what = [plural(node.cores, "core"), ...gpus, ...node.shares.map(share => `shares ${share.head}`),
    node.fetches ? "fetches files from here" : ""];
  fillCell("why", isThere ? what.filter(Boolean).join(", ") : age(node.since));
  const budget = node.ram_budget_bytes ? ` of ${size(node.ram_budget_bytes)}` : "";
  fillCell("memory", node.rss_bytes ? size(node.rss_bytes) + budget : "");
  fillCell("disk", node.free_disk_bytes === null ? "" : size(node.free_disk_bytes));
  fillCell("models", isThere ? String(node.models.length) : "");
}

function makeModel(model) {
  return h("tr", {}, h("td", {}, modelName(model.key), h("p", {class: "why dim"}, model.place)),
    h("td", {class: "number memory"}), h("td", {class: "device"}), h("td", {class: "number wide loading"}));
}

const modelName = key => key.slice(key.indexOf(":") + 1).split("@")[0];

function fillModel(line, model) {
  setText(line.querySelector(".memory"), size(model.bytes));
  setText(line.querySelector(".device"), model.device);
  setText(line.querySelector(".loading"), duration(model.load_ms));
}

function fillMachine(report) {
  const machine = report.hardware || {cuda: []};
  const pairs = [
    ["Processor", machine.cpu],
    ["Cores for calls", report.cores ? String(report.cores) : ""],
    ["Memory", size(machine.ram_bytes)],
    ["Memory for workers", size(report.ram_budget_bytes)],
    ...machine.cuda.map(gpu => [`GPU ${gpu.index}`, [gpu.name, size(gpu.memory_bytes)].filter(Boolean).join(", ")]),
    ["Apple GPU", machine.mps ? "usable" : ""],
    ["MLX", machine.mlx],
    ["System", [machine.platform, machine.machine].filter(Boolean).join(", ")],
    ["Free disk", size(report.free_disk_bytes)],
    ["Coordinator", `process ${report.pid}, up ${duration(report.uptime_ms)}`],
  ];
  remake(view.machine, pairs, () => [facts(pairs)]);
}
