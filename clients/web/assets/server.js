// Requests to the server.

/** What the server, or the line to it, says is wrong. `status` 0: nobody answered. */
export class Problem extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

export const NOBODY = "The server does not answer.";

/** Return the sentence of an error document. */
export function problemOf(status, text) {
  try {
    return new Problem(JSON.parse(text).error.message, status);
  } catch {
    return new Problem(`The server answered with ${status}.`, status);
  }
}

async function send(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Problem(NOBODY);
  }
  if (answer.status === 401) throw new Problem("This browser is not let in any more. Type: cpw web", 401);
  return answer;
}

/** Return a document of the server; a `Problem` where it has none. */
export async function get(path) {
  const answer = await send(path);
  if (!answer.ok) throw problemOf(answer.status, await answer.text());
  return answer.json();
}

/** Return a text of the server. */
export async function getText(path) {
  const answer = await send(path);
  if (!answer.ok) throw problemOf(answer.status, await answer.text());
  return answer.text();
}

/** Return the health, which is a document also where all is not well. */
export async function getHealth() {
  const answer = await send("/api/health");
  try {
    return await answer.json();
  } catch {
    throw new Problem(NOBODY, answer.status);
  }
}

/** Send a document and return the answer. A submission of which every film is refused is an answer, too. */
export async function post(path, body = {}) {
  const answer = await send(path, {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok && !(answer.status === 422 && text.includes('"refused"'))) throw problemOf(answer.status, text);
  return JSON.parse(text);
}

let asked = null;

/** Return what can be chosen: workflows, languages, profiles, formats. Asked once. */
export function options() {
  asked ??= get("/api/options").catch(problem => {
    asked = null;
    throw problem;
  });
  return asked;
}

export const jobPath = (job, rest = "") => `/api/jobs/${encodeURIComponent(job)}${rest}`;
export const filePath = (job, path) =>
  jobPath(job, `/files/${path.split("/").map(encodeURIComponent).join("/")}`);
