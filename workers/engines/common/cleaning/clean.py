"""clean: removes what nobody said from the transcript, and reports each removal."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

from protocol.artefacts import read_json_as, write_json
from protocol.errors import InputError, SchemaError, UsageError
from protocol.languages import language_name
from protocol.schema import to_plain
from protocol.stages.clean import CleanRequest, CleanResult, CleanRules
from protocol.timeline import Transcript
from workers.engine import Context, Models
from workers.engines.common.cleaning.languages import MarkedTranscript, mark_languages
from workers.engines.common.cleaning.rules import RULES, Finding, decide
from workers.engines.common.names import shown
from workers.engines.common.scripts.heard import in_own_script
from workers.text.glossary.heard import mark_spellings
from workers.text.languages.model import judge_of
from workers.text.speakers import with_speakers
from workers.text.transcripts import publish, read

__all__ = ["TranscriptClean", "read_removals"]

_LEAST = {
    "loop_repeats": 2,
    "loop_keep": 1,
    "max_graphemes_per_second": 1,
    "speech_margin_ms": 0,
    "credits_end_ms": 0,
}
"""The least value of each number: a lower one would remove whole films."""


class TranscriptClean:
    """Removes loops, credits, text outside speech, impossible rates and text that two witnesses doubt."""

    stage = "clean"

    def warm(self, models: Models, model: str | None) -> None:
        """Load nothing: the model of languages is small, and comes with the first call."""

    def run(self, request: CleanRequest, context: Context) -> CleanResult:
        """Write `transcript.json`, and `cleaning.json` with every removal and its reason.

        What is in another language than the transcript says is marked and noted, and so is a name that is
        spelt otherwise than in the glossary. Where the request says who speaks when, the words get their
        speakers.

        Raises `UsageError` for an impossible threshold, `InputError` if the transcript cannot be read.
        """
        _check(request)
        transcript, respelt = in_own_script(read(context, request.transcript))
        if request.turns:
            transcript = with_speakers(transcript, request.turns)
        context.progress(0.1, "cleaning")
        cleaned = decide(transcript, request.speech, request, request.media_duration_ms)
        context.progress(0.8, "judging the language")
        marked = _judged(cleaned.transcript, request, context)
        heard = mark_spellings(marked.transcript, request.terms)
        rules = {field.name: getattr(request, field.name) for field in dataclasses.fields(CleanRules)}
        removed = Counter(finding.rule for finding in cleaned.removed)
        report = {
            "version": 1,
            "rules": rules,
            "speech_known": bool(request.speech),
            "removed": to_plain(cleaned.removed),
            "kept": to_plain((*cleaned.kept, *marked.found)),
        }
        write_json(context.output("cleaning.json"), report)
        return CleanResult(
            transcript=publish(context, "transcript.json", heard.transcript),
            report=context.publish("cleaning.json"),
            removed={rule: removed[rule] for rule in RULES if removed[rule]},
            segment_count=len(cleaned.transcript.segments),
            notes=(
                *([_told(respelt, transcript.language)] if respelt else []),
                *marked.notes,
                *heard.notes,
            ),
        )


def _judged(transcript: Transcript, request: CleanRequest, context: Context) -> MarkedTranscript:
    """Return the transcript with what is in another language marked, where the model for that is here."""
    judge = judge_of(context.models) if request.other_language else None
    return mark_languages(transcript, judge) if judge else MarkedTranscript(transcript=transcript)


def _told(count: int, language: str) -> str:
    lines = "line was" if count == 1 else "lines were"
    name = f" of {language_name(language)}" if language in ("hi", "ur") else ""
    return f"{count} {lines} heard in another script and put into that{name}, which is a guess: look at it"


@dataclasses.dataclass(frozen=True, kw_only=True)
class _CleaningReport:
    """The fields of `cleaning.json` that are read again."""

    removed: tuple[Finding, ...] = ()


def read_removals(report: Path, offset_ms: int) -> tuple[Finding, ...]:
    """Return the removals in a `cleaning.json`, with `offset_ms` added to their times.

    Raises `InputError` if the file is not such a report.
    """
    try:
        # A recogniser can give a probability that is not a number.
        found = read_json_as(_CleaningReport, report, nan=True)
    except (OSError, ValueError, SchemaError) as error:
        message = f"{shown(report)} does not say what was removed: {error}."
        raise InputError(message, "Clean the transcript again: cpw retry JOB --from clean") from error
    return tuple(
        dataclasses.replace(finding, start_ms=finding.start_ms + offset_ms, end_ms=finding.end_ms + offset_ms)
        for finding in found.removed
    )


def _check(rules: CleanRules) -> None:
    for name, least in _LEAST.items():
        if getattr(rules, name) < least:
            message = f"clean.{name} is {getattr(rules, name)}, but must be at least {least}."
            raise UsageError(message, "Correct the parameter.")
