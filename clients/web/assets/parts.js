// Small parts that several views show.
import {h, setText} from "/assets/dom.js";
import {jobPath, post} from "/assets/server.js";
import {errorOf, percent} from "/assets/words.js";

/** A state as a word with a mark: colour is never all that tells it. */
export function badge() {
  return h("span", {class: "badge"});
}

export function fillBadge(element, state) {
  if (element.dataset.state !== state) element.dataset.state = state;
  setText(element, state);
}

/** A bar with its number. */
export function bar(label) {
  return h("span", {class: "bar"},
    h("progress", {max: "1", value: "0", "aria-label": label}), h("span", {class: "figure"}));
}

export function fillBar(element, fraction, shown = true) {
  const [progress, figure] = element.children;
  if (progress.value !== fraction) progress.value = fraction;
  setText(figure, shown ? percent(fraction) : "");
  progress.hidden = !shown;
}

/** Whether it tells something how far a job is. */
export function isUnderWay(job) {
  return job.state === "running" || (job.fraction > 0 && job.state !== "done");
}

/** An error with what to do about it. */
export function trouble(job) {
  const error = errorOf(job);
  if (!error) return "";
  return error.remedy && !error.message.includes(error.remedy) ? `${error.message} ${error.remedy}` : error.message;
}

/** What a person can do with a job as it is now: `[name, sentence]`. */
export function actionsOf(job) {
  if (job.state === "running" || job.state === "queued") return ["cancel"];
  if (job.state === "held") return ["resume", "cancel"];
  return job.state === "failed" || job.state === "cancelled" ? ["resume"] : [];
}

export const act = (job, action) => post(jobPath(job, `/${action}`));
