"use strict";

// Puts the parts together: what a person does, and what is drawn when the film goes on.

const part = (id) => document.getElementById(id);
const data = JSON.parse(part("data").textContent);
const tracks = data.tracks.map((track) => new Track(track));
const player = new Player(part("film"), data.media);
const list = new CueList(part("list"), data.rules, (place) => goTo(place));
const timeline = new Timeline(
  data,
  { strip: part("strip"), overview: part("overview"), window: part("window"), head: part("head") },
  (ms) => { player.seek(ms); wake(); },
);
let wanted = 0;

function frame() {
  wanted = 0;
  const now = player.position;
  const isGliding = timeline.draw(now, player.isPlaying);
  if (list.track) list.follow(now);
  part("clock").textContent = clockOf(now);
  if (player.isPlaying || isGliding) wake();
}

function wake() {
  if (!wanted) wanted = requestAnimationFrame(frame);
}

function goTo(place) {
  if (place < 0) return;
  // A millisecond into it: a cue's time is rounded, and the frame it starts with may begin just after.
  player.seek(list.track.cues[place][0] + 1);
  wake();
}

function step(direction) {
  if (list.track) goTo(list.neighbour(player.position, direction));
}

function choose() {
  const first = tracks[part("first").value];
  const second = tracks[part("second").value];
  player.show([first, second].filter((track, place, all) => track && all.indexOf(track) === place));
  if (first && first !== list.track) showTrack(first);
}

function showTrack(track) {
  const marks = new Marks(track);
  list.show(track, marks);
  timeline.show(track, marks);
  part("count").textContent = `${track.name}: ${plural(track.cues.length, "cue")}`;
  part("marked").textContent = `(${marks.of.size})`;
  part("only").disabled = !marks.of.size && !part("only").checked;
  const maker = [track.engine, track.model].filter(Boolean).join(" with ");
  const origin = track.translated_from ? `translated from ${track.translated_from}` : "as spoken";
  part("made").textContent = [track.name, maker ? `${origin}, by ${maker}` : origin,
    track.profile && `profile ${track.profile}`, track.file, data.quality].filter(Boolean).join(" · ");
  showQuality(track);
  wake();
}

function showQuality(track) {
  const kinds = new Set(track.marks.map((mark) => mark[4]));
  const kind = ["broken", "unavoidable"].find((name) => kinds.has(name));
  const told = track.checked ? track.sentence || "every rule is kept" : "not checked";
  const shape = element("span", kind || "", kind ? KINDS[kind].shape : track.checked ? "✓" : "–");
  shape.setAttribute("aria-hidden", "true");
  part("quality").replaceChildren(shape, element("span", kind || "", `Quality: ${told}`));
}

function fillSelects() {
  const add = (select, value, text) => {
    const option = element("option", "", text);
    option.value = value;
    part(select).append(option);
  };
  tracks.forEach((track, place) => {
    add("first", place, track.name);
    if (!place) add("second", "", "none");
    add("second", place, track.name);
  });
  add("first", "", "off");
  part("second-label").hidden = tracks.length < 2;
}

function fillHeader() {
  part("title").textContent = data.title;
  const facts = [data.film, data.duration_ms && clockOf(data.duration_ms, false),
    data.frames_per_second && `${Number(data.frames_per_second.toFixed(3))} frames/s`, data.job];
  if (data.media && data.media.kind === "copy") facts.push("shown as a copy that browsers can play");
  part("facts").textContent = facts.filter(Boolean).join(" · ");
  part("notes").replaceChildren(...data.notes.map((note) => element("li", "", note)));
  part("frame").classList.toggle("empty", !data.media);
  part("frame").classList.toggle("sound", Boolean(data.media) && !data.media.has_picture);
  for (const name of ["previous", "next"]) part(name).disabled = !tracks.length;
  part("toggle").disabled = !data.media;
}

function fillLegend() {
  const bars = [data.wave && ["wave", "loudness"], data.speech.length && ["speech", "speech heard"], ["cue", "cue"]];
  const items = bars.filter(Boolean).map(([name, words]) => {
    const item = element("li");
    const swatch = element("span", "swatch");
    swatch.style.background = colour(name);
    item.append(swatch, words);
    return item;
  });
  for (const [kind, { shape, words }] of Object.entries(KINDS)) {
    const item = element("li");
    item.append(element("span", `shape ${kind}`, shape), words);
    items.push(item);
  }
  part("legend").replaceChildren(...items);
  part("strip").setAttribute("aria-label", "Loudness, speech and cues around the playhead");
  part("overview").setAttribute("aria-label", "Loudness, speech and cues of the whole film");
}

// Keys that mean something for what has the focus are left to it: the arrows of a choice, the volume's.
function isTaken(event) {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches("select")) return true;
  if (target.matches("video")) return key === "ArrowUp" || key === "ArrowDown";
  return key === " " && target.matches("input, button:not(.cue)");
}

const KEYS = {
  " ": () => player.toggle(),
  ArrowLeft: () => step(-1),
  ArrowUp: () => step(-1),
  ArrowRight: () => step(1),
  ArrowDown: () => step(1),
  "+": () => zoom(-1),
  "-": () => zoom(1),
};

function zoom(direction) {
  timeline.zoom(direction);
  wake();
}

function listen() {
  const film = part("film");
  for (const type of ["play", "pause", "seeking", "seeked", "timeupdate", "loadeddata"]) film.addEventListener(type, wake);
  for (const type of ["play", "pause"]) {
    film.addEventListener(type, () => {
      part("toggle").classList.toggle("playing", !film.paused);
      part("toggle").setAttribute("aria-label", film.paused ? "Play" : "Pause");
    });
  }
  film.addEventListener("loadedmetadata", () => {
    if (Number.isFinite(film.duration)) timeline.setLength(film.duration * 1000 + data.media.starts_ms);
    timeline.resize();
    wake();
  });
  film.addEventListener("error", () => {
    part("problem").hidden = false;
    part("problem").textContent = `${data.media.file} cannot be played here. Was it moved? Make the page again: cpw preview ${data.job}`;
  });
  part("first").addEventListener("change", choose);
  part("second").addEventListener("change", choose);
  part("only").addEventListener("change", (event) => list.filter(event.target.checked));
  part("toggle").addEventListener("click", () => player.toggle());
  part("previous").addEventListener("click", () => step(-1));
  part("next").addEventListener("click", () => step(1));
  part("closer").addEventListener("click", () => zoom(-1));
  part("wider").addEventListener("click", () => zoom(1));
  document.addEventListener("keydown", (event) => {
    if (!(event.key in KEYS) || isTaken(event)) return;
    event.preventDefault();
    KEYS[event.key]();
  }, { capture: true });
  // Firefox presses a button when the space key comes up.
  document.addEventListener("keyup", (event) => {
    if (event.key === " " && event.target.matches(".cue")) event.preventDefault();
  }, { capture: true });
  new ResizeObserver(() => { timeline.resize(); wake(); }).observe(part("timeline"));
}

fillHeader();
fillSelects();
fillLegend();
listen();
choose();
if (!tracks.length) timeline.resize();
wake();
