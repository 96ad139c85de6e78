// Subtitles that are being put right: pure. Each cue knows which cues as loaded it comes from, so that what
// was changed can be told as corrections: these stood here, and these take their place.

let made = 0;
const newId = () => `c${(made += 1)}`;

/** `[start, end, speed, lines, speakers]` of the server as a cue; `from` are places in the list as loaded. */
export const cueOf = (row, place) => ({
  id: newId(), start_ms: row[0], end_ms: row[1], text: row[3].join("\n"), from: [place],
  who: [...new Set((row[4] || []).filter(Boolean))].join(", "),
});

const inOrder = cues => [...cues].sort((a, b) => a.start_ms - b.start_ms || a.end_ms - b.end_ms);

/** Replace one cue by others, in the order of time. */
export const replaced = (cues, id, others) => inOrder(cues.flatMap(cue => (cue.id === id ? others : [cue])));

export const withText = (cues, id, text) => cues.map(cue => (cue.id === id ? {...cue, text} : cue));

/** Give a cue other times, at least `least_ms` long, never before the film's start. */
export function withTimes(cues, id, start_ms, end_ms, least_ms = 100) {
  const start = Math.max(0, Math.round(start_ms));
  const end = Math.max(start + least_ms, Math.round(end_ms));
  return inOrder(cues.map(cue => (cue.id === id ? {...cue, start_ms: start, end_ms: end} : cue)));
}

/** Split a cue in its text at `place`; time is shared by the lengths of the two. */
export function split(cues, id, place, gap_ms = 0) {
  const cue = cues.find(one => one.id === id);
  const texts = [cue.text.slice(0, place).trim(), cue.text.slice(place).trim()];
  if (texts.some(text => !text)) return null;
  const share = texts[0].length / (texts[0].length + texts[1].length);
  const middle = Math.round(cue.start_ms + share * (cue.end_ms - cue.start_ms));
  const half = Math.min(Math.floor(gap_ms / 2), Math.floor((cue.end_ms - cue.start_ms) / 8));
  return replaced(cues, id, [
    {...cue, text: texts[0], end_ms: middle - half},
    {...cue, id: newId(), text: texts[1], start_ms: middle + half},
  ]);
}

/** Join a cue with the next one: each keeps its lines. */
export function join(cues, id) {
  const place = cues.findIndex(cue => cue.id === id);
  const [cue, next] = [cues[place], cues[place + 1]];
  if (!next) return null;
  const flat = [cue, next].map(one => one.text.replace(/\s*\n\s*/g, " "));
  const both = {
    ...cue, end_ms: Math.max(cue.end_ms, next.end_ms), text: flat.join("\n"), from: [...cue.from, ...next.from],
  };
  return [...cues.slice(0, place), both, ...cues.slice(place + 2)];
}

/** Add an empty cue after another one, in the free time there. */
export function added(cues, id, at_ms, length_ms = 2000) {
  const place = cues.findIndex(cue => cue.id === id);
  const before = cues[place];
  const start = Math.max(at_ms, before ? before.end_ms : 0);
  const next = cues.find(cue => cue.start_ms >= start && cue.id !== id);
  const end = Math.min(start + length_ms, next ? next.start_ms : Infinity);
  if (end - start < 200) return null;
  const cue = {id: newId(), start_ms: start, end_ms: end, text: "", from: []};
  return {cues: inOrder([...cues, cue]), id: cue.id};
}

const plain = cue => ({start_ms: cue.start_ms, end_ms: cue.end_ms, text: cue.text.trim()});
const isSame = (one, other) =>
  one.start_ms === other.start_ms && one.end_ms === other.end_ms && one.text.trim() === other.text.trim();

/** What was changed since the list was loaded, as the server takes it. */
export function correctionsOf(loaded, cues) {
  const groups = grouped(loaded.length, cues);
  return groups
    .map(({old, now}) => ({old: old.map(place => loaded[place]), now}))
    .filter(({old, now}) => !(old.length === 1 && now.length === 1 && isSame(old[0], now[0])))
    .map(({old, now}) => ({old: old.map(plain), new: inOrder(now).map(plain).filter(cue => cue.text)}))
    .filter(change => change.old.length || change.new.length);
}

/** What is kept of changes that are not saved: `cues`, and the list as loaded that they were made of. */
export const draftOf = (loaded, cues) => JSON.stringify({loaded: loaded.map(plain), cues});

