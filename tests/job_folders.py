"""Folders of finished jobs, without a coordinator. Its own functions write `job.json` and `manifest.json`.

There are two ways to the files. `write_job` takes cues and writes them as they are: no process runs, and a
test knows every cue. `JobFolderMaker` takes a film and transcripts, and runs the engines of `common` on them:
the files are those that a job leaves.
"""

from __future__ import annotations

import array
import json
import subprocess
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coordinator.plan import Dependencies
from coordinator.store import job_folder
from coordinator.store.rows import JobRow, StepRow
from protocol.artefacts import Artefact, describe_file, write_json
from protocol.messages import Submit
from protocol.schema import to_plain
from protocol.stages import STAGES
from protocol.stages.demux import DemuxRequest, DemuxResult
from protocol.stages.mux import MuxRequest, SubtitleTrack
from protocol.stages.subtitle import SubtitleRequest, SubtitleResult
from protocol.timeline import Cue, Segment, Span, Transcript, Word
from workers.context import CallContext
from workers.engines.common.cues.checking.quality import check, to_report
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.film import ffmpeg as program
from workers.engines.common.film.demux import FfmpegDemux
from workers.engines.common.film.mux import FfmpegMux
from workers.engines.common.formats.srt_vtt import to_srt, to_vtt
from workers.engines.common.names import safe_stem
from workers.engines.common.subtitle import CueSubtitle

JOB = "job-20261122-anyone-0007"
CUES = (
    Cue(start_ms=500, end_ms=1_500, lines=("The first cue,", "of two lines")),
    Cue(start_ms=2_000, end_ms=2_400, lines=("Short and much too fast to read for anyone.",)),
    Cue(start_ms=3_000, end_ms=5_000, lines=("Tom & <b>Jerry</b>",)),
    Cue(start_ms=6_250, end_ms=8_000, lines=("The last one.",)),
)


class FinishedJob:
    """The folder of a job whose steps are done."""

    def __init__(self, directory: Path, media: Path, *, title: str = "Film", **submit: Any) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.title = title
        self.submit = Submit(
            media=str(media), workflow="subtitle", user="anyone", out=str(directory.parent), **submit
        )
        self.steps: list[StepRow] = []

    def path(self, stage: str, name: str) -> Path:
        """Return the path of a stage's file, whose folder is there."""
        path = self.directory / STAGES[stage].folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def add(self, stage: str, *files: Path, name: str = "", result: Any = None) -> StepRow:
        """Add a step that left these files of the folder."""
        artefacts = tuple(describe_file(file, file.relative_to(self.directory).as_posix()) for file in files)
        return self.add_step(stage, name or stage, artefacts, result or {})

    def add_document(self, stage: str, name: str, body: dict[str, Any]) -> StepRow:
        """Add a step that left one JSON file."""
        path = self.path(stage, name)
        write_json(path, body)
        return self.add(stage, path)

    def add_step(self, stage: str, name: str, artefacts: tuple[Artefact, ...], result: Any) -> StepRow:
        self.steps.append(
            StepRow(
                seq=1, job=JOB, name=name, stage=stage, environment="common", target=None, choices={},
                reasons=(), link=Dependencies(needs=(), after=()), state="done", attempt=1, begun_at=None,
                run="", worker="", kills=0, failures=0, duration_ms=1,
                result=json.loads(json.dumps(to_plain(result))), artefacts=artefacts, note="", error=None,
            )
        )  # fmt: skip
        return self.steps[-1]

    def write(self, **subtitle: Any) -> Path:
        """Write `job.json` and `manifest.json`; `subtitle` are the job's options for that stage."""
        facts = {
            "job": JOB,
            "title": self.title,
            "input_media": {"path": self.submit.media},
            "parameters": {"subtitle": subtitle} if subtitle else {},
        }
        job_folder.write_job(self.directory, facts)
        return self._write_manifest()

    def forget(self, stage: str) -> None:
        """Leave a stage out of the manifest: the job did not reach it."""
        self.steps = [step for step in self.steps if step.stage != stage]
        self._write_manifest()

    def _write_manifest(self) -> Path:
        row = JobRow(
            seq=1, id=JOB, state="done", submit=self.submit, directory=self.directory,
            created_at="2026-11-22T09:00:00+00:00", ended_at="2026-11-22T09:00:01+00:00", elapsed_ms=1_000,
            language=None, language_probability=None, notes=(),
        )  # fmt: skip
        job_folder.write_manifest(row, self.steps)
        return self.directory


def write_job(
    root: Path,
    media: Path,
    tracks: Mapping[str, Sequence[Cue]],
    *,
    title: str = "Film",
    clip_start_ms: int = 0,
    audio_track: int = 0,
    with_audio: bool = True,
    muxed: Path | None = None,
    duration_ms: int = 10_000,
) -> Path:
    """Write a job folder with these cues for each language, and return it; the first is the source's."""
    job = FinishedJob(root, media, title=title)
    found = {
        "facts": None,
        "audio_track": audio_track,
        "audio_duration_ms": duration_ms,
        "clip_start_ms": clip_start_ms,
    }
    job.add("demux", *([write_wav(job.path("demux", "audio.wav"))] if with_audio else []), result=found)
    source = next(iter(tracks), "en")
    job.add_document("vad", "speech_segments.json", {"speech": _speech(tracks.get(source, ()))})
    job.add_document("clean", "transcript.json", _transcript(source))
    for language, cues in tracks.items():
        if language != source:
            job.add_document("translate", f"transcript.{language}.json", _transcript(language, source))
        job.add("subtitle", *_subtitles(job, language, cues, duration_ms))
    if muxed is not None:
        job.add("mux", muxed)
    return job.write()


