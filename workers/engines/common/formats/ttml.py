"""Writes cues as TTML in the IMSC 1.1 text profile. Pure.

Sources, all W3C Recommendations of 8 November 2018:

- *TTML Profiles for Internet Media Subtitles and Captions 1.1* (w3.org/TR/ttml-imsc1.1): the profile's
  designator, regions inside the picture, the generic font family, an outline of at most a tenth.
- *Timed Text Markup Language 2* (w3.org/TR/ttml2): `ttp:contentProfiles`, `ttp:timeBase`, clock times,
  `tts:direction` and `tts:unicodeBidi` on `p` and `span`.

pysubs2's writer is not used: it has no language, no region and no direction. It gives styles a plain `id`,
but TTML needs `xml:id`. It holds text as SubStation text, in which a spoken `\\N` is a line end.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from protocol.timeline import UNDETERMINED, Cue
from workers.engines.common.formats.base import Writable
from workers.engines.common.formats.lines import languages_of, plain, runs_right_to_left
from workers.engines.common.formats.srt_vtt import clock_time

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
    return to_ttml(track.cues, track.transcript.language, track.languages)


def to_ttml(cues: Sequence[Cue], language: str = UNDETERMINED, languages: Sequence[str] | None = None) -> str:
    """Return the cues as a TTML document in `language` (ISO 639-1, which is BCP 47), with media times.

    There is one region, at the bottom. Each cue is a `p` with `br` between its lines. If all lines of a cue
    run from right to left, the `p` has that direction; if only some do, each of them is a `span` with it. A
    cue without text is left out: its `p` would show nothing. Where `languages` names another language for a
    cue, its `p` says so.
    """
    # Prefixes are written out: etree would take them from a registry that the whole process shares.
    root = ET.Element("tt", {**_NAMESPACES, **_parameters(language)})
    _add_head(root)
    place = ET.SubElement(ET.SubElement(root, "body", {"style": "text", "region": "bottom"}), "div")
    ET.indent(root, " ")
    # etree does not indent this part: inside a `p`, spaces are text.
    place.text = _NEW_LINE
    for cue, own in zip(cues, languages_of(languages or language, len(cues)), strict=True):
        if lines := [line for raw_line in cue.lines if (line := plain(raw_line).strip())]:
            _add_cue(place, cue, lines, own)
            if own != language:
                place[-1].set("xml:lang", own)
    return _DECLARATION + ET.tostring(root, encoding="unicode") + "\n"


def _parameters(language: str) -> dict[str, str]:
    return {"xml:lang": language, "ttp:timeBase": "media", "ttp:contentProfiles": IMSC_TEXT}


def _add_head(root: ET.Element) -> None:
    head = ET.SubElement(root, "head")
    styling = ET.SubElement(head, "styling")
    ET.SubElement(styling, "style", {"xml:id": "text", **_TEXT_STYLE})
    ET.SubElement(styling, "style", {"xml:id": "rtl", **_RTL_STYLE})
    ET.SubElement(ET.SubElement(head, "layout"), "region", {"xml:id": "bottom", **_BOTTOM})


def _add_cue(place: ET.Element, cue: Cue, lines: Sequence[str], language: str) -> None:
    leftward = [runs_right_to_left(line, language) for line in lines]
    times = {"begin": clock_time(cue.start_ms), "end": clock_time(cue.end_ms)}
    shown = ET.SubElement(place, "p", {**times, "style": "rtl"} if all(leftward) else times)
    for number, line in enumerate(lines):
        # The last element: text goes after it, or into the `p` if there is none yet.
        last = ET.SubElement(shown, "br") if number else None
        if leftward[number] and not all(leftward):
            ET.SubElement(shown, "span", {"style": "rtl"}).text = line
        elif last is None:
            shown.text = line
        else:
            last.tail = line
    shown.tail = _NEW_LINE
