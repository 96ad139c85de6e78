// What a job made: its files, how good they are, and other formats of them.
import {complain, h, once, table} from "/assets/dom.js";
import {Problem, filePath, jobPath, post} from "/assets/server.js";
import {clock, fileName, languageName, plural, size} from "/assets/words.js";

const MADE = /\.([a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:\+[a-z]{2,3}(?:-[A-Z][a-z]{3})?)?)\.((?:qc\.)?[a-z0-9]+)$/;
const ORDER = ["srt", "vtt", "ass", "ttml", "txt", "tsv", "json", "qc.json"];
const MOST_CUES = 50;

/** A row for each film that was made, and for each language's subtitles. */
export function madeTable(job, files) {
  const rows = new Map();
  const order = file => ORDER.indexOf(file.path.match(MADE)?.[2]);
  for (const file of [...files].sort((one, other) => order(one) - order(other))) {
    const match = file.path.match(MADE);
    const name = match ? languageName(match[1]) : fileName(file.path);
    if (!rows.has(name)) rows.set(name, []);
    const link = {class: "file", href: filePath(job, file.path), download: "", title: fileName(file.path)};
    rows.get(name).push(h("a", link, match ? match[2] : `take it, ${size(file.size)}`));
  }
  const lines = [...rows].map(([name, links]) => h("tr", {}, h("td", {}, name), h("td", {}, links)));
  return table("What was made", ["What", "Files"], h("tbody", {}, lines));
}

/** Files by their paths. */
export function fileTable(job, files) {
  const rows = files.map(file => h("tr", {},
    h("td", {}, h("a", {href: filePath(job, file.path), download: ""}, file.path)),
    h("td", {class: "number"}, size(file.size))));
  return table("Other files", ["File", ["Size", "number"]], h("tbody", {}, rows));
}

/** A report on the cues of one language. */
export function qualityReport(report, rules) {
  const broken = report.rules.filter(rule => rule.count);
  const rows = broken.map(rule => h("tr", {},
    h("td", {}, rules[rule.rule] || rule.rule, rule.informs_only ? h("span", {class: "dim"}, " (taste)") : "",
      h("details", {data: {name: `${report.language} ${rule.rule}`}}, h("summary", {}, "Which"),
        h("ul", {class: "cues"}, rule.cues.slice(0, MOST_CUES).map(cueLine)))),
    h("td", {class: "number"}, rule.limit === null ? "" : `${rule.limit} ${rule.unit}`),
    h("td", {class: "number"}, String(rule.count))));
  return h("div", {class: "report"},
    h("h3", {}, languageName(report.language)),
    h("p", {class: "dim"}, `${plural(report.cue_count, "cue")}, rules of ${report.profile}`),
    h("p", {}, report.sentence || "Every cue keeps every rule."),
    broken.length ? table(`Rules that cues in ${languageName(report.language)} break`,
      ["Cues", ["Limit", "number"], ["Count", "number"]], h("tbody", {}, rows)) : "");
}

function cueLine(cue) {
  return h("li", {}, h("span", {class: "figure"}, `${clock(cue.start_ms)} `), cue.lines.join(" / "),
    cue.reason ? h("span", {class: "dim"}, ` (${cue.reason})`) : "");
}

/** The form that writes the subtitles again, by other rules or in other formats. */
export function exportForm(job, languages, known) {
  const boxes = (name, entries, checked) => entries.map(([value, text]) =>
    h("label", {class: "box"}, h("input", {type: "checkbox", name, value, checked: checked(value)}), text));
  const profile = h("select", {id: "export-profile"}, h("option", {value: ""}, "those of the job"),
    known.profiles.map(entry => h("option", {value: entry}, entry)));
  const links = h("div", {role: "status"});
  const problem = h("p", {class: "problem", role: "alert", hidden: true});
  const button = h("button", {type: "submit"}, "Write files");
  const form = h("form", {},
    h("fieldset", {class: "boxes"}, h("legend", {}, "Formats"),
      boxes("format", known.formats.map(row => [row.name, row.title]), value => value === "srt")),
    h("fieldset", {class: "boxes"}, h("legend", {}, "Languages"),
      boxes("language", languages.map(code => [code, languageName(code)]), () => true)),
    h("p", {class: "line-of-fields"}, h("label", {for: "export-profile"}, "Rules"), profile, button), problem, links);
  form.addEventListener("submit", event => {
    event.preventDefault();
    once(button, () => write(job, form, {profile, links, problem}));
  });
  return form;
}

async function write(job, form, {profile, links, problem}) {
  const chosen = name => [...form.querySelectorAll(`[name=${name}]:checked`)].map(box => box.value);
  try {
    const [formats, languages] = [chosen("format"), chosen("language")];
    if (!formats.length || !languages.length) throw new Problem("Choose a format and a language.");
    const answer = await post(jobPath(job.job, "/export"), {formats, languages, profile: profile.value});
    complain(problem, null);
    links.replaceChildren(
      ...answer.notes.map(note => h("p", {class: "note"}, note)),
      h("ul", {class: "links"}, answer.files.map(file => h("li", {},
        h("a", {href: filePath(job.job, file.path), download: ""}, fileName(file.path)),
        h("span", {class: "dim"}, file.cue_count === null ? "" : ` ${plural(file.cue_count, "cue")}`)))));
  } catch (wrong) {
    complain(problem, wrong);
  }
}
