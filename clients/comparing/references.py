"""A subtitle file, or a job's track, against a file that says what it should be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from clients.comparing.timing import Timing
from clients.desk import Desk
from clients.job_folder import find_job_folder, is_job_id
from clients.programs import ask_once
from clients.screen.text import count
from clients.word_errors import Comparison, compare_transcripts
from envspecs.models.registry import has_model, model_path
from protocol.errors import UsageError
from protocol.languages import find_tag, language_name, read_tag
from protocol.subtitles.comparing import CueScores, TrackFile
from protocol.timeline import UNDETERMINED, Cue, Segment, Transcript

__all__ = ["WorstLine", "notes_of", "read_both", "said_in", "worst_lines"]

_PROGRAM = "track_file"
_LANGUAGE_MODEL = "lid-176"
_BRACKETS = re.compile(r"\[[^\[\]]+\]|\([^()]+\)|\uff08[^\uff08\uff09]+\uff09|\u3010[^\u3010\u3011]+\u3011")
_LATE_MS = 500
"""So far off, SubER takes the words of short cues for wrong ones."""


@dataclass(frozen=True, kw_only=True)
class WorstLine:
    """A cue of the reference, and what the file says in its place."""

    start_ms: int
    reference: str
    text: str
    chrf: float | None
    """chrF++; None: it was not measured."""


def read_both(desk: Desk, word: str, reference: Path, language: str) -> tuple[TrackFile, TrackFile]:
    """Return the file, or the job's track, and its reference.

    `language` is what the person wrote; where that is nothing, the reference's name tells it, else its text.
    Raises what the reading program says, `UsageError` for a word that is no file, job or folder.
    """
    asked = str(find_tag(language)) if language else ""
    meant = _read(desk, reference, asked)
    path = Path(word)
    if path.is_file():
        other = _read(desk, path, asked)
        known = other if other.language != UNDETERMINED else replace(other, language=meant.language)
        return known, meant
    if not path.exists() and not is_job_id(word):
        raise UsageError(f"{word} is neither a file that is here nor a job.", "cpw status")
    folder = find_job_folder(desk, word)
    if meant.language == UNDETERMINED:
        message = f"Neither its name nor its text tells the language of {reference}."
        raise UsageError(message, "Say it: -l LANG")
    return _ask(desk, folder, ["--job", f"--language={meant.language}"]), meant


def _read(desk: Desk, file: Path, language: str) -> TrackFile:
    return _ask(desk, file, [f"--language={language}"] if language else [])


def _ask(desk: Desk, path: Path, words: Sequence[str]) -> TrackFile:
    judged = [f"--language-model={model_path(_LANGUAGE_MODEL)}"] if has_model(_LANGUAGE_MODEL) else []
    return ask_once(
        desk, _PROGRAM, [*words, *judged, "--", str(path.absolute())], TrackFile, f"The reading of {path}"
    )


def said_in(track: TrackFile) -> Transcript:
    """Return the track's text as what is compared word by word."""
    segments = tuple(Segment(start_ms=cue.start_ms, end_ms=cue.end_ms, text=_text(cue)) for cue in track.cues)
    return Transcript(language=track.language, segments=segments)


def worst_lines(reference: TrackFile, other: TrackFile, scores: CueScores | None) -> tuple[WorstLine, ...]:
    """Return what is not as it should be: by chrF++ the furthest first, else word by word in order."""
    if scores is None:
        differences = compare_transcripts(said_in(reference), said_in(other)).differences
        return tuple(
            WorstLine(start_ms=one.start_ms, reference=one.a, text=one.b, chrf=None) for one in differences
        )
    lines = [
        WorstLine(start_ms=cue.start_ms, reference=_text(cue), text=scored.text, chrf=scored.chrf)
        for cue, scored in zip(reference.cues, scores.cues, strict=True)
        if _text(cue) != scored.text
    ]
    return tuple(sorted(lines, key=lambda line: (line.chrf or 0.0, line.start_ms)))


def notes_of(reference: TrackFile, other: TrackFile, timing: Timing, words: Comparison) -> tuple[str, ...]:
    """Return what a person should know before reading the figures."""
    notes = [f"{track.file} has no cues" for track in (reference, other) if not track.cues]
    notes += _other_languages(reference, other)
    late, spread = timing.starts.median_ms or 0, timing.starts.spread_90_ms or 0
    if abs(late) >= _LATE_MS and spread <= abs(late) // 2:
        which = "later" if late > 0 else "earlier"
        notes.append(
            f"the whole file is {abs(late) / 1000:.1f} s {which} than its reference: SubER, which compares"
            " words of the same time only, is higher for that alone"
        )
    notes += _only_written(reference, other)
    if not words.words_a and other.cues:
        notes.append("the reference has no words: there is no error rate")
    return tuple(notes)


def _only_written(reference: TrackFile, other: TrackFile) -> list[str]:
    """Return a sentence where one of the two says in brackets what nobody speaks: sounds, who speaks."""
    counts = [sum(bool(_BRACKETS.search(_text(cue))) for cue in track.cues) for track in (other, reference)]
    if counts[0] == counts[1]:
        return []
    has = f"{count(counts[0], 'cue')} of the file and {counts[1]} of its reference"
    return [f"{has} have words in brackets (sounds, speakers): they count as words"]


def _other_languages(reference: TrackFile, other: TrackFile) -> list[str]:
    """Return a sentence for each file that is in another language than it should be."""
    sentences = []
    languages = {track.language for track in (reference, other)} - {UNDETERMINED}
    if len(languages) > 1:
        names = f"{language_name(other.language)}, its reference in {language_name(reference.language)}"
        sentences.append(f"{other.file} is in {names}: the figures compare two languages")
    for track in (reference, other):
        meant, found = read_tag(track.language), track.text_language
        # What is written in other letters than usual deceives who judges the text.
        if found and not meant.script and found != meant.language:
            names = f"{language_name(found)}, not in {language_name(track.language)}"
            sentences.append(f"by its text {track.file} is in {names}: the figures compare two languages")
    return sentences


def _text(cue: Cue) -> str:
    return " ".join(" ".join(line.split()) for line in cue.lines if line.strip())
