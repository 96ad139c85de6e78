"""Writes cues as TTML in the IMSC 1.1 text profile. Pure.

Sources, all W3C Recommendations of 8 November 2018:

- *TTML Profiles for Internet Media Subtitles and Captions 1.1* (w3.org/TR/ttml-imsc1.1): the profile's
  designator, regions inside the picture, the generic font family, an outline of at most a tenth.
- *Timed Text Markup Language 2* (w3.org/TR/ttml2): `ttp:contentProfiles`, `ttp:timeBase`, clock times,
  `tts:direction` and `tts:unicodeBidi` on `p` and `span`; `ttm:agent` for who speaks (14.2).

pysubs2's writer is not used: it has no language, no region and no direction. It gives styles a plain `id`,
but TTML needs `xml:id`. It holds text as SubStation text, in which a spoken `\\N` is a line end.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence

from protocol.timeline import UNDETERMINED, Cue
from workers.engines.common.formats.base import Writable
from workers.engines.common.formats.lines import languages_of, plain, runs_right_to_left
from workers.engines.common.formats.srt_vtt import clock_time
from workers.engines.common.formats.voices import named_cues

__all__ = ["IMSC_TEXT", "to_ttml", "write"]

IMSC_TEXT = "http://www.w3.org/ns/ttml/profile/imsc1.1/text"
"""Designator of the profile (IMSC 1.1, section 8.1)."""

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NEW_LINE = "\n   "
_NAMESPACES = {
    "xmlns": "http://www.w3.org/ns/ttml",
    "xmlns:ttp": "http://www.w3.org/ns/ttml#parameter",
    "xmlns:tts": "http://www.w3.org/ns/ttml#styling",
}
_METADATA = {"xmlns:ttm": "http://www.w3.org/ns/ttml#metadata"}
_TEXT_STYLE = {
    "tts:fontFamily": "proportionalSansSerif",
    "tts:fontSize": "100%",
    "tts:lineHeight": "125%",
    "tts:color": "white",
    "tts:textAlign": "center",
    "tts:textOutline": "black 5%",
}
_RTL_STYLE = {"tts:direction": "rtl", "tts:unicodeBidi": "embed"}
_BOTTOM = {
    "tts:origin": "10% 10%",
    "tts:extent": "80% 80%",
    "tts:displayAlign": "after",
    "tts:showBackground": "whenActive",
}


def write(track: Writable) -> str:
    """Return the track's cues as TTML."""
    return to_ttml(named_cues(track), track.transcript.language, track.languages)


def to_ttml(cues: Sequence[Cue], language: str = UNDETERMINED, languages: Sequence[str] | None = None) -> str:
    """Return the cues as a TTML document in `language` (ISO 639-1, which is BCP 47), with media times.

    There is one region, at the bottom. Each cue is a `p` with `br` between its lines. If all lines of a cue
    run from right to left, the `p` has that direction; if only some do, each of them is a `span` with it. A
    cue without text is left out: its `p` would show nothing. Where `languages` names another language for a
    cue, its `p` says so. `Cue.speakers` are the speakers' names: the head has an agent for each, and the `p`,
    or the `span` of a line, refers to it.
    """
    agents: dict[str, str] = {}
    for name in (name for cue in cues for name in cue.speakers if name):
        agents.setdefault(name, f"speaker-{len(agents) + 1}")
    # Prefixes are written out: etree would take them from a registry that the whole process shares.
    root = ET.Element("tt", {**_NAMESPACES, **(_METADATA if agents else {}), **_parameters(language)})
    _add_head(root, agents)
    place = ET.SubElement(ET.SubElement(root, "body", {"style": "text", "region": "bottom"}), "div")
    ET.indent(root, " ")
    # etree does not indent this part: inside a `p`, spaces are text.
    place.text = _NEW_LINE
    for cue, own in zip(cues, languages_of(languages or language, len(cues)), strict=True):
        if lines := _lines(cue, agents, own):
            _add_cue(place, cue, lines)
            if own != language:
                place[-1].set("xml:lang", own)
    return _DECLARATION + ET.tostring(root, encoding="unicode") + "\n"


def _parameters(language: str) -> dict[str, str]:
    return {"xml:lang": language, "ttp:timeBase": "media", "ttp:contentProfiles": IMSC_TEXT}


def _add_head(root: ET.Element, agents: Mapping[str, str]) -> None:
    head = ET.SubElement(root, "head")
    metadata = ET.SubElement(head, "metadata") if agents else head
    for name, agent in agents.items():
        person = ET.SubElement(metadata, "ttm:agent", {"xml:id": agent, "type": "person"})
        ET.SubElement(person, "ttm:name", {"type": "full"}).text = plain(name)
    styling = ET.SubElement(head, "styling")
    ET.SubElement(styling, "style", {"xml:id": "text", **_TEXT_STYLE})
    ET.SubElement(styling, "style", {"xml:id": "rtl", **_RTL_STYLE})
    ET.SubElement(ET.SubElement(head, "layout"), "region", {"xml:id": "bottom", **_BOTTOM})


def _lines(cue: Cue, agents: Mapping[str, str], language: str) -> list[tuple[str, dict[str, str]]]:
    """Return the lines that have text, each with its attributes: a direction, and who says it."""
    speakers = cue.speakers if len(cue.speakers) == len(cue.lines) else ("",) * len(cue.lines)
    found = []
    for raw_line, speaker in zip(cue.lines, speakers, strict=True):
        if line := plain(raw_line).strip():
            leftward = {"style": "rtl"} if runs_right_to_left(line, language) else {}
            found.append((line, {**leftward, **({"ttm:agent": agents[speaker]} if speaker else {})}))
    return found


def _add_cue(place: ET.Element, cue: Cue, lines: Sequence[tuple[str, dict[str, str]]]) -> None:
    times = {"begin": clock_time(cue.start_ms), "end": clock_time(cue.end_ms)}
    # What all lines have is the paragraph's.
    common = {
        name: value for name, value in lines[0][1].items() if all(own.get(name) == value for _, own in lines)
    }
    shown = ET.SubElement(place, "p", {**times, **common})
    for number, (line, attributes) in enumerate(lines):
        # The last element: text goes after it, or into the `p` if there is none yet.
        last = ET.SubElement(shown, "br") if number else None
        own = {name: value for name, value in attributes.items() if name not in common}
        if own:
            ET.SubElement(shown, "span", own).text = line
        elif last is None:
            shown.text = line
        else:
            last.tail = line
    shown.tail = _NEW_LINE
