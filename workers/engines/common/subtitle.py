"""subtitle: cuts a transcript's words into cues and writes them as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

from protocol.artefacts import Artefact, write_whole
from protocol.languages import Tag, language_name
from protocol.stages.subtitle import CueNumbers, SubtitleRequest, SubtitleResult
from protocol.subtitles.corrections import read_corrections
from protocol.subtitles.doubts import UNTRANSLATED, WRONG_SCRIPT
from protocol.subtitles.quality import ForeignCues
from protocol.timeline import UNDETERMINED, Cue, Speaker, Transcript
from workers.engine import Context, Models
from workers.engines.common.cleaning.clean import read_removals
from workers.engines.common.corrections import told
from workers.engines.common.cues.checking.language import ForeignText, check_language, lines_of
from workers.engines.common.cues.cut import CueRules
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.formats.srt_vtt import clock_time
from workers.engines.common.formats.writing import check_formats
from workers.engines.common.names import safe_stem
from workers.engines.common.scripts.convert import in_script
from workers.engines.common.tracks import Track, called, cut_track, shift
from workers.text.languages.model import judge_of
from workers.text.transcripts import read

__all__ = ["CueSubtitle"]

_FIRST_CUES = 3


class CueSubtitle:
    """Cuts words into cues and writes them in each format."""

    stage = "subtitle"

    def warm(self, models: Models, model: str | None) -> None:
        """Load nothing: the model of languages is small, and comes with the first call."""

    def run(self, request: SubtitleRequest, context: Context) -> SubtitleResult:
        """Write `<title>.<language>.<format>` for each format asked for, and the quality report.

        A transcript without speech gives valid files without cues. Raises `UsageError` for an unknown format
        or an impossible rule, `InputError` if the transcript cannot be read.
        """
        check_formats(request.formats)
        transcript = shift(_written(read(context, request.transcript), request.script), request.offset_ms)
        transcript = called(transcript, request.speaker_names)
        cleaning = request.cleaning and context.input(request.cleaning)
        corrections = (
            read_corrections(context.input(request.corrections)).changes if request.corrections else ()
        )
        context.progress(0.1, "cutting cues")
        track = cut_track(
            transcript,
            lambda language: _rules(request, language, transcript.speakers),
            profile=request.profile,
            provenance={"title": request.title, "transcript_sha256": request.transcript.sha256},
            shots_ms=request.shot_changes_ms,
            corrections=corrections,
        )
        removed = read_removals(cleaning, request.offset_ms) if cleaning else ()
        foreign = _foreign(track, transcript, context)
        track = replace(
            track,
            karaoke=request.karaoke,
            speaker_colours=request.speaker_colours,
            removed=removed,
            foreign=foreign,
        )
        files = []
        stem = f"{safe_stem(request.title)}.{transcript.language}"
        for place, fromkey in enumerate(dict.fromkeys(request.formats)):
            context.progress(0.5 + 0.5 * place / len(request.formats), f"writing {fromkey}")
            write_whole(context.output(f"{stem}.{fromkey}"), track.write(fromkey))
            files.append(context.publish(f"{stem}.{fromkey}"))
        report, quality = _report(track, f"{stem}.qc.json", context)
        return SubtitleResult(
            files=tuple(files),
            report=report,
            quality=quality,
            language=transcript.language,
            cue_count=len(track.cues),
            first_cues=tuple(_one_line(cue) for cue in track.cues[:_FIRST_CUES]),
            notes=(
                *filter(None, [told(track.unfit, len(track.corrections))]),
                *(_told_cues(stretch) for stretch in (foreign.stretches if foreign else ())),
            ),
        )


def _written(transcript: Transcript, script: str) -> Transcript:
    """Return the transcript in the script; as it is where none is asked for, or nothing is said."""
    if not script or transcript.language == UNDETERMINED:
        return transcript
    return in_script(transcript, str(Tag(transcript.language, script)))


def _foreign(track: Track, transcript: Transcript, context: Context) -> ForeignText | None:
    """Return what of a translation is in another language; None where nobody can tell.

    What was heard has its marks from the stage clean; what the translator doubts itself is not told twice.
    """
    judge = judge_of(context.models) if transcript.translated_from else None
    if judge is None:
        return None
    doubted = [segment for segment in transcript.segments if {*segment.marks} & {UNTRANSLATED, WRONG_SCRIPT}]
    spared = {
        place
        for place, cue in enumerate(track.cues)
        if any(segment.start_ms <= (cue.start_ms + cue.end_ms) // 2 < segment.end_ms for segment in doubted)
    }
    return check_language(track.cues, lines_of(track.cues, track.languages, spared), judge)


def _told_cues(stretch: ForeignCues) -> str:
    """Return `cues 3 to 9, from 00:00:10 to 00:00:40, are in Hindi, not in English`."""
    one = stretch.first_cue == stretch.last_cue
    cues = f"cue {stretch.first_cue}" if one else f"cues {stretch.first_cue} to {stretch.last_cue}"
    times = f"from {clock_time(stretch.start_ms)[:8]} to {clock_time(stretch.end_ms)[:8]}"
    languages = f"in {language_name(stretch.language)}, not in {language_name(stretch.instead_of)}"
    return f"{cues}, {times}, {'is' if one else 'are'} {languages}"


def _report(track: Track, name: str, context: Context) -> tuple[Artefact, str]:
    """Check the cues and write the quality report; return its file and its one line."""
    violations = track.violations()
    write_whole(context.output(name), track.write_report(violations))
    return context.publish(name), track.told(violations)


def _rules(request: SubtitleRequest, language: str, speakers: Sequence[Speaker]) -> CueRules:
    return rules_for(
        request.profile,
        language,
        frames_per_second=request.frames_per_second,
        media_duration_ms=request.media_duration_ms,
        names={speaker.id: speaker.name for speaker in speakers},
        **{field.name: getattr(request, field.name) for field in fields(CueNumbers)},
    )


def _one_line(cue: Cue) -> str:
    return f"{clock_time(cue.start_ms)} --> {clock_time(cue.end_ms)}  {' '.join(cue.lines)}"
