"""What a job that is done has found: the transcript in the language of the answer, and the files of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clients.api.answers import HttpProblem
from protocol.artefacts import read_json_as
from protocol.errors import SchemaError
from protocol.languages import language_name
from protocol.messages import JobReport
from protocol.stages import STAGES, align, clean, demux, translate
from protocol.timeline import UNDETERMINED, Segment, Transcript, Word

__all__ = ["Found", "name_of_language", "read_found"]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was heard, as it is answered."""

    job: str
    transcript: Transcript
    heard: str
    """The language that is spoken: ISO 639-1, or `und`."""
    probability: float | None
    duration_s: float
    files: dict[str, Path]
    """Format to the file of the transcript's language."""

    @property
    def text(self) -> str:
        """All that is said, as one text."""
        return " ".join(filter(None, (segment.text.strip() for segment in self.transcript.segments)))

    @property
    def words(self) -> tuple[Word, ...]:
        """All words, with their times."""
        return self.transcript.words()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments."""
        return self.transcript.segments

    def file(self, name: str) -> bytes:
        """Return the subtitles in a format, without the byte order mark; a 410 where the file is gone."""
        try:
            return self.files[name].read_bytes().removeprefix(b"\xef\xbb\xbf")
        except (KeyError, OSError) as error:
            raise _gone(self.job) from error


def read_found(job: JobReport, target: str | None) -> Found:
    """Return what the job has found, translated into `target` where it was; a 410 where files are gone."""
    folder = Path(job.directory)
    places = [folder / STAGES[stage.name].folder / "transcript.json" for stage in (clean.STAGE, align.STAGE)]
    if target is not None:
        # A film that is in that language already is not translated.
        places.insert(0, folder / translate.STAGE.folder / f"transcript.{target}.json")
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise _gone(job.job)
    try:
        transcript = read_json_as(Transcript, path)
    except (OSError, ValueError, SchemaError) as error:
        raise _gone(job.job) from error
    return Found(
        job=job.job,
        transcript=transcript,
        heard=job.language or transcript.translated_from or transcript.language,
        probability=job.language_probability,
        duration_s=_duration_s(folder, transcript),
        files=_files(job, transcript.language),
    )


def _files(job: JobReport, language: str) -> dict[str, Path]:
    found = {}
    for output in map(Path, job.outputs):
        name, dot, ending = output.name.rpartition(".")
        if dot and name.endswith(f".{language}"):
            found[ending] = output
    return found


@dataclass(frozen=True, kw_only=True)
class _Sound:
    audio_duration_ms: int | None = None


@dataclass(frozen=True, kw_only=True)
class _Manifest:
    film: _Sound | None = None


def _duration_s(folder: Path, transcript: Transcript) -> float:
    """Return the length of the sound; where nothing says it, the end of what is said."""
    said_ms = max((segment.end_ms for segment in transcript.segments), default=0)
    try:
        film = read_json_as(_Manifest, folder / "manifest.json").film
    except (OSError, ValueError, SchemaError):
        film = None
    sound_ms = film.audio_duration_ms if film is not None else None
    return (said_ms if sound_ms is None else sound_ms) / 1000


def _gone(job: str) -> HttpProblem:
    text = f"Files of the job {job} are gone."
    return HttpProblem(410, text, f"cpw retry {job} --from {demux.STAGE.name}", code="files_gone")


def name_of_language(code: str) -> str:
    """Return the name as Whisper has it, in small letters: `english`."""
    return "undetermined" if code == UNDETERMINED else language_name(code).casefold()
