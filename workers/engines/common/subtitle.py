"""subtitle: a transcript's words cut into cues and written as files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from protocol.artefacts import Artefact, write_json, write_whole
from protocol.errors import InputError, SchemaError, UsageError
from protocol.schema import from_plain, to_plain
from protocol.stages.subtitle import SubtitleRequest, SubtitleResult
from protocol.timeline import Cue, Segment, Transcript, Word
from workers.engine import Context, Models
from workers.engines.common.cues import CueRules, cut, sentences
from workers.engines.common.formats import clock_time, to_srt, to_vtt
from workers.engines.common.formats_ass import to_ass
from workers.engines.common.formats_tsv import to_tsv
from workers.engines.common.formats_ttml import to_ttml
from workers.engines.common.names import safe_stem, shown
from workers.engines.common.phrases import count_graphemes
from workers.engines.common.profiles import rules_for
from workers.engines.common.quality import check, sentence, to_report

__all__ = ["CueSubtitle", "shift", "with_words"]

_Span = TypeVar("_Span", Segment, Word)
_FIRST_CUES = 3
INTERPOLATED = "interpolated"


@dataclass(frozen=True, kw_only=True)
class _Script:
    """What every format is written from."""

    transcript: Transcript
    cues: tuple[Cue, ...]
    rules: CueRules
    karaoke: bool


class CueSubtitle:
    """Cuts words into cues and writes them in each format."""

    stage = "subtitle"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing is loaded: what this engine needs came with its module."""

    def run(self, request: SubtitleRequest, context: Context) -> SubtitleResult:
        """Write `<title>.<language>.<format>` for each format asked for, and the quality report.

        A transcript without speech gives valid files without cues. Raises `UsageError` for a format
        or a rule that cannot be, `InputError` where the transcript cannot be read.
        """
        unknown = [each for each in request.formats if each not in _WRITERS]
        if unknown:
            message = f"{unknown[0]!r} is not a subtitle format this program writes."
            raise UsageError(message, f"Write some of {', '.join(_WRITERS)}.")
        transcript = _read(context.input(request.transcript))
        transcript = shift(with_words(transcript), request.offset_ms)
        context.progress(0.1, "cutting cues")
        rules = _rules(request, transcript.language)
        cues = cut(transcript.words(), rules)
        script = _Script(transcript=transcript, cues=cues, rules=rules, karaoke=request.karaoke)
        files = []
        stem = safe_stem(request.title)
        for place, each in enumerate(dict.fromkeys(request.formats)):
            context.progress(0.5 + 0.5 * place / len(request.formats), f"writing {each}")
            name = f"{stem}.{transcript.language}.{each}"
            write_whole(context.output(name), _WRITERS[each](script).encode("utf-8", "replace"))
            files.append(context.publish(name))
        report, quality = _report(script, request, f"{stem}.{transcript.language}.qc.json", context)
        return SubtitleResult(
            files=tuple(files),
            report=report,
            quality=quality,
            language=transcript.language,
            cue_count=len(script.cues),
            first_cues=tuple(_one_line(each) for each in script.cues[:_FIRST_CUES]),
        )


def _report(script: _Script, request: SubtitleRequest, name: str, context: Context) -> tuple[Artefact, str]:
    """Check the cues and write what was found beside them; return the file and its one line."""
    transcript = script.transcript
    violations = check(script.cues, script.rules, transcript.words())
    provenance = {
        "language": transcript.language,
        "translated_from": transcript.translated_from,
        "engine": transcript.engine,
        "model": transcript.model,
    }
    report = to_report(script.cues, script.rules, violations, profile=request.profile, provenance=provenance)
    write_json(context.output(name), report)
    return context.publish(name), sentence(violations)


def with_words(transcript: Transcript) -> Transcript:
    """Return the transcript with words in every segment that has text.

    A segment that was not aligned shares its time among its words by their length.
    """
    segments = tuple(
        each if each.words else replace(each, words=_interpolate(each)) for each in transcript.segments
    )
    return replace(transcript, segments=segments)


def shift(transcript: Transcript, offset_ms: int) -> Transcript:
    """Return the transcript with `offset_ms` added to every time: a clip's on the film's clock."""
    return replace(
        transcript,
        segments=tuple(
            replace(_moved(each, offset_ms), words=tuple(_moved(word, offset_ms) for word in each.words))
            for each in transcript.segments
        ),
    )


def _moved(span: _Span, offset_ms: int) -> _Span:
    return replace(span, start_ms=span.start_ms + offset_ms, end_ms=span.end_ms + offset_ms)


def _interpolate(segment: Segment) -> tuple[Word, ...]:
    texts = segment.text.split()
    total = sum(count_graphemes(each) for each in texts)
    words, done = [], 0
    span = max(0, segment.end_ms - segment.start_ms)
    for each in texts:
        start = segment.start_ms + span * done // total
        done += count_graphemes(each)
        end = segment.start_ms + span * done // total
        words.append(Word(text=each, start_ms=start, end_ms=end, timed_by=INTERPOLATED))
    return tuple(words)


def _read(path: Path) -> Transcript:
    try:
        return from_plain(Transcript, json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, SchemaError) as error:
        message = f"{shown(path)} is not a transcript: {error}."
        raise InputError(message, "Run the job's alignment again.") from error


def _rules(request: SubtitleRequest, language: str) -> CueRules:
    return rules_for(
        request.profile,
        language,
        frames_per_second=request.frames_per_second,
        media_duration_ms=request.media_duration_ms,
        max_line_graphemes=request.max_line_graphemes,
        max_lines=request.max_lines,
        max_cue_ms=request.max_cue_ms,
        min_cue_ms=request.min_cue_ms,
        min_gap_ms=request.min_gap_ms,
        max_graphemes_per_second=request.max_graphemes_per_second,
    )


def _to_txt(script: _Script) -> str:
    """Return one sentence a line."""
    return "".join(f"{each}\n" for each in sentences(script.transcript.words(), script.rules))


def _to_json(script: _Script) -> str:
    """Return the `Transcript` with its words, language and confidences, on the film's clock."""
    return json.dumps(to_plain(script.transcript), ensure_ascii=False, indent=1) + "\n"


def _to_ass(script: _Script) -> str:
    transcript = script.transcript
    return to_ass(script.cues, transcript.language, words=transcript.words(), karaoke=script.karaoke)


_WRITERS: dict[str, Callable[[_Script], str]] = {
    "srt": lambda script: to_srt(script.cues),
    "vtt": lambda script: to_vtt(script.cues),
    "ass": _to_ass,
    "ttml": lambda script: to_ttml(script.cues, script.transcript.language),
    "tsv": lambda script: to_tsv(script.cues, script.transcript.language),
    "txt": _to_txt,
    "json": _to_json,
}


def _one_line(cue: Cue) -> str:
    return f"{clock_time(cue.start_ms)} --> {clock_time(cue.end_ms)}  {' '.join(cue.lines)}"
