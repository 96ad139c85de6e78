"""What a browser plays: the film if it can, else a copy that it can play."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from protocol.artefacts import written_aside
from protocol.errors import InputError
from protocol.subtitles.preview import MediaKind
from workers.engines.common.film import ffmpeg as program
from workers.engines.common.film.probe import Film, Stream, open_film, probe
from workers.engines.common.film.sound.channels import find_mix
from workers.engines.common.film.sound.heard_track import Form, HeardTrack
from workers.engines.common.job_folder import JobFolder
from workers.engines.common.names import safe_stem
from workers.engines.common.one_answer import Tell, Teller

__all__ = ["KEPT_BYTES", "Playable", "find_playable", "relative_url"]

_PICTURES = {"mp4": frozenset({"h264", "vp9", "av1"}), "webm": frozenset({"vp8", "vp9", "av1"})}
"""HEVC is missing on purpose: it plays only if the machine's own hardware decodes it."""
_SOUNDS = {
    "mp4": frozenset({"aac", "mp3", "opus", "flac"}),
    "webm": frozenset({"opus", "vorbis"}),
    "ogg": frozenset({"opus", "vorbis", "flac"}),
    "mp3": frozenset({"mp3"}),
    "flac": frozenset({"flac"}),
    "wav": frozenset({"pcm_s16le"}),
}
_CONTAINERS = {
    **dict.fromkeys((".mp4", ".m4v", ".m4a"), "mp4"),
    **dict.fromkeys((".ogg", ".oga", ".opus"), "ogg"),
    **dict.fromkeys((".webm",), "webm"),
    **{f".{format_name}": format_name for format_name in ("mp3", "flac", "wav")},
}
"""By the end of the file's name, as browsers decide; ffmpeg has one name for webm and Matroska."""
_PIXELS = frozenset({"yuv420p", "yuvj420p"})
_HEIGHT = 480
_SOUND = Form(
    sample_rate=48_000,
    channels=2,
    options={"format": "mp4", "acodec": "aac", "audio_bitrate": "96k"},
    bytes_per_ms=12,
)
_KEY_FRAMES_S = 2
"""How many seconds of picture a browser may have to decode when it seeks."""
KEPT_BYTES = 2 * 10**9
"""Up to this size, a picture that browsers play is copied, in seconds; a larger film is made small."""


@dataclass(frozen=True, kw_only=True)
class Playable:
    """A file that browsers play."""

    path: Path
    kind: MediaKind
    starts_ms: int = 0
    """Where on the film's clock it starts."""
    has_picture: bool = True


def find_playable(job: JobFolder, folder: Path, tell: Tell, *, copies: bool = True) -> Playable | None:
    """Return what the page plays; None if neither film nor sound is left.

    This is the submitted film, else the muxed one, if browsers play it with the sound that was heard; else a
    copy in `folder`, which is made now unless there is one that is newer than the film. Without `copies`
    none is made: then there is only the sound. Raises `InputError` if the film cannot be copied,
    `MissingError` without ffmpeg.
    """
    films = [film for path in (job.media, job.film) if path is not None and (film := _probed(path))]
    for film in films:
        if plays(film, job.audio_track):
            kind: MediaKind = "film" if film.path == job.media else "muxed"
            return Playable(path=film.path, kind=kind, has_picture=film.facts.has_video)
    if films:
        copy = folder / f"{safe_stem(job.title)}.mp4"
        is_there = _is_newer(copy, films[0].path)
        if copies and not is_there:
            _copy(films[0], job.audio_track, copy, tell)
        if copies or is_there:
            return Playable(path=copy, kind="copy", has_picture=films[0].facts.has_video)
    if job.audio is not None:
        return Playable(path=job.audio, kind="sound", starts_ms=job.clip_start_ms, has_picture=False)
    return None


def relative_url(path: Path, page: Path) -> str:
    """Return a relative URL from the page to the file, whatever characters are in their names."""
    way = os.path.relpath(path.resolve(), page.parent.resolve())
    # This escapes a colon too: `a:b.mp4` would have a scheme.
    return quote(os.fsencode(way), safe="/")


