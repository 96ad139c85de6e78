"""Writes cues as Advanced SubStation Alpha with pysubs2; on request, words light up one by one. Pure.

pysubs2 writes the file: head, styles, times. The text of its events is SubStation markup, and the format has
no escapes. So `_escape` changes the text first, by the rules of ffmpeg's own converter to ASS
(libavcodec/ass.c, `ff_ass_bprint_text_event`):

- after a backslash comes a U+2060 WORD JOINER, invisible, so that a spoken `\\N` or `\\h` is no line end or
  space;
- `{` becomes `\\{` and an empty block: libass shows the bracket; other renderers show a backslash for it, and
  none hides the text after it. A `}` that closes nothing is text everywhere.

Right to left: each such line is in an embedding (U+202B to U+202C), so that a full stop or a Latin name is on
its right side, whatever direction the renderer gives the paragraph. A file with such a line has libass's
`Encoding` -1 in every style (libass takes the last one of an event). With it, words keep their order across
the marks of karaoke. Without it, the marks split the line into pieces that run from left to right, as in
VSFilter (libass, `ass.h`: ASS_FEATURE_WHOLE_TEXT_LAYOUT).
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import mode
from types import MappingProxyType

from pysubs2 import Alignment, Color, SSAEvent, SSAFile, SSAStyle

from protocol.errors import UsageError
from protocol.timeline import UNDETERMINED, Cue, Word
from workers.engines.common.formats.base import Writable
from workers.engines.common.formats.karaoke import Syllable, syllables
from workers.engines.common.formats.lines import (
    embedded,
    languages_of,
    plain,
    runs_right_to_left,
    script_of,
)
from workers.engines.common.formats.srt_vtt import clock_time
from workers.engines.common.formats.voices import colours_of, named_cues

__all__ = ["DEFAULT_PICTURE", "FONTS", "fonts_of", "to_ass", "write"]

DEFAULT_PICTURE = (1920, 1080)
"""Width and height in pixels for a film without a picture, or with an unknown one."""

_SANS = ("Arial", "Noto Sans", "DejaVu Sans", "Liberation Sans", "Helvetica")
_ARABIC = ("Noto Naskh Arabic", "Noto Sans Arabic", "Geeza Pro", "Segoe UI", "Arial", "DejaVu Sans")
FONTS: dict[str, tuple[str, ...]] = {
    "LATIN": _SANS,
    "CYRILLIC": _SANS,
    "GREEK": _SANS,
    "HEBREW": ("Noto Sans Hebrew", "Arial Hebrew", "Arial", "DejaVu Sans"),
    # No Nastaliq font: renderers scale a font by its height, and Nastaliq's makes its letters tiny.
    "ARABIC": _ARABIC,
    "DEVANAGARI": ("Noto Sans Devanagari", "Nirmala UI", "Kohinoor Devanagari", "Mangal", "Lohit Devanagari"),
    "BENGALI": ("Noto Sans Bengali", "Nirmala UI", "Kohinoor Bangla", "Vrinda", "Lohit Bengali"),
    "GURMUKHI": ("Noto Sans Gurmukhi", "Nirmala UI", "Gurmukhi MN", "Raavi", "Lohit Gurmukhi"),
    "GUJARATI": ("Noto Sans Gujarati", "Nirmala UI", "Kohinoor Gujarati", "Shruti", "Lohit Gujarati"),
    "ORIYA": ("Noto Sans Oriya", "Nirmala UI", "Oriya Sangam MN", "Kalinga", "Lohit Odia"),
    "TAMIL": ("Noto Sans Tamil", "Nirmala UI", "Tamil Sangam MN", "Latha", "Lohit Tamil"),
    "TELUGU": ("Noto Sans Telugu", "Nirmala UI", "Kohinoor Telugu", "Gautami", "Lohit Telugu"),
    "KANNADA": ("Noto Sans Kannada", "Nirmala UI", "Kannada Sangam MN", "Tunga", "Lohit Kannada"),
    "MALAYALAM": ("Noto Sans Malayalam", "Nirmala UI", "Malayalam Sangam MN", "Kartika", "Lohit Malayalam"),
    "SINHALA": ("Noto Sans Sinhala", "Nirmala UI", "Sinhala Sangam MN", "Iskoola Pota"),
    "MEETEI": ("Noto Sans Meetei Mayek", "Nirmala UI"),
    "OL": ("Noto Sans Ol Chiki", "Nirmala UI"),
    "TIBETAN": ("Noto Serif Tibetan", "Microsoft Himalaya", "Kailasa"),
    "MYANMAR": ("Noto Sans Myanmar", "Myanmar Text", "Myanmar MN"),
    "KHMER": ("Noto Sans Khmer", "Leelawadee UI", "Khmer MN"),
    "LAO": ("Noto Sans Lao", "Leelawadee UI", "Lao MN"),
    "ETHIOPIC": ("Noto Sans Ethiopic", "Ebrima", "Kefa"),
    "ARMENIAN": ("Noto Sans Armenian", "Sylfaen", "Mshtakan"),
    "GEORGIAN": ("Noto Sans Georgian", "Sylfaen"),
    "THAI": ("Noto Sans Thai", "Leelawadee UI", "Thonburi", "Tahoma"),
    "HIRAGANA": ("Noto Sans CJK JP", "Yu Gothic", "Hiragino Sans", "Meiryo", "IPAGothic"),
    "CJK": ("Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "WenQuanYi Zen Hei"),
    "HANGUL": ("Noto Sans CJK KR", "Malgun Gothic", "Apple SD Gothic Neo", "NanumGothic"),
}
"""Fonts for each script of `lines.script_of`, best first: free ones, then those of Windows and macOS.

