// The jobs that the page knows, kept as they are by one stream of changes.
import {Problem, get, jobPath} from "/assets/server.js";

const FIRST = 50;
const AGAIN_MS = 1000;

const newerFirst = (one, other) =>
  one.created_at === other.created_at
    ? (one.job < other.job ? 1 : -1)
    : (one.created_at < other.created_at ? 1 : -1);

/**
 * Fires `change` (detail: the job's id, or null where the list is another), `ended` (detail: the job),
 * `line` (where the stream stands) and `trouble` (detail: a message and its remedy, or null).
 */
class Live extends EventTarget {
  jobs = new Map();
  list = [];
  hasMore = false;
  line = "connecting";
  problem = null;
  #watched = "";
  #last = null;
  #source = null;

  /** Ask for the newest jobs, then listen to what changes. */
  async begin() {
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#rest() : this.#listen()));
    await this.#load();
    this.#listen();
  }

  get(id) {
    return this.jobs.get(id);
  }

  /** Return a job, also one that the list does not reach; its changes are told from now on. */
  async watch(id) {
    this.#watched = id;
    if (!this.jobs.has(id)) this.jobs.set(id, (await get(jobPath(id))).jobs[0]);
    return this.jobs.get(id);
  }

  /** Add older jobs to the list. */
  async more(count) {
    const before = this.list.at(-1)?.job || "";
    const answer = await get(`/api/jobs?limit=${count}&before=${encodeURIComponent(before)}`);
    this.hasMore = answer.jobs.length === count;
    for (const job of answer.jobs) this.#place(job);
    this.#tell("change", null);
  }

  /** Resolves when changes come again. */
  async isOpen() {
    while (this.line !== "live") {
      await new Promise(resolve => this.addEventListener("line", resolve, {once: true}));
    }
  }

  async #load() {
    const count = Math.max(FIRST, this.list.length);
    for (;;) {
      try {
        const answer = await get(`/api/jobs?limit=${count}`);
        const watched = this.#watched ? await get(jobPath(this.#watched)).catch(() => null) : null;
        [this.jobs, this.list] = [new Map(), []];
        for (const job of answer.jobs) this.#place(job);
        if (watched && !this.jobs.has(this.#watched)) this.jobs.set(this.#watched, watched.jobs[0]);
        this.hasMore = answer.jobs.length === count;
        this.#last = answer.revision;
        this.#setTrouble(null);
        this.#tell("change", null);
        return;
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        this.#setTrouble({message: problem.message, remedy: ""});
        await new Promise(resolve => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  /** A page that nobody sees holds no connection: a browser has six of them for all its pages. */
  #rest() {
    this.#source?.close();
    this.#source = null;
  }

  #listen() {
    if (this.#source || this.#last === null || document.hidden) return;
    const source = new EventSource(`/api/events?after=${this.#last}`);
    this.#source = source;
    source.onopen = () => this.#setLine("live");
    source.onerror = () => {
      this.#setLine("lost");
      // The browser comes back by itself, but not where it was answered with an error.
      if (source.readyState === EventSource.CLOSED && this.#source === source) {
        this.#source = null;
        setTimeout(() => this.#load().then(() => this.#listen()), AGAIN_MS);
      }
    };
    const on = (name, act) => source.addEventListener(name, event => {
      if (event.lastEventId) this.#last = event.lastEventId;
      act(JSON.parse(event.data));
    });
    on("hello", () => {});
    on("job", job => this.#take(job));
    on("progress", job => this.#take(job));
    on("removed", ({job}) => this.#remove(job));
    on("reload", () => this.#load());
    on("trouble", trouble => this.#setTrouble(trouble));
    // Who came while nobody answered was not told what had changed.
    on("back", () => this.#load());
  }

  #take(job) {
    const before = this.jobs.get(job.job);
    if (this.problem) this.#setTrouble(null);
    if (before && this.list.includes(before)) {
      this.list[this.list.indexOf(before)] = job;
      this.jobs.set(job.job, job);
      this.#tell("change", job.job);
    } else if (this.#isListed(job)) {
      this.#place(job);
      this.#tell("change", null);
    } else if (job.job === this.#watched) {
      this.jobs.set(job.job, job);
      this.#tell("change", job.job);
    }
    if (before && before.state !== job.state && ["done", "failed"].includes(job.state)) this.#tell("ended", job);
  }

  #isListed(job) {
    return !this.hasMore || !this.list.length || newerFirst(job, this.list.at(-1)) < 0;
  }

  #place(job) {
    const known = this.jobs.has(job.job) ? this.list.findIndex(other => other.job === job.job) : -1;
    if (known >= 0) this.list.splice(known, 1);
    this.jobs.set(job.job, job);
    let [low, high] = [0, this.list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (newerFirst(job, this.list[middle]) < 0) high = middle;
      else low = middle + 1;
    }
    this.list.splice(low, 0, job);
  }

  #remove(id) {
    this.list = this.list.filter(job => job.job !== id);
    this.jobs.delete(id);
    this.#tell("change", null);
    this.#tell("change", id);
  }

  #setLine(line) {
    if (line === this.line) return;
    this.line = line;
    this.#tell("line", line);
  }

  #setTrouble(trouble) {
    this.problem = trouble;
    this.#tell("trouble", trouble);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, {detail}));
  }
}

export const live = new Live();
