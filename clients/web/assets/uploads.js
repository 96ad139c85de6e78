// Films on their way to the server: one after the other, each with its own bar.
import {byId, complain, h, keep, say, setText} from "/assets/dom.js";
import {live} from "/assets/live.js";
import {bar, fillBar} from "/assets/parts.js";
import {NOBODY, Problem, post, problemOf} from "/assets/server.js";
import {rough, size} from "/assets/words.js";

const TRIES = 5;
const FILM_ENDING = new RegExp("\\.(mkv|mp4|m4v|mov|avi|webm|ts|m2ts|mts|mpe?g|vob|wmv|flv|ogv|3gp|mxf"
  + "|mp3|m4a|m4b|aac|flac|wav|ogg|opus|wma|aiff?)$", "i");

let count = 0;
export const uploads = new EventTarget();
/** In the order in which they were chosen; each `{id, file, state, sent, upload, wish, problem, jobs}`. */
uploads.all = [];

/** Take films; they are sent at once, while a person still says what is to be done with them. */
export function take(files) {
  for (const file of files) {
    count += 1;
    uploads.all.push({id: count, file, key: crypto.randomUUID?.() || `${Date.now()}-${count}`,
      state: "waiting", sent: 0, since: 0, upload: "", wish: null, problem: null, request: null});
  }
  changed();
  next();
}

/** Say what is to be done with all films that were chosen and not yet given. */
export function start(wish) {
  const chosen = uploads.all.filter(film => film.wish === null);
  for (const film of chosen) {
    film.wish = wish;
    film.problem = null;
    if (film.state === "arrived") submit(film);
  }
  changed();
  return chosen.length;
}

export const unstarted = () => uploads.all.filter(film => film.wish === null);

export function beginUploads() {
  addEventListener("beforeunload", event => {
    // A job goes on without the page, a film that is being sent does not.
    if (uploads.all.some(film => ["waiting", "sending"].includes(film.state))) event.preventDefault();
  });
}

/** Return the films of what was dropped, those in folders too. */
export async function filesOf(transfer) {
  const entries = [...transfer.items].map(item => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some(entry => entry.isDirectory)) return [...transfer.files];
  const found = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}

async function walk(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    if (FILM_ENDING.test(file.name)) found.push(file);
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A reader tells a hundred at a time, and nothing at the end.
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const inner of some) await walk(inner, found);
  }
}

async function next() {
  if (uploads.all.some(film => film.state === "sending")) return;
  const film = uploads.all.find(film => film.state === "waiting");
  if (!film) return;
  film.state = "sending";
  film.since = performance.now();
  changed();
  try {
    film.upload = (await sent(film)).upload;
    film.state = "arrived";
    if (film.wish) await submit(film);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (film.state !== "removed") fail(film, problem);
  }
  changed();
  next();
}

/** Send a film, again where the line broke. */
async function sent(film) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await put(film);
    } catch (problem) {
      const broke = problem instanceof Problem && !problem.status && film.state !== "removed";
      if (!broke || attempt === TRIES) throw problem;
      film.sent = 0;
      changed();
      await new Promise(resolve => setTimeout(resolve, 500));
      await live.isOpen();
    }
  }
}

function put(film) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    film.request = request;
    request.open("PUT", `/api/films/${encodeURIComponent(film.file.name)}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = ({loaded, total}) => {
      film.sent = total ? loaded / total : 0;
      changed();
    };
    request.onload = () => {
      if (request.status === 201) resolve(JSON.parse(request.responseText));
      else reject(problemOf(request.status, request.responseText));
    };
    request.onerror = request.onabort = () => reject(new Problem(NOBODY));
    request.send(film.file);
  });
}

async function submit(film) {
  try {
    const answer = await post("/api/jobs", {...film.wish, upload: film.upload, key: film.key});
    const refused = answer.refused?.[0];
    if (refused) throw new Problem(`${refused.message} ${refused.remedy}`.trim(), 422);
    remove(film);
    say(`${film.file.name} is in the list.`);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    // What was wished can be changed and the film started again: it is here already.
    film.wish = null;
    film.problem = problem;
    changed();
  }
}

function fail(film, problem) {
  film.state = "failed";
  film.problem = problem;
  say(`${film.file.name} was not sent: ${problem.message}`);
}

function remove(film) {
  film.state = "removed";
  film.request?.abort();
  uploads.all = uploads.all.filter(other => other !== film);
  changed();
}

function again(film) {
  Object.assign(film, {state: "waiting", sent: 0, problem: null});
  changed();
  next();
}

function changed() {
  byId("uploads").hidden = !uploads.all.length;
  keep(byId("uploads-list"), uploads.all, film => film.id, makeRow, fillRow);
  uploads.dispatchEvent(new Event("change"));
}

function makeRow(film) {
  const name = film.file.name;
  return h("li", {class: "upload"},
    h("span", {class: "name"}, name), h("span", {class: "dim size"}, size(film.file.size)),
    bar(`${name}, sent`), h("span", {class: "dim told"}),
    h("button", {type: "button", class: "quiet again", "aria-label": `Send ${name} again`, hidden: true,
      onclick: () => again(film)}, "Send again"),
    h("button", {type: "button", class: "quiet", "aria-label": `Remove ${name}`,
      onclick: () => remove(film)}, "Remove"),
    h("p", {class: "problem", role: "alert", hidden: true}));
}

function fillRow(row, film) {
  fillBar(row.querySelector(".bar"), film.state === "arrived" ? 1 : film.sent);
  setText(row.querySelector(".told"), told(film));
  row.querySelector(".again").hidden = film.state !== "failed";
  complain(row.querySelector(".problem"), film.problem);
}

function told(film) {
  if (film.state === "failed") return "";
  if (film.state === "waiting") return "waits for the one before";
  if (film.state === "arrived") return film.wish ? "starts" : "has arrived; press Start";
  const passed = performance.now() - film.since;
  const left = film.sent > 0.02 && passed > 2000 ? `, ${rough((passed * (1 - film.sent)) / film.sent)} left` : "";
  return `is sent${left}`;
}
