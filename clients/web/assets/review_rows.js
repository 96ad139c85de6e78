// The list of subtitles: a row each, with its times, its text to write in, what is wrong and what is doubtful.
import {h, keep, setText} from "/assets/dom.js";
import {speed, wrongs} from "/assets/review_cues.js";
import {clock} from "/assets/words.js";

export class Rows {
  /** `typed(id, text)` and `chosen(id)` are called for what a person does. */
  constructor(list, {typed, chosen}) {
    Object.assign(this, {list, typed, chosen, elements: new Map()});
  }

  show(cues, facts) {
    keep(this.list, cues, cue => cue.id, cue => this.make(cue), row => this.elements.set(row.dataset.key, row));
    cues.forEach((cue, place) => this.fillOne(cues, place, facts));
  }

  fillOne(cues, place, {current, numbers, language, doubtsOf, besideOf}) {
    const cue = cues[place];
    const row = this.elements.get(cue.id);
    const [before, doubts, beside] = [cues[place - 1], doubtsOf(cue), besideOf(cue)];
    this.fill(row, cue, place, {before, numbers, language, doubts, beside});
    row.dataset.current = String(cue.id === current);
  }

  make(cue) {
    const text = h("textarea", {
      rows: 2, dir: "auto", spellcheck: "true",
      oninput: event => this.typed(cue.id, event.target.value),
      onfocus: () => this.chosen(cue.id),
    });
    return h("li", {onpointerdown: () => this.chosen(cue.id)},
      h("p", {class: "times"}, h("b", {}), h("span", {class: "speed"}), h("span", {}), h("span", {}), h("span", {class: "who"})),
      text, h("p", {class: "beside", dir: "auto"}), h("p", {class: "marks"}));
  }

  fill(row, cue, place, {before, numbers, language, doubts, beside}) {
    const [times, text, side, marks] = row.children;
    setText(times.children[0], `${place + 1}`);
    setText(times.children[1], `${Math.min(99, speed(cue, language)).toFixed(1)}/s`);
    setText(times.children[2], clock(cue.start_ms));
    setText(times.children[3], clock(cue.end_ms));
    setText(times.children[4], cue.who || "");
    if (text.value !== cue.text) text.value = cue.text;
    text.setAttribute("aria-label", `Subtitle ${place + 1}, ${clock(cue.start_ms)}`);
    setText(side, beside);
    side.hidden = !beside;
    const wrong = wrongs(cue, before, numbers, language);
    setText(marks, [...wrong, ...doubts].join("; "));
    marks.dataset.kind = wrong.length ? "wrong" : doubts.length ? "doubt" : "";
    marks.hidden = !wrong.length && !doubts.length;
    text.setAttribute("aria-invalid", String(wrong.length > 0));
  }

  focus(id, place = null) {
    const row = this.elements.get(id);
    const text = row?.querySelector("textarea");
    if (!text) return;
    text.focus({preventScroll: true});
    if (place !== null) text.setSelectionRange(place, place);
    this.scroll(id);
  }

  scroll(id) {
    const row = this.elements.get(id);
    if (!row) return;
    const [list, box] = [this.list.getBoundingClientRect(), row.getBoundingClientRect()];
    if (box.top < list.top || box.bottom > list.bottom) row.scrollIntoView({block: "center"});
  }

  textarea(id) {
    return this.elements.get(id)?.querySelector("textarea");
  }
}
