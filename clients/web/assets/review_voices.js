// Who speaks: each voice with its first lines to hear, and a name to write, kept for the films of the series.
import {byId, h} from "/assets/dom.js";
import {get, jobPath, post} from "/assets/server.js";
import {clock} from "/assets/words.js";

const LONGEST = 60;
const BY = {person: "", series: "known from the series"};

/**
 * Show the voices of a job; the list stays hidden where nobody told them apart. `play(lines)` plays stretches
 * of the film, `saved(sentence)` is called when names are kept and the files are being made again.
 */
export class Voices {
  constructor(job, {play, saved, complain}) {
    Object.assign(this, {job, play, saved, complain, voices: []});
    byId("voices").addEventListener("submit", event => {
      event.preventDefault();
      this.save();
    });
  }

  async load() {
    // What was written and is not kept yet stays.
    const written = this.voices.length ? this.names() : {};
    const found = await get(jobPath(this.job, "/speakers"));
    this.voices = found.voices;
    byId("voices").hidden = !found.voices.length;
    byId("voices-title").textContent = `Voices; names are kept for ${found.series}`;
    byId("voices-list").replaceChildren(...found.voices.map(voice => this.row(voice, written[voice.id] ?? voice.name)));
    this.changed();
  }

  row(voice, name) {
    const first = voice.first_lines[0];
    const by = [BY[voice.by], voice.likeness_percent ? `${voice.likeness_percent} %` : ""].filter(Boolean).join(", ");
    return h("li", {data: {voice: voice.id}},
      h("button", {type: "button", disabled: !first, onclick: () => this.play(voice.first_lines)}, `Hear ${voice.id}`),
      h("input", {
        value: name, maxlength: LONGEST, dir: "auto", autocomplete: "off", spellcheck: "false",
        "aria-label": `Name of voice ${voice.id}`, placeholder: `Voice ${voice.id}`, oninput: () => this.changed(),
      }),
      h("span", {class: "says", dir: "auto"}, first ? `${clock(first.start_ms)} ${first.text}` : ""),
      by && h("span", {class: "by"}, by));
  }

  /** Return the names that are other than those that are kept. */
  names() {
    const inputs = [...byId("voices-list").querySelectorAll("input")];
    const pairs = this.voices.map((voice, place) => [voice.id, inputs[place].value.trim(), voice.name]);
    return Object.fromEntries(pairs.filter(([, now, kept]) => now !== kept).map(([id, now]) => [id, now]));
  }

  changed() {
    byId("voices-save").disabled = !Object.keys(this.names()).length;
  }

  async save() {
    const names = this.names();
    if (!Object.keys(names).length) return;
    byId("voices-save").disabled = true;
    this.complain(null);
    try {
      await post(jobPath(this.job, "/speakers"), {names});
    } catch (problem) {
      this.complain(problem);
      this.changed();
      return;
    }
    this.voices = [];
    await this.saved();
  }
}
