"""Writes cues as SubRip and WebVTT, byte for byte. Pure.

pysubs2's writers are not used: its events hold SubStation text, so a spoken `\\N` or `\\h` becomes a line end
or a space, and its WebVTT escapes neither `&` nor `<`. The tests read these files with pysubs2.

Line ends are LF, which every player reads; the encoding is UTF-8 without a mark. A line stays one line,
whatever it holds (`lines.plain`). A line without text is left out, as a blank line ends a cue. Letters are
written as they were heard, not normalised: NFC splits letters of Hindi and Bengali.

Right to left: if the language is given (of all cues, or of each), such a line is in an embedding (U+202B to
U+202C). Without it, libass, with which ffmpeg shows SubRip and WebVTT, lays out a line with a Latin name from
left to right. By WebVTT's rules (W3C, 7.3: the first strong letter decides), a browser does so too if the
line begins with the name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from protocol.timeline import Cue
from workers.engines.common.formats.base import Writable
from workers.engines.common.formats.lines import embedded, languages_of, plain
from workers.engines.common.formats.voices import named_cues

__all__ = ["clock_time", "to_srt", "to_vtt", "write_srt", "write_vtt"]

_NO_ARROW = "--\u2060>"


def clock_time(milliseconds: int, point: str = ".") -> str:
    """Return `00:00:03.000`; more than 99 hours take more digits."""
    seconds, thousandths = divmod(milliseconds, 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{point}{thousandths:03d}"


def write_srt(track: Writable) -> str:
    """Return the track's cues as SubRip."""
    return to_srt(track.cues, track.languages)


def write_vtt(track: Writable) -> str:
    """Return the track's cues as WebVTT."""
    return to_vtt(named_cues(track), track.languages)


def to_srt(cues: Sequence[Cue], language: str | Sequence[str] | None = None) -> str:
    """Return the cues as SubRip: numbered from 1, comma times, a blank line after each. No cue: empty.

    The format has no escapes: text that looks like a tag stays as it is, and most players take it for one. An
    arrow in the text gets an invisible U+2060 WORD JOINER: some readers take any line with an arrow for
    times.
    """
    bodies = _bodies(cues, ",", language, lambda line: line.replace("-->", _NO_ARROW))
    return "".join(f"{number}\n{body}" for number, body in enumerate(bodies, 1))


def to_vtt(cues: Sequence[Cue], language: str | Sequence[str] | None = None) -> str:
    """Return the cues as WebVTT (W3C); `&`, `<` and `>` are escaped, as the text is not markup.

    `Cue.speakers` are the speakers' names. Each stands in a voice span (`<v Name>`), which players do not
    show and a page can style: one without an end for the whole cue, else one for each line.
    """
    return "WEBVTT\n\n" + "".join(_bodies(cues, ".", language, _escape, voiced=True))


def _bodies(
    cues: Sequence[Cue],
    point: str,
    language: str | Sequence[str] | None,
    write: Callable[[str], str],
    *,
    voiced: bool = False,
) -> Iterator[str]:
    """Yield each cue's times and lines, but no cue without text: it shows nothing, and readers fail on it."""
    each: Sequence[str | None] = (
        (None,) * len(cues) if language is None else languages_of(language, len(cues))
    )
    for cue, own in zip(cues, each, strict=True):
        speakers = cue.speakers if voiced and len(cue.speakers) == len(cue.lines) else ("",) * len(cue.lines)
        pairs = zip(cue.lines, speakers, strict=True)
        lines = [(line, speaker) for raw_line, speaker in pairs if (line := plain(raw_line)).strip()]
        if lines:
            times = f"{clock_time(cue.start_ms, point)} --> {clock_time(cue.end_ms, point)}"
            texts = [_laid_out(write(line), line, own) for line, _ in lines]
            yield "\n".join((times, *_spoken(texts, [speaker for _, speaker in lines]), "", ""))


def _spoken(texts: Sequence[str], speakers: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a cue in the voice spans of their speakers."""
    together = len(set(speakers)) == 1
    for place, (text, speaker) in enumerate(zip(texts, speakers, strict=True)):
        if not speaker or (together and place):
            yield text
        else:
            # A name is one line, and ends at the first `>` (W3C, 6.4: "annotation text").
            yield f"<v {_escape(plain(speaker))}>{text}" + ("" if together else "</v>")


def _laid_out(text: str, line: str, language: str | None) -> str:
    return text if language is None else embedded(text, line, language)


def _escape(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