/** The cues of a draft, with ids of now; null where the subtitles are others now: their places mean nothing here. */
export function cuesOf(draft, loaded) {
  const kept = JSON.parse(draft);
  if (JSON.stringify(kept.loaded) !== JSON.stringify(loaded.map(plain))) return null;
  return kept.cues.map(cue => ({...cue, id: newId()}));
}

/** What was saved is what changes are made of from now on; a cue without text was not. */
export const asLoaded = cues => cues.filter(cue => cue.text.trim()).map((cue, place) => ({...cue, from: [place]}));

/** Cues that belong together: by what they come from; what was removed in between belongs to them, too. */
function grouped(count, cues) {
  const owner = Array.from({length: count}, (_, place) => place);
  const root = place => (owner[place] === place ? place : (owner[place] = root(owner[place])));
  const bind = (first, last) => {
    for (let place = first; place <= last; place += 1) owner[root(place)] = root(first);
  };
  for (const cue of cues) if (cue.from.length) bind(Math.min(...cue.from), Math.max(...cue.from));
  const groups = new Map();
  for (let place = 0; place < count; place += 1) {
    const key = root(place);
    if (!groups.has(key)) groups.set(key, {old: [], now: []});
    groups.get(key).old.push(place);
  }
  const fresh = [];
  for (const cue of cues) {
    if (cue.from.length) groups.get(root(cue.from[0])).now.push(cue);
    else fresh.push({old: [], now: [cue]});
  }
  return [...groups.values(), ...fresh];
}

/** Undo and redo: a list of states, and where one stands in it. Typing in one cue is one step. */
export class History {
  constructor(cues) {
    this.states = [cues];
    this.place = 0;
    this.typing = null;
  }

  get cues() {
    return this.states[this.place];
  }

  put(cues, typing = null) {
    const goesOn = typing !== null && typing === this.typing && this.place === this.states.length - 1 && this.place > 0;
    this.states.length = goesOn ? this.place : this.place + 1;
    this.states.push(cues);
    this.place = this.states.length - 1;
    this.typing = typing;
  }

  move(step) {
    const place = this.place + step;
    if (place < 0 || place >= this.states.length) return false;
    [this.place, this.typing] = [place, null];
    return true;
  }
}

const graphemes = new Intl.Segmenter(undefined, {granularity: "grapheme"});
const WIDE = new Set(["ja", "zh", "ko", "yue"]);
const HALF = /^[ -~\u{ff61}-\u{ffdc}]$/u;

/** How long a text is to read, as the rules count it: in wide scripts narrow characters count half. */
export function length(text, language) {
  const shown = text.replace(/<[^>]*>|\{[^}]*\}/g, "");
  let total = 0;
  for (const {segment} of graphemes.segment(shown)) total += WIDE.has(language) && HALF.test(segment) ? 0.5 : 1;
  return total;
}

/** Graphemes a second; a line break counts as a space where words have spaces. */
export function speed(cue, language) {
  const seen = cue.end_ms - cue.start_ms;
  const spoken = cue.text.trim().replace(/\n/g, WIDE.has(language) && language !== "ko" ? "" : " ");
  return seen > 0 ? (1000 * length(spoken, language)) / seen : Infinity;
}

/** What is wrong with a cue by the rules in numbers: sentences, each short. */
export function wrongs(cue, before, numbers, language) {
  const found = [];
  const lines = cue.text.trim().split("\n");
  const seen = cue.end_ms - cue.start_ms;
  const fast = speed(cue, language);
  const longest = Math.max(...lines.map(line => length(line, language)));
  if (!cue.text.trim()) found.push("no text");
  if (fast > numbers.max_graphemes_per_second + 0.05) found.push(`${fast.toFixed(1)} a second, at most ${numbers.max_graphemes_per_second}`);
  if (longest > numbers.max_line_graphemes) found.push(`line of ${longest}, at most ${numbers.max_line_graphemes}`);
  if (lines.length > numbers.max_lines) found.push(`${lines.length} lines, at most ${numbers.max_lines}`);
  if (seen < numbers.min_cue_ms) found.push(`${(seen / 1000).toFixed(2)} s, at least ${(numbers.min_cue_ms / 1000).toFixed(2)}`);
  if (seen > numbers.max_cue_ms) found.push(`${(seen / 1000).toFixed(1)} s, at most ${numbers.max_cue_ms / 1000}`);
  if (before && cue.start_ms < before.end_ms) found.push("runs into the one before");
  else if (before && cue.start_ms - before.end_ms < numbers.min_gap_ms) found.push(`gap of ${cue.start_ms - before.end_ms} ms, at least ${numbers.min_gap_ms}`);
  return found;
}
