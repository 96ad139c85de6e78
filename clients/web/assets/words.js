// Words for states, times and sizes, as the shell says them.

export const ENDED = new Set(["done", "failed", "cancelled", "held"]);
const PENDING = new Set(["waiting", "ready"]);

/** A part of an address as it is meant; as it stands where it is written wrong. */
export function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** `asr on big-box`; the name alone where it is on the head's own machine. */
export const atNode = (name, node) => (node ? `${name} on ${node}` : name);

export const fileName = path => path.split("/").pop() || path;

export function percent(fraction) {
  return `${Math.floor(100 * fraction)} %`;
}

/** `812 MB`, `3.4 GB`; nothing where there are none. */
export function size(bytes) {
  if (!bytes || bytes <= 0) return "";
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999_500) return `${Math.round(bytes / 1e3)} kB`;
  if (bytes < 999_500_000) return `${Math.round(bytes / 1e6)} MB`;
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** `4.2 s`, `3 min 05 s`, `1 h 12 min`. */
export function duration(ms) {
  if (ms === null || ms === undefined) return "";
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, "0")} min`;
}

/** A time to come, as a person says it: `40 s`, `3.5 min`, `2 h 10 min`. */
export function rough(ms) {
  if (ms === null || ms === undefined) return "";
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 55) return `${Math.max(10, 10 * Math.round(seconds / 10))} s`;
  const halves = Math.round(seconds / 30);
  if (halves < 20) return `${halves / 2} min`;
  if (seconds < 3570) return `${Math.round(seconds / 60)} min`;
  const tens = Math.round(seconds / 600);
  const [hours, rest] = [Math.floor(tens / 6), tens % 6];
  return rest && hours < 10 ? `${hours} h ${10 * rest} min` : `${hours} h`;
}

const day = new Intl.DateTimeFormat("en", {day: "numeric", month: "short", year: "numeric"});

/** How long ago, from an instant as the server writes it. */
export function age(instant) {
  const seconds = (Date.now() - Date.parse(instant)) / 1000;
  if (!(seconds >= 60)) return "now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return day.format(new Date(instant));
}

/** A time in a film: `1:02:03.4`. */
export function clock(ms) {
  const tenths = Math.floor(ms / 100);
  const [hours, minutes] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60];
  const seconds = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  return `${hours}:${String(minutes).padStart(2, "0")}:${seconds}`;
}

const names = new Intl.DisplayNames(["en"], {type: "language", fallback: "code"});

/** The English name of a language's code. */
export function languageName(code) {
  if (!code) return "";
  if (code === "und") return "not known";
  try {
    return names.of(code);
  } catch {
    return code;
  }
}

/** Where a job is: its running steps, what it waits for, or the step that failed. */
export function stageWords(job) {
  const steps = job.steps || [];
  if (job.state === "failed") return steps.filter(step => step.state === "failed").map(stepWords).join(", ");
  if (ENDED.has(job.state)) return "";
  const running = steps.filter(step => step.state === "running").map(stepWords);
  if (running.length) return running.join(", ");
  const next = steps.find(step => PENDING.has(step.state));
  return next && job.state === "running" ? `waits for ${next.name}` : "";
}

function stepWords(step) {
  const place = atNode(step.name, step.node);
  return step.attempt > 1 ? `${place} (attempt ${step.attempt})` : place;
}

/** What keeps a job from going on, if a person must know it. */
export function waitsFor(job) {
  if (ENDED.has(job.state)) return "";
  return (job.steps || []).map(step => step.waits_for).find(Boolean) || "";
}

/** Why a job failed or is held: its own error, else that of its first step with one. */
export function errorOf(job) {
  if (job.state === "done" || job.state === "cancelled") return null;
  return job.error || (job.steps || []).map(step => step.error).find(Boolean) || null;
}

export const timeLeft = job => (ENDED.has(job.state) || job.left_ms === null ? "" : rough(job.left_ms));
export const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