A style can name only one. If it is not installed, renderers look for another that has the letters.
"""

_MAIN = "Default"
_WHITE = Color(255, 255, 255)
_GREY = Color(160, 160, 160)
_BLACK = Color(0, 0, 0)
_SHADE = Color(0, 0, 0, 128)
_SIZE_OF_HEIGHT = 1 / 18
_SIZE_OF_WIDTH = 1 / 24
"""The largest size of a font: 42 letters of half its size then take 7/8 of the width."""
_AUTO_DIRECTION = -1
_ANY_CHARSET = 1
_LAST_MS = 10 * 3_600_000 - 10
"""9:59:59.99: the format has one digit for hours."""
_BETWEEN_NAMES = " / "
_NO_BRACKETS = dict.fromkeys(map(ord, "()"), " ")
_BACKSLASH = "\\\u2060"
_BRACKET = r"\{{}"


def fonts_of(script: str, installed: Collection[str] = ()) -> tuple[str, ...]:
    """Return the names of fonts for a script (of `lines.script_of`), those that are `installed` first."""
    names = FONTS.get(script, _SANS)
    return tuple(sorted(names, key=lambda name: name not in installed))


def write(track: Writable) -> str:
    """Return the track's cues as ASS."""
    languages = track.languages or track.transcript.language
    colours = colours_of(track.transcript.speakers) if track.speaker_colours else {}
    words = track.transcript.words() if track.karaoke else ()
    return _to_ass(named_cues(track), languages, words, _Look(colours=colours))


def to_ass(
    cues: Sequence[Cue],
    language: str | Sequence[str] = UNDETERMINED,
    *,
    words: Sequence[Word] = (),
    karaoke: bool = False,
    picture: tuple[int, int] = DEFAULT_PICTURE,
    fonts: Mapping[str, str] = MappingProxyType({}),
) -> str:
    r"""Return the cues as ASS for a picture of (width, height) pixels, at its bottom, centred.

    Times are rounded to whole centiseconds. The script of most lines has the style `Default`; each other
    script has its own. With `karaoke`, `\k` marks turn each word from grey to white when it is said; a cue
    whose text is not in `words` (a translation) gets no marks. `fonts` names the font of a script if it
    should not be the first of `FONTS`. Where each cue has a language,
    the file names that of most.

    Raises `UsageError` if a cue ends after 9:59:59.99.
    """
    look = _Look(picture=picture if min(picture) > 0 else DEFAULT_PICTURE, fonts=fonts)
    return _to_ass(cues, language, words if karaoke else (), look)


