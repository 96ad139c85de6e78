// Which view is shown, by the address; films that are dropped anywhere; how the line stands.
import {openAdding} from "/assets/adding.js";
import {byId, say} from "/assets/dom.js";
import {beginFilms, focusFilm} from "/assets/films.js";
import {beginHouse, closeHouse, openHouse} from "/assets/house.js";
import {beginJob, closeJob, openJob} from "/assets/job.js";
import {live} from "/assets/live.js";
import {beginUploads, filesOf, take} from "/assets/uploads.js";
import {decoded, fileName} from "/assets/words.js";

const VIEWS = ["films", "add", "job", "house"];
const TITLES = {films: "Films", add: "Add films", house: "House"};
const LINES = {connecting: "connecting", live: "live", lost: "line lost, trying again"};
let shown = null;

function place() {
  const [name, value = ""] = location.hash.slice(1).split("=");
  if (name === "job" && value) return {view: "job", job: decoded(value)};
  return {view: VIEWS.includes(name) && name !== "job" ? name : "films", job: ""};
}

async function route() {
  if (location.hash === "#main") return;
  const before = shown;
  shown = place();
  for (const view of VIEWS) byId(view).hidden = view !== shown.view;
  for (const link of document.querySelectorAll("[data-view]")) {
    if (link.dataset.view === shown.view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (before?.view === "job") closeJob();
  if (before?.view === "house") closeHouse();
  document.title = `${TITLES[shown.view] || shown.job} · cpw`;
  if (shown.view === "house") openHouse();
  if (shown.view === "add") await openAdding();
  if (shown.view === "job") openJob(shown.job);
  if (before) arrive(before);
}

/** Who goes by keys begins where the new view begins, or where he left the list. */
function arrive(before) {
  if (shown.view === "films" && before.job) focusFilm(before.job);
  else {
    scrollTo(0, 0);
    byId(`${shown.view}-title`)?.focus({preventScroll: true});
  }
}

function beginDropping() {
  const veil = byId("drop");
  const holdsFiles = event => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", event => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    veil.hidden = false;
  });
  addEventListener("dragleave", event => {
    if (event.relatedTarget === null) veil.hidden = true;
  });
  addEventListener("drop", async event => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    veil.hidden = true;
    take(await filesOf(event.dataTransfer));
    location.hash = "#add";
  });
}

function beginTelling() {
  const line = byId("line");
  let lost = false;
  const showLine = () => {
    line.textContent = LINES[live.line];
    line.dataset.state = live.line;
    if (live.line === "lost") say("The line to the server is lost. The page tries again.");
    else if (lost) say("The line to the server is back.");
    lost = live.line === "lost";
  };
  live.addEventListener("line", showLine);
  live.addEventListener("trouble", ({detail}) => {
    const box = byId("trouble");
    box.hidden = !detail;
    const text = detail ? `${detail.message} ${detail.remedy || ""}`.trim() : "";
    if (box.textContent !== text) box.textContent = text;
  });
  live.addEventListener("ended", ({detail}) => {
    say(`${fileName(detail.media)} ${detail.state === "done" ? "is done" : "has failed"}.`);
  });
}

beginFilms();
beginJob();
beginHouse();
beginUploads();
beginDropping();
beginTelling();
addEventListener("hashchange", route);
route();
await live.begin();