def plays(film: Film, audio_track: int) -> bool:
    """Return whether the browsers of today play the film with that audio track.

    They play a picture in 8 bits and 4:2:0, codecs for which the machine needs no licence, and the first
    audio track.
    """
    container = _CONTAINERS.get(film.path.suffix.casefold())
    if container is None or (container == "mp4") != film.is_mp4 or audio_track:
        return False
    picture = film.picture
    return all(sound.codec in _SOUNDS[container] for sound in film.sounds[:1]) and (
        picture is None
        or (picture.codec in _PICTURES.get(container, ()) and _pixels(film, picture.index) in _PIXELS)
    )


def _probed(path: Path) -> Film | None:
    try:
        return probe(path)
    except InputError:
        # The film was moved or damaged since: only the job's own files are left.
        return None


def _pixels(film: Film, index: int) -> str:
    with open_film(film.path) as container:
        context: Any = container.streams[index].codec_context
        return str(context.pix_fmt)


def _is_newer(copy: Path, film: Path) -> bool:
    return copy.is_file() and copy.stat().st_mtime_ns >= film.stat().st_mtime_ns


def _copy(film: Film, audio_track: int, target: Path, tell: Tell) -> None:
    """Write a film that every browser plays, H.264 and AAC: whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    note = f"copying the film for the browser ({target.name})"
    sound = target.with_name(f".{target.name}.{os.getpid()}.sound")
    with written_aside(target) as aside:
        try:
            heard = sound if _write_sound(film, audio_track, sound, tell, note) else None
            outcome = program.run(
                _command(film, heard, aside), Teller(tell), duration_ms=film.facts.duration_ms, note=note
            )
        finally:
            sound.unlink(missing_ok=True)
        if outcome.returncode != 0:
            raise program.failure(outcome, film.path, "make a copy for the browser of")


def _write_sound(film: Film, audio_track: int, target: Path, tell: Tell, note: str) -> bool:
    """Write the track that was heard, as it was heard; tell whether there is any sound."""
    if not film.sounds:
        return False
    track = min(audio_track, len(film.sounds) - 1)
    mix = find_mix(film, track, 0, film.facts.duration_ms)
    # Sound that begins late has silence before it: not every browser follows an mp4's edit list.
    outcome = HeardTrack(film=film, track=track, mix=mix).write([target], [_SOUND], Teller(tell), note=note)
    if outcome.returncode != 0:
        raise program.failure(outcome, film.path, "take the sound for the browser out of")
    return True


def _command(film: Film, sound: Path | None, target: Path) -> list[str]:
    import ffmpeg

    streams: list[Any] = []
    options: dict[str, Any] = {}
    if picture := film.picture:
        streams.append(program.open_source(film.path, fflags="+genpts")[str(picture.index)])
        options |= {"vcodec": "copy"} if _keeps(film, picture) else _small()
    if sound is not None:
        streams.append(program.open_source(sound)["a:0"])
        options |= {"acodec": "copy"}
    output = ffmpeg.output(
        *streams,
        program.file_url(target),
        format="mp4",
        movflags="+faststart",
        map_metadata=-1,
        map_chapters=-1,
        fflags="+bitexact",
        **options,
    )
    return program.build_command(output)


def _keeps(film: Film, picture: Stream) -> bool:
    return (
        picture.codec == "h264"
        and bool(film.formats & {"matroska", "mov"})
        and _pixels(film, picture.index) in _PIXELS
        and film.path.stat().st_size <= KEPT_BYTES
    )


def _small() -> dict[str, Any]:
    height = f"trunc(min({_HEIGHT},ih)/2)*2"
    return {
        "vf": f"scale=w=-2:h='{height}',format=yuv420p",
        "vcodec": "libx264",
        "preset": "veryfast",
        "crf": 26,
        "force_key_frames": f"expr:gte(t,n_forced*{_KEY_FRAMES_S})",
    }
