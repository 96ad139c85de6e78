"use strict";

// A track's cues by time, and the list of them that follows the playhead.

const HELD_MS = 4000;

class Track {
  constructor(plain) {
    Object.assign(this, plain);
    this.sorted = plain.cues.map((cue, place) => [cue[0], cue[1], place]).sort((a, b) => a[0] - b[0] || a[2] - b[2]);
    // The latest end of all cues up to each one: what tells how far back to look for one still shown.
    let latest = -Infinity;
    this.latest = this.sorted.map(([, end]) => (latest = Math.max(latest, end)));
  }

  // How many cues start at or before `ms`.
  startedBy(ms) {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sorted[middle][0] <= ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // The place of the cue shown at `ms`, of several the last one; -1 for none.
  at(ms) {
    for (let place = this.startedBy(ms) - 1; place >= 0 && this.latest[place] > ms; place -= 1) {
      if (this.sorted[place][1] > ms) return this.sorted[place][2];
    }
    return -1;
  }

  between(from, until) {
    const end = this.startedBy(until);
    let first = this.startedBy(from);
    while (first > 0 && this.latest[first - 1] >= from) first -= 1;
    return this.sorted.slice(first, end);
  }
}

class Marks {
  constructor(track) {
    this.all = track.marks;
    this.of = new Map();
    for (const mark of track.marks) {
      if (!this.of.has(mark[0])) this.of.set(mark[0], []);
      this.of.get(mark[0]).push(mark);
    }
  }
}

class CueList {
  constructor(root, rules, pick) {
    this.root = root;
    this.rules = rules;
    this.buttons = [];
    this.current = -1;
    this.heldUntil = 0;
    const hold = () => { this.heldUntil = performance.now() + HELD_MS; };
    for (const type of ["wheel", "touchmove", "pointerdown"]) root.addEventListener(type, hold, { passive: true });
    root.addEventListener("click", (event) => {
      const button = event.target.closest(".cue");
      if (!button) return;
      this.heldUntil = 0;
      pick(Number(button.dataset.place));
    });
  }

  show(track, marks) {
    this.track = track;
    this.marks = marks;
    this.current = -1;
    const rows = document.createDocumentFragment();
    this.buttons = track.cues.map((cue, place) => this.row(rows, cue, place));
    this.root.replaceChildren(rows);
    this.root.lang = track.language;
    this.reachable = this.buttons[0];
    if (this.reachable) this.reachable.tabIndex = 0;
  }

  row(rows, [start, end, speed, lines, speakers = []], place) {
    const marks = this.marks.of.get(place) || [];
    const item = element("li", marks.length ? "marked" : "");
    const button = element("button", "cue");
    button.type = "button";
    button.dataset.place = place;
    // One stop for the tab key, not thousands: from there the arrows go on.
    button.tabIndex = -1;
    const times = element("span", "times");
    times.lang = "en";
    times.append(element("span", "number", String(place + 1)), element("span", "", clockOf(start)),
      element("span", "", `${((end - start) / 1000).toFixed(2)} s`));
    if (speed !== null) {
      const isFast = marks.some((mark) => mark[1] === "reading_speed");
      const told = element("span", isFast ? "speed fast" : "speed", `${speed.toFixed(1)} c/s`);
      told.title = "characters a second";
      times.append(told);
    }
    const who = [...new Set(speakers.filter(Boolean))].join(", ");
    if (who) times.append(element("span", "who", who));
    button.append(times);
    lines.forEach((text, number) => {
      const line = element("span", "line", text);
      line.dir = "auto";
      if (speakers[number]) line.title = speakers[number];
      button.append(line);
    });
    for (const mark of marks) button.append(this.markOf(mark));
    item.append(button);
    rows.append(item);
    return button;
  }

  markOf(mark) {
    const told = element("span", `mark ${mark[4]}`);
    told.lang = "en";
    const shape = element("span", "shape", KINDS[mark[4]].shape);
    shape.setAttribute("aria-hidden", "true");
    told.append(shape, " ", sentenceOf(mark, this.rules));
    return told;
  }

  filter(onlyMarked) {
    this.root.classList.toggle("only", onlyMarked);
    if (this.current >= 0) this.reveal(this.buttons[this.current]);
  }

  isListed(place) {
    return !this.root.classList.contains("only") || this.marks.of.has(place);
  }

  // The cue before or after `ms` that the list shows; -1 for none.
  neighbour(ms, step) {
    const { sorted } = this.track;
    let place = step > 0 ? this.track.startedBy(ms) : this.track.startedBy(ms - 400) - 1;
    while (place >= 0 && place < sorted.length && !this.isListed(sorted[place][2])) place += step;
    return place >= 0 && place < sorted.length ? sorted[place][2] : -1;
  }

  follow(ms) {
    const place = this.track.at(ms);
    if (place === this.current) return;
    const hadFocus = this.reachable && this.reachable === document.activeElement;
    if (this.current >= 0) this.buttons[this.current].removeAttribute("aria-current");
    this.current = place;
    if (place < 0) return;
    const button = this.buttons[place];
    button.setAttribute("aria-current", "true");
    this.reachable.tabIndex = -1;
    button.tabIndex = 0;
    this.reachable = button;
    if (hadFocus) button.focus({ preventScroll: true });
    if (performance.now() >= this.heldUntil) this.reveal(button);
  }

  reveal(button) {
    const item = button.parentElement;
    const top = item.offsetTop - (this.root.clientHeight - item.offsetHeight) / 2;
    const isFar = Math.abs(top - this.root.scrollTop) > 2 * this.root.clientHeight;
    this.root.scrollTo({ top, behavior: isFar || REDUCED.matches ? "instant" : "smooth" });
  }
}
