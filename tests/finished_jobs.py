"""Folders of finished jobs, without a house: the real engines of `common`, transcripts as a test wants."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coordinator.plan import Dependencies
from coordinator.store import job_folder
from coordinator.store.rows import JobRow, StepRow
from protocol.artefacts import describe_file, write_json
from protocol.messages import Submit
from protocol.schema import to_plain
from protocol.stages import STAGES
from protocol.stages.demux import DemuxRequest, DemuxResult
from protocol.stages.mux import MuxRequest, SubtitleTrack
from protocol.stages.subtitle import SubtitleRequest, SubtitleResult
from protocol.timeline import Segment, Span, Transcript, Word
from workers.context import CallContext
from workers.engines.common.film.demux import FfmpegDemux
from workers.engines.common.film.mux import FfmpegMux
from workers.engines.common.subtitle import CueSubtitle

JOB = "job-20261122-anyone-0007"


def said(language: str, *sentences: str, from_ms: int = 200, word_ms: int = 300) -> Transcript:
    """A transcript: a sentence a segment, a word every `word_ms`, nearly a second between sentences."""
    now, segments = from_ms, []
    for sentence in sentences:
        words = []
        for text in sentence.split():
            words.append(Word(text=text, start_ms=now, end_ms=now + word_ms - 20, timed_by="wav2vec2"))
            now += word_ms
        start, end = words[0].start_ms, words[-1].end_ms
        segments.append(Segment(start_ms=start, end_ms=end, text=sentence, words=tuple(words)))
        now += 900
    return Transcript(language=language, segments=tuple(segments), engine="whisperx", model="whisper-base")


class JobFolderMaker:
    """Does the stages demux, clean, translate, subtitle and mux of a job, and writes its documents."""

    def __init__(self, directory: Path, film: Path, *, title: str = "Film", **submit: Any) -> None:
        directory.mkdir(parents=True)
        self.directory = directory
        self.title = title
        self.submit = Submit(
            media=str(film), workflow="subtitle", user="anyone", out=str(directory.parent), **submit
        )
        self.steps: list[StepRow] = []

    def make(self, *transcripts: Transcript, speech: Sequence[Span] = (), **subtitle: Any) -> Path:
        """Make the whole job, the first transcript its source; return its folder."""
        demux = self.demux()
        for transcript in transcripts:
            self.subtitle(demux, transcript, **subtitle)
        self.mux()
        if speech:
            self._file("vad", "05_vad", "speech_segments.json", {"speech": to_plain(tuple(speech))})
        self.write(subtitle)
        return self.directory

    def demux(self) -> DemuxResult:
        request = DemuxRequest(
            media=self.submit.media,
            start_ms=self.submit.start_ms,
            end_ms=self.submit.end_ms,
            **self.submit.parameters.get("demux", {}),
        )
        return self._do("demux", "demux", FfmpegDemux(), request)

    def subtitle(self, demux: DemuxResult, transcript: Transcript, **wishes: Any) -> SubtitleResult:
        source = not self.submit.target_languages or transcript.language not in self.submit.target_languages
        stage, target = ("clean", "source") if source else ("translate", transcript.language)
        name = "transcript.json" if source else f"transcript.{transcript.language}.json"
        folder = "09_clean" if source else "10_translate"
        step = self._file(stage, folder, name, to_plain(transcript))
        asked = {
            "formats": ("srt", "vtt", "txt", "json"),
            "media_duration_ms": demux.facts.duration_ms,
            "offset_ms": demux.clip_start_ms,
            "frames_per_second": demux.facts.frames_per_second,
            **wishes,
        }
        request = SubtitleRequest(
            transcript=step.artefacts[0],
            title=self.title,
            shot_changes_ms=demux.shot_changes_ms,
            **asked,
        )
        return self._do("subtitle", f"subtitle-{target}", CueSubtitle(), request)

    def mux(self) -> None:
        tracks = tuple(
            SubtitleTrack(file=artefact, language=step.result["language"])
            for step in self.steps
            if step.stage == "subtitle"
            for artefact in step.artefacts
            if artefact.path.endswith(".srt")
        )
        request = MuxRequest(media=self.submit.media, tracks=tracks, title=self.title)
        self._do("mux", "mux", FfmpegMux(), request)

    def write(self, subtitle: dict[str, Any]) -> None:
        """Write `job.json` and `manifest.json`."""
        facts = {
            "job": JOB,
            "title": self.title,
            "input_media": {"path": self.submit.media},
            "parameters": {"subtitle": subtitle} if subtitle else {},
        }
        job_folder.write_job(self.directory, facts)
        job_folder.write_manifest(self._row(), self.steps)

    def forget(self, stage: str) -> None:
        """Leave a stage out of the manifest: the job has not come so far."""
        self.steps = [step for step in self.steps if step.stage != stage]
        job_folder.write_manifest(self._row(), self.steps)

    def _do(self, stage: str, name: str, engine: Any, request: Any) -> Any:
        scratch, folder = job_folder.scratch_of(name, 1), STAGES[stage].folder
        context = CallContext(self.directory, scratch, folder, None, lambda *_: None)  # type: ignore[arg-type]  # (no models are needed)
        context.prepare()
        result = engine.run(request, context)
        job_folder.accept(self.directory, scratch, folder, context.manifest())
        self.steps.append(self._step(stage, name, to_plain(result), context.manifest()))
        return result

    def _file(self, stage: str, folder: str, name: str, body: dict[str, Any]) -> StepRow:
        path = self.directory / folder / name
        path.parent.mkdir(exist_ok=True)
        write_json(path, body)
        artefact = describe_file(path, f"{folder}/{name}")
        self.steps.append(self._step(stage, stage, {}, (artefact,)))
        return self.steps[-1]

    def _step(self, stage: str, name: str, result: dict[str, Any], artefacts: tuple[Any, ...]) -> StepRow:
        return StepRow(
            seq=1, job=JOB, name=name, stage=stage, environment="common", target=None, choices={}, reasons=(),
            link=Dependencies(needs=(), after=()),
            state="done", attempt=1, begun_at=None, run="", worker="", kills=0,
            failures=0, duration_ms=1, result=json.loads(json.dumps(result)), artefacts=artefacts, note="",
            error=None,
        )  # fmt: skip

    def _row(self) -> JobRow:
        return JobRow(
            seq=1, id=JOB, state="done", submit=self.submit, directory=self.directory,
            created_at="2026-11-22T09:00:00+00:00", ended_at="2026-11-22T09:00:01+00:00", elapsed_ms=1_000,
            language=None, language_probability=None, notes=(),
        )  # fmt: skip
