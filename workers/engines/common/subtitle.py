"""subtitle: cuts a transcript's words into cues and writes them as files."""

from __future__ import annotations

from dataclasses import fields, replace

from protocol.artefacts import Artefact, write_whole
from protocol.languages import Tag
from protocol.stages.subtitle import CueNumbers, SubtitleRequest, SubtitleResult
from protocol.subtitles.corrections import read_corrections
from protocol.timeline import UNDETERMINED, Cue, Transcript
from workers.engine import Context, Models
from workers.engines.common.cleaning.clean import read_removals
from workers.engines.common.corrections import told
from workers.engines.common.cues.cut import CueRules
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.formats.srt_vtt import clock_time
from workers.engines.common.formats.writing import check_formats
from workers.engines.common.names import safe_stem
from workers.engines.common.scripts.convert import in_script
from workers.engines.common.tracks import Track, cut_track, shift
from workers.text.transcripts import read

__all__ = ["CueSubtitle"]

_FIRST_CUES = 3


class CueSubtitle:
    """Cuts words into cues and writes them in each format."""

    stage = "subtitle"

    def warm(self, models: Models, model: str | None) -> None:
        """Load nothing: all that this engine needs was imported with its module."""

    def run(self, request: SubtitleRequest, context: Context) -> SubtitleResult:
        """Write `<title>.<language>.<format>` for each format asked for, and the quality report.

        A transcript without speech gives valid files without cues. Raises `UsageError` for an unknown format
        or an impossible rule, `InputError` if the transcript cannot be read.
        """
        check_formats(request.formats)
        transcript = shift(_written(read(context, request.transcript), request.script), request.offset_ms)
        cleaning = request.cleaning and context.input(request.cleaning)
        corrections = (
            read_corrections(context.input(request.corrections)).changes if request.corrections else ()
        )
        context.progress(0.1, "cutting cues")
        track = cut_track(
            transcript,
            lambda language: _rules(request, language),
            profile=request.profile,
            provenance={"title": request.title, "transcript_sha256": request.transcript.sha256},
            shots_ms=request.shot_changes_ms,
            corrections=corrections,
        )
        removed = read_removals(cleaning, request.offset_ms) if cleaning else ()
        track = replace(track, karaoke=request.karaoke, removed=removed)
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
            notes=tuple(filter(None, [told(track.unfit, len(track.corrections))])),
        )


def _written(transcript: Transcript, script: str) -> Transcript:
    """Return the transcript in the script; as it is where none is asked for, or nothing is said."""
    if not script or transcript.language == UNDETERMINED:
        return transcript
    return in_script(transcript, str(Tag(transcript.language, script)))


def _report(track: Track, name: str, context: Context) -> tuple[Artefact, str]:
    """Check the cues and write the quality report; return its file and its one line."""
    violations = track.violations()
    write_whole(context.output(name), track.write_report(violations))
    return context.publish(name), track.told(violations)


def _rules(request: SubtitleRequest, language: str) -> CueRules:
    return rules_for(
        request.profile,
        language,
        frames_per_second=request.frames_per_second,
        media_duration_ms=request.media_duration_ms,
        **{field.name: getattr(request, field.name) for field in fields(CueNumbers)},
    )


def _one_line(cue: Cue) -> str:
    return f"{clock_time(cue.start_ms)} --> {clock_time(cue.end_ms)}  {' '.join(cue.lines)}"
