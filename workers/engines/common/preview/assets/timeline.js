"use strict";

// Two pictures of the film's time: a strip that follows the playhead, and all of it.

const SPANS_MS = [3000, 6000, 12000, 30000, 60000, 180000, 600000];
const TICKS_MS = [500, 1000, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000];
const HEAD_AT = 0.35;
// The first letter is of a script that is written from right to left.
const FROM_RIGHT = /^\P{L}*[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/u;

// Where things are, in CSS pixels from the top.
const STRIP = { ruler: 16, wave: [20, 78], speech: [82, 88], cues: [93, 121], marks: 135 };
const OVERVIEW = { wave: [2, 26], speech: [28, 31], cues: [34, 40], marks: 46 };

class Timeline {
  constructor(data, parts, seek) {
    this.data = data;
    this.parts = parts;
    this.wave = data.wave ? decodeWave(data.wave) : null;
    this.track = null;
    this.from = 0;
    this.span = SPANS_MS[2];
    this.held = false;
    this.all = document.createElement("canvas");
    this.colours = {};
    for (const name of ["cue", "cue-now", "cue-text", "wave", "wave-past", "speech", "head", "dim", "edge", "ground",
      "broken", "unavoidable", "taste"]) this.colours[name] = colour(name);
    this.font = `12.5px ${colour("fonts")}`;
    this.setLength(data.duration_ms);
    scrubbed(parts.strip, (share) => seek(this.from + share * this.span), (held) => { this.held = held; });
    scrubbed(parts.overview, (share) => seek(share * this.length), () => {});
  }

  setLength(ms) {
    const last = this.data.tracks.flatMap((track) => track.cues.map((cue) => cue[1]));
    // Not Math.max(...last): thousands of arguments are too many.
    this.length = last.reduce((most, end) => Math.max(most, end), Math.max(1000, ms, this.data.duration_ms));
  }

  show(track, marks) {
    this.track = track;
    this.marks = marks;
    this.resize();
  }

  zoom(step) {
    const place = SPANS_MS.indexOf(this.span) + step;
    if (place < 0 || place >= SPANS_MS.length) return;
    const middle = this.now;
    const share = (middle - this.from) / this.span;
    this.span = SPANS_MS[place];
    this.from = this.clamped(middle - share * this.span);
  }

  resize() {
    const { strip, overview } = this.parts;
    for (const canvas of [strip, overview]) fit(canvas);
    this.drawAll();
    const target = overview.getContext("2d");
    target.setTransform(1, 0, 0, 1, 0, 0);
    target.clearRect(0, 0, overview.width, overview.height);
    target.drawImage(this.all, 0, 0);
  }

  // Draw what is seen at `now`; true where another frame is wanted, as the strip is still gliding.
  draw(now, isPlaying) {
    this.now = now;
    const gliding = this.held ? false : this.follow(now, isPlaying);
    this.drawStrip(now);
    const width = this.parts.overview.clientWidth;
    const at = (ms) => (Math.min(ms, this.length) / this.length) * width;
    const seen = Math.max(2, at(this.span));
    this.parts.head.style.transform = `translateX(${at(now)}px)`;
    this.parts.window.style.width = `${seen}px`;
    this.parts.window.style.transform = `translateX(${Math.min(at(this.from), width - seen)}px)`;
    return gliding;
  }

  follow(now, isPlaying) {
    const inside = (now - this.from) / this.span;
    // While the film stands there is room for what follows; whoever wants little motion gets pages that turn.
    const isSeen = inside >= 0.02 && inside <= (isPlaying ? 0.98 : 0.8);
    if ((!isPlaying || REDUCED.matches) && (isSeen || this.clamped(now - HEAD_AT * this.span) === this.from)) return false;
    const wanted = this.clamped(now - HEAD_AT * this.span);
    const away = wanted - this.from;
    if (REDUCED.matches || Math.abs(away) > this.span || Math.abs(away) < this.span / 2000) {
      this.from = wanted;
      return false;
    }
    this.from += away * 0.2;
    return true;
  }

  clamped(from) {
    return Math.max(0, Math.min(from, this.length - this.span));
  }

  drawAll() {
    const { width, height } = this.parts.overview;
    Object.assign(this.all, { width, height });
    const context = this.all.getContext("2d");
    const ratio = width / this.parts.overview.clientWidth || 1;
    context.scale(ratio, ratio);
    const wide = width / ratio;
    const scale = wide / this.length;
    if (this.wave) this.drawWhole(context, wide);
    this.drawBars(context, this.data.speech, 0, scale, OVERVIEW.speech, this.colours.speech, 1);
    if (!this.track) return;
    this.drawBars(context, this.track.sorted, 0, scale, OVERVIEW.cues, this.colours.cue, 1);
    // The worst kind last: where marks lie on each other, it is seen.
    for (const kind of Object.keys(KINDS).reverse()) {
      for (const mark of this.marks.all.filter((mark) => mark[4] === kind)) {
        this.drawMark(context, kind, this.track.cues[mark[0]][0] * scale, OVERVIEW.marks, 3.5);
      }
    }
  }

  drawWhole(context, wide) {
    const { values, starts, step, most } = this.wave;
    const [top, bottom] = OVERVIEW.wave;
    context.fillStyle = this.colours.wave;
    for (let x = 0; x < wide; x += 1) {
      const first = Math.floor(((x / wide) * this.length - starts) / step);
      const last = Math.max(first + 1, Math.floor((((x + 1) / wide) * this.length - starts) / step));
      let loudest = 0;
      for (let place = Math.max(0, first); place < last && place < values.length; place += 1) {
        if (values[place] > loudest) loudest = values[place];
      }
      drawLevel(context, x, 1, loudest / most, top, bottom);
    }
  }

  drawBars(context, bars, from, scale, [top, bottom], fill, least) {
    context.fillStyle = fill;
    for (const [start, end] of bars) {
      context.fillRect((start - from) * scale, top, Math.max(least, (end - start) * scale), bottom - top);
    }
  }

  drawMark(context, kind, x, y, size) {
    context.fillStyle = this.colours[kind];
    context.strokeStyle = this.colours[kind];
    context.lineWidth = 1.5;
    drawShape(context, kind, x, y, size);
  }

  drawStrip(now) {
    const { strip } = this.parts;
    const context = strip.getContext("2d");
    const ratio = strip.width / strip.clientWidth || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const wide = strip.clientWidth;
    const scale = wide / this.span;
    context.clearRect(0, 0, wide, strip.clientHeight);
    this.drawRuler(context, wide, scale, strip.clientHeight);
    if (this.wave) this.drawNear(context, now, wide, scale);
    const until = this.from + this.span;
    const heard = this.data.speech.filter(([start, end]) => end >= this.from && start <= until);
    this.drawBars(context, heard, this.from, scale, STRIP.speech, this.colours.speech, 2);
    if (this.track) this.drawCues(context, now, until, scale);
    context.fillStyle = this.colours.head;
    context.fillRect(Math.round((now - this.from) * scale), 0, 1.5, strip.clientHeight);
  }

  drawRuler(context, wide, scale, high) {
    const tick = TICKS_MS.find((ticks) => ticks * scale >= 90) || TICKS_MS[TICKS_MS.length - 1];
    context.font = `11px ${colour("figures")}`;
    context.textBaseline = "top";
    for (let ms = Math.ceil(this.from / tick) * tick; ms <= Math.min(this.from + this.span, this.length); ms += tick) {
      const x = (ms - this.from) * scale;
      context.fillStyle = this.colours.edge;
      context.fillRect(x, 0, 1, high);
      context.fillStyle = this.colours.dim;
      context.fillText(clockOf(ms, tick < 1000).slice(0, tick < 1000 ? 10 : 8), x + 4, 4);
    }
  }

  drawNear(context, now, wide, scale) {
    const { values, starts, step, most } = this.wave;
    const [top, bottom] = STRIP.wave;
    // Where a value is thinner than a pixel, several share one.
    const stride = Math.max(1, Math.ceil(1 / (step * scale)));
    let place = Math.max(0, Math.floor((this.from - starts) / step / stride) * stride);
    const end = Math.min(values.length, (this.from + this.span - starts) / step + stride);
    const width = Math.max(1, stride * step * scale - 0.75);
    for (; place < end; place += stride) {
      let loudest = 0;
      for (let at = place; at < place + stride && at < values.length; at += 1) {
        if (values[at] > loudest) loudest = values[at];
      }
      const ms = starts + place * step;
      context.fillStyle = ms <= now ? this.colours["wave-past"] : this.colours.wave;
      drawLevel(context, (ms - this.from) * scale, width, loudest / most, top, bottom);
    }
  }

  drawCues(context, now, until, scale) {
    const [top, bottom] = STRIP.cues;
    context.font = this.font;
    context.textBaseline = "middle";
    for (const [start, end, place] of this.track.between(this.from, until)) {
      const x = (start - this.from) * scale;
      const width = Math.max(2, (end - start) * scale);
      const isNow = start <= now && now < end;
      context.fillStyle = isNow ? this.colours["cue-now"] : this.colours.cue;
      context.beginPath();
      context.roundRect(x, top, width, bottom - top, Math.min(4, width / 2));
      context.fill();
      if (width > 30) this.drawText(context, place, Math.max(x, 0), x + width, isNow);
      (this.marks.of.get(place) || []).forEach((mark, order) => {
        this.drawMark(context, mark[4], Math.max(x, 0) + 8 + 16 * order, STRIP.marks, 5.5);
      });
    }
  }

  drawText(context, place, left, right, isNow) {
    const [top, bottom] = STRIP.cues;
    context.save();
    context.beginPath();
    context.rect(left, top, right - left - 4, bottom - top);
    context.clip();
    context.fillStyle = isNow ? this.colours.ground : this.colours["cue-text"];
    const text = this.track.cues[place][3].join(" ");
    const isFromRight = FROM_RIGHT.test(text);
    context.direction = isFromRight ? "rtl" : "ltr";
    context.textAlign = isFromRight ? "right" : "left";
    context.fillText(text, isFromRight ? right - 6 : left + 6, (top + bottom) / 2 + 0.5);
    context.restore();
  }
}

function decodeWave(wave) {
  const text = atob(wave.values);
  const values = Uint8Array.from({ length: text.length }, (_, place) => text.charCodeAt(place));
  // A quiet film is seen as well as a loud one, but silence is not made out to be sound.
  return { values, starts: wave.starts_ms, step: wave.step_ms, most: values.reduce((a, b) => Math.max(a, b), 32) };
}

function drawLevel(context, x, width, share, top, bottom) {
  // Quiet speech under loud music: shown by its power of two thirds rather than as it is.
  const half = Math.max(0.5, (share ** 0.66 * (bottom - top)) / 2);
  context.fillRect(x, (top + bottom) / 2 - half, width, 2 * half);
}

function fit(canvas) {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
}

function scrubbed(canvas, seekShare, hold) {
  const seek = (event) => {
    const box = canvas.getBoundingClientRect();
    seekShare(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)));
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    hold(true);
    seek(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) seek(event);
  });
  canvas.addEventListener("lostpointercapture", () => hold(false));
}
