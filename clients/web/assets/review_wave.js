// The sound's loudness around the playhead, with a bar for each subtitle that can be drawn by its ends.
import {h} from "/assets/dom.js";

const WINDOW_MS = 16_000;
const STEP_KEYS_MS = {ArrowLeft: -1000, ArrowRight: 1000};

export class Wave {
  /** `moved(id, start, end, done)` is called while a bar is drawn, `chosen(id)` when one is taken. */
  constructor(place, {seek, moved, chosen}) {
    [this.canvas, this.bars, this.head] = place.children;
    Object.assign(this, {place, seek, moved, chosen, values: null, cues: [], current: "", start: 0, now: 0, held: false});
    place.addEventListener("pointerdown", event => this.takeHold(event));
    place.addEventListener("keydown", event => {
      if (event.target === place && STEP_KEYS_MS[event.key]) {
        event.preventDefault();
        seek(this.now + STEP_KEYS_MS[event.key]);
      }
    });
    new ResizeObserver(() => this.draw()).observe(place);
  }

  /** `wave` as the server has it: base64 of a byte for each step of time. */
  load(wave) {
    this.wave = wave;
    this.values = wave ? Uint8Array.from(atob(wave.values), sign => sign.charCodeAt(0)) : null;
  }

  show(cues, current) {
    [this.cues, this.current] = [cues, current];
    this.draw();
  }

  at(ms) {
    this.now = ms;
    const edge = WINDOW_MS / 8;
    if (!this.held && (ms < this.start + edge / 2 || ms > this.start + WINDOW_MS - edge)) {
      this.start = Math.max(0, ms - WINDOW_MS / 3);
      this.draw();
    }
    this.head.style.left = `${this.left(ms)}%`;
  }

  left(ms) {
    return (100 * (ms - this.start)) / WINDOW_MS;
  }

  draw() {
    const [width, height] = [this.place.clientWidth, this.place.clientHeight];
    if (!width) return;
    const scale = devicePixelRatio || 1;
    [this.canvas.width, this.canvas.height] = [width * scale, height * scale];
    if (this.values) this.paint(width * scale, height * scale);
    const seen = this.cues.filter(cue => cue.end_ms > this.start && cue.start_ms < this.start + WINDOW_MS);
    this.bars.replaceChildren(...seen.map(cue => this.bar(cue)));
  }

  paint(width, height) {
    const ink = this.canvas.getContext("2d");
    ink.fillStyle = getComputedStyle(this.place).color;
    for (let x = 0; x < width; x += 1) {
      const ms = this.start + (WINDOW_MS * x) / width - this.wave.starts_ms;
      const value = this.values[Math.floor(ms / this.wave.step_ms)];
      if (!value) continue;
      const tall = Math.max(1, (height * value) / 255);
      ink.fillRect(x, (height - tall) / 2, 1, tall);
    }
  }

  bar(cue) {
    const bar = h("div", {class: "cue-bar", data: {id: cue.id, current: String(cue.id === this.current)}, title: cue.text},
      h("i", {class: "edge", data: {edge: "start"}}), h("span", {}, cue.text), h("i", {class: "edge", data: {edge: "end"}}));
    bar.style.left = `${this.left(cue.start_ms)}%`;
    bar.style.width = `${(100 * (cue.end_ms - cue.start_ms)) / WINDOW_MS}%`;
    return bar;
  }

  takeHold(event) {
    const time = ms => this.start + (WINDOW_MS * (ms.clientX - this.place.getBoundingClientRect().left)) / this.place.clientWidth;
    const bar = event.target.closest(".cue-bar");
    const from = time(event);
    if (!bar) {
      this.seek(from);
      return;
    }
    event.preventDefault();
    const cue = this.cues.find(one => one.id === bar.dataset.id);
    const edge = event.target.dataset.edge || "";
    this.chosen(cue.id);
    this.held = true;
    this.place.setPointerCapture(event.pointerId);
    const times = at => {
      const by = time(at) - from;
      const start = edge === "end" ? cue.start_ms : cue.start_ms + by;
      const end = edge === "start" ? cue.end_ms : cue.end_ms + by;
      return [Math.min(start, end - 100), Math.max(end, start + 100)];
    };
    const move = at => this.moved(cue.id, ...times(at), false);
    const drop = at => {
      this.held = false;
      this.place.removeEventListener("pointermove", move);
      this.place.removeEventListener("pointerup", drop);
      this.place.removeEventListener("pointercancel", drop);
      if (Math.abs(time(at) - from) > 20) this.moved(cue.id, ...times(at), true);
      else this.moved(cue.id, cue.start_ms, cue.end_ms, false);
    };
    this.place.addEventListener("pointermove", move);
    this.place.addEventListener("pointerup", drop);
    this.place.addEventListener("pointercancel", drop);
  }
}