def _transcript(language: str, origin: str = "") -> dict[str, Any]:
    return to_plain(
        Transcript(
            language=language, segments=(), translated_from=origin, engine="whisperx", model="whisper-base"
        )
    )


def _speech(cues: Sequence[Cue]) -> list[dict[str, int]]:
    return [{"start_ms": cue.start_ms, "end_ms": cue.end_ms - 100} for cue in cues]


def _subtitles(job: FinishedJob, language: str, cues: Sequence[Cue], duration_ms: int) -> list[Path]:
    stem = f"{safe_stem(job.title)}.{language}"
    srt, vtt, qc = (job.path("subtitle", f"{stem}.{form}") for form in ("srt", "vtt", "qc.json"))
    srt.write_text(to_srt(cues), encoding="utf-8")
    vtt.write_text(to_vtt(cues), encoding="utf-8")
    rules = rules_for("netflix", language, media_duration_ms=duration_ms)
    write_json(qc, to_plain(to_report(cues, rules, check(cues, rules), profile="netflix")))
    return [srt, vtt, qc]


def said(language: str, *sentences: str, from_ms: int = 200, word_ms: int = 300) -> Transcript:
    """Return a transcript: a segment for each sentence, a word every `word_ms`, pauses of nearly a second."""
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


class JobFolderMaker(FinishedJob):
    """Does the stages demux, subtitle and mux of a job with their engines, on transcripts of a test."""

    def make(self, *transcripts: Transcript, speech: Sequence[Span] = (), **subtitle: Any) -> Path:
        """Make the whole job, the first transcript its source; return its folder."""
        demux = self.demux()
        for transcript in transcripts:
            self.subtitle(demux, transcript, **subtitle)
        self.mux()
        if speech:
            self.add_document("vad", "speech_segments.json", {"speech": to_plain(tuple(speech))})
        return self.write(**subtitle)

    def demux(self) -> DemuxResult:
        request = DemuxRequest(
            media=self.submit.media,
            start_ms=self.submit.start_ms,
            end_ms=self.submit.end_ms,
            **self.submit.parameters.get("demux", {}),
        )
        return self._do("demux", "demux", FfmpegDemux(), request)

    def subtitle(self, demux: DemuxResult, transcript: Transcript, **options: Any) -> SubtitleResult:
        if transcript.language in self.submit.target_languages:
            stage, target = "translate", transcript.language
            name = f"transcript.{transcript.language}.json"
        else:
            stage, target, name = "clean", "source", "transcript.json"
        step = self.add_document(stage, name, to_plain(transcript))
        asked = {
            "formats": ("srt", "vtt", "txt", "json"),
            "media_duration_ms": demux.facts.duration_ms,
            "offset_ms": demux.clip_start_ms,
            "frames_per_second": demux.facts.frames_per_second,
            **options,
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

    def _do(self, stage: str, name: str, engine: Any, request: Any) -> Any:
        scratch, folder = job_folder.scratch_of(name, 1), STAGES[stage].folder
        context = CallContext(self.directory, scratch, folder, None, lambda *_: None)  # type: ignore[arg-type]  # (no models are needed)
        context.prepare()
        result = engine.run(request, context)
        job_folder.accept(self.directory, scratch, folder, context.manifest())
        self.add_step(stage, name, context.manifest(), result)
        return result


def make_film(path: Path, *options: str, seconds: int = 10) -> Path:
    """Make a film of a moving picture and a beep; `options` say how it is encoded."""
    inputs = (f"testsrc=d={seconds}:s=320x180:r=24", f"sine=d={seconds}:f=440")
    command = [program.find_ffmpeg(), "-nostdin", "-loglevel", "error", "-y"]
    for source in inputs:
        command += ["-f", "lavfi", "-i", source]
    encoded = options or ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-c:a", "aac")
    subprocess.run([*command, *encoded, f"file:{path}"], check=True, stdin=subprocess.DEVNULL)
    return path


def write_wav(path: Path, seconds: float = 10, loudness: int = 8_000) -> Path:
    """Write a second of silence and a second of noise in turn, 16 kHz, mono."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        for second in range(round(seconds)):
            loud = loudness * (second % 2)
            file.writeframes(array.array("h", [loud, -loud] * 8_000).tobytes())
    return path


def take_sound(film: Path, job: Path) -> None:
    """Put a film's own sound into a job folder."""
    command = [program.find_ffmpeg(), "-nostdin", "-loglevel", "error", "-y", "-i", f"file:{film}"]
    command += ["-vn", "-ac", "1", "-ar", "16000", f"file:{job}/01_demux/audio.wav"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