@dataclass(frozen=True, kw_only=True)
class _Look:
    """How text is drawn: the picture, the font of a script, the colour of a speaker."""

    picture: tuple[int, int] = DEFAULT_PICTURE
    fonts: Mapping[str, str] = field(default_factory=dict)
    colours: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)


def _to_ass(cues: Sequence[Cue], language: str | Sequence[str], words: Sequence[Word], look: _Look) -> str:
    """Return the cues as ASS; words light up if there are any; `Cue.speakers` are the speakers' names."""
    if late := next((cue for cue in cues if cue.end_ms > _LAST_MS), None):
        message = f"ASS has no time after 9:59:59.99, and a subtitle ends at {clock_time(late.end_ms)}."
        raise UsageError(message, "Write srt, vtt or ttml.")
    scripts = Counter(script_of(line) or "LATIN" for cue in cues for line in cue.lines)
    main = max(scripts, key=lambda script: scripts[script], default="LATIN")
    names = {script: _MAIN if script == main else script.title() for script in (main, *scripts)}
    file = SSAFile()
    each = languages_of(language, len(cues))
    file.info.update(_head(language if isinstance(language, str) else mode(each), look.picture))
    leftward = any(
        runs_right_to_left(line, own) for cue, own in zip(cues, each, strict=True) for line in cue.lines
    )
    style = _style(look.picture)
    style.encoding = _AUTO_DIRECTION if leftward else _ANY_CHARSET
    file.styles = {
        name: replace(style, fontname=look.fonts.get(script) or fonts_of(script)[0])
        for script, name in names.items()
    }
    coloured = _coloured(cues, names, look.colours)
    for (script, speaker), name in coloured.items():
        colour = Color(*look.colours[speaker])
        file.styles[name] = replace(file.styles[names[script]], primarycolor=colour)
    sung = syllables(cues, words)
    file.events = [
        _event(cue, cue_syllables, _styles_of(cue, names, coloured), own)
        for cue, cue_syllables, own in zip(cues, sung, each, strict=True)
    ]
    return file.to_string("ass", header_notice="")


def _head(language: str, picture: tuple[int, int]) -> dict[str, str]:
    width, height = picture
    head = {"PlayResX": str(width), "PlayResY": str(height)}
    # libass shapes letters by it: one script can have other forms in another language.
    return head | ({"Language": language} if len(language) == 2 else {})


def _coloured(
    cues: Sequence[Cue], names: Mapping[str, str], colours: Mapping[str, object]
) -> dict[tuple[str, str], str]:
    """Return the name of the style of each script and coloured speaker that meet in a line.

    It is called as the speaker is; in another script than that of most lines, the script is told, too. No two
    have one name, and nobody's takes the place of a script's.
    """
    found: dict[tuple[str, str], str] = {}
    for cue in cues:
        for line, speaker in zip(cue.lines, cue.speakers, strict=False):
            script = script_of(line) or "LATIN"
            if speaker in colours and (script, speaker) not in found:
                # libass takes what stands in brackets behind a `\r` for the style's name.
                shown = _no_comma(speaker.translate(_NO_BRACKETS)) or "Speaker"
                wanted = shown if names[script] == _MAIN else f"{shown} {names[script]}"
                found[script, speaker] = _free(wanted, (*names.values(), *found.values()))
    return found


