// Find and replace in all subtitles.
import {byId, setText} from "/assets/dom.js";
import {withText} from "/assets/review_cues.js";
import {plural} from "/assets/words.js";

/** Show the form, and go through what is found; what is replaced is one change to undo. */
export function beginFinding({cues, put, choose, current, shortcuts}) {
  const [form, text, other] = ["find", "find-text", "find-put"].map(byId);
  const wanted = () => text.value;
  const holds = cue => wanted() && cue.text.includes(wanted());
  const count = () => setText(byId("find-count"), wanted() ? plural(cues().filter(holds).length, "subtitle") : "");
  const open = () => {
    form.hidden = false;
    text.focus();
    text.select();
    count();
  };
  const next = () => {
    const place = cues().findIndex(cue => cue.id === current());
    const found = [...cues().slice(place + 1), ...cues().slice(0, place + 1)].find(holds);
    if (found) choose(found.id, false);
    byId("rows").querySelector("[data-current=true]")?.scrollIntoView({block: "center"});
    count();
  };
  const replace = cue => (holds(cue) ? {...cue, text: cue.text.replaceAll(wanted(), other.value)} : cue);
  form.addEventListener("submit", event => {
    event.preventDefault();
    next();
  });
  byId("find-one").addEventListener("click", () => {
    const cue = cues().find(one => one.id === current());
    if (cue && holds(cue)) put(withText(cues(), cue.id, replace(cue).text));
    next();
  });
  byId("find-all").addEventListener("click", () => {
    const found = cues().filter(holds).length;
    if (found) put(cues().map(replace));
    setText(byId("find-count"), `${plural(found, "subtitle")} changed`);
  });
  byId("find-close").addEventListener("click", () => {
    form.hidden = true;
    byId("find-open").focus();
  });
  text.addEventListener("input", count);
  byId("find-open").addEventListener("click", open);
  shortcuts["Ctrl+f"] = open;
}