def _free(name: str, taken: Collection[str]) -> str:
    """Return the name, or one like it, that is not taken; libass does not tell `default` from `Default`."""
    folded = {other.casefold() for other in taken}
    others = (f"{name} {number}" for number in itertools.count(2))
    wishes = itertools.chain((name, f"Speaker {name}"), others)
    return next(wish for wish in wishes if wish.casefold() not in folded)


def _styles_of(cue: Cue, names: Mapping[str, str], coloured: Mapping[tuple[str, str], str]) -> list[str]:
    scripts = [script_of(line) or "LATIN" for line in cue.lines]
    speakers = cue.speakers if len(cue.speakers) == len(cue.lines) else ("",) * len(cue.lines)
    return [
        coloured.get((script, speaker), names[script])
        for script, speaker in zip(scripts, speakers, strict=True)
    ]


def _no_comma(name: str) -> str:
    """Return a name as fields and marks can hold it: commas part fields, brackets end marks."""
    return " ".join(plain(name).translate(dict.fromkeys(map(ord, ",{}\\"), " ")).split())


def _style(picture: tuple[int, int]) -> SSAStyle:
    width, height = picture
    size = max(1.0, float(round(min(height * _SIZE_OF_HEIGHT, width * _SIZE_OF_WIDTH))))
    return SSAStyle(
        fontsize=size,
        primarycolor=_WHITE,
        # For words that are not yet said: only karaoke shows it, so a cue without karaoke is white.
        secondarycolor=_GREY,
        outlinecolor=_BLACK,
        backcolor=_SHADE,
        outline=max(1.0, round(size / 20, 1)),
        shadow=max(0.5, round(size / 40, 1)),
        alignment=Alignment.BOTTOM_CENTER,
        marginl=width // 20,
        marginr=width // 20,
        marginv=height // 20,
    )


def _event(cue: Cue, sung: Sequence[Syllable], styles: Sequence[str], language: str) -> SSAEvent:
    marks = _marks(cue, sung)
    lines = []
    for number, line in enumerate(cue.lines):
        text = _marked(
            plain(line), {syllable.at: mark for syllable, mark in marks if syllable.line == number}
        )
        text = embedded(text, line, language)
        changes = number and styles[number] != styles[number - 1]
        lines.append(f"{{\\r{styles[number]}}}{text}" if changes else text)
    style = styles[0] if styles else _MAIN
    name = _BETWEEN_NAMES.join(dict.fromkeys(filter(None, map(_no_comma, cue.speakers))))
    return SSAEvent(start=cue.start_ms, end=cue.end_ms, text=r"\N".join(lines), style=style, name=name)


def _marks(cue: Cue, sung: Sequence[Syllable]) -> list[tuple[Syllable, str]]:
    r"""Return each syllable with its `\k`: a word lights up at its start; a first one waits for the lead-in.

    Each is a difference of rounded times, so that they add up to the rounded times of the event.
    """
    places = [_centiseconds(syllable.start_ms) for syllable in sung]
    ends = [*places[1:], _centiseconds(cue.end_ms)]
    marks = [
        (syllable, rf"\k{end - place}") for syllable, place, end in zip(sung, places, ends, strict=False)
    ]
    if marks and (lead := places[0] - _centiseconds(cue.start_ms)):
        marks[0] = marks[0][0], rf"\k{lead}{marks[0][1]}"
    return marks


def _marked(line: str, marks: dict[int, str]) -> str:
    if not marks:
        return _escape(line)
    places = [0, *marks, len(line)]
    pieces = [_escape(line[start:stop]) for start, stop in itertools.pairwise(places)]
    return pieces[0] + "".join(
        f"{{{mark}}}{piece}" for mark, piece in zip(marks.values(), pieces[1:], strict=True)
    )


def _centiseconds(milliseconds: int) -> int:
    """Return the time as pysubs2 rounds it: to the nearest, halves up."""
    return (milliseconds + 5) // 10


def _escape(text: str) -> str:
    return text.replace("\\", _BACKSLASH).replace("{", _BRACKET)
