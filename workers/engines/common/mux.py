"""mux with ffmpeg: the film again, every stream copied, with its subtitles as soft tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.languages import language_name, to_iso639_2
from protocol.stages.mux import MuxRequest, MuxResult
from workers.engine import Context, Models
from workers.engines.common import ffmpeg as program
from workers.engines.common.covers import Cover, take_covers
from workers.engines.common.names import safe_stem
from workers.engines.common.probe import Film, Stream, probe

__all__ = ["FfmpegMux", "NewTrack", "Target", "choose_targets", "copied_streams", "has_cues"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """A container to write, and what it asks of text subtitles."""

    suffix: str
    format: str
    new_text: str
    """Codec of the tracks that are added: `copy` where SubRip is kept as it is."""
    converted: tuple[tuple[str, str], ...] = ()
    """Codecs of the film's own subtitles that it cannot hold, and what they become."""
    refused: frozenset[str] = frozenset()
    """Codecs of the film's own subtitles that it cannot hold in any form."""
    attaches_covers: bool = False
    """Whether a cover picture is a file attached to it rather than a stream."""


MP4 = Target(suffix="mp4", format="mp4", new_text="mov_text")
MATROSKA = Target(
    suffix="mkv",
    format="matroska",
    new_text="copy",
    converted=(("mov_text", "srt"),),
    refused=frozenset({"dvb_teletext", "eia_608"}),
    attaches_covers=True,
)

_COPIED_KINDS = frozenset({"video", "audio", "subtitle", "attachment"})
"""Timecode and other data streams stay behind: no muxer takes them by copy, and mp4's writes its own."""


@dataclass(frozen=True, kw_only=True)
class NewTrack:
    """A SubRip file with cues, and its language (ISO 639-1, or `und`)."""

    path: Path
    language: str


class FfmpegMux:
    """Copies a film and adds subtitle tracks; nothing is encoded but subtitles."""

    stage = "mux"

    def warm(self, models: Models, model: str | None) -> None:  # noqa: ARG002
        """Import PyAV and ffmpeg-python, and look for ffmpeg (`MissingError`)."""
        import av  # noqa: F401
        import ffmpeg  # noqa: F401

        program.find_ffmpeg()

    def run(self, request: MuxRequest, context: Context) -> MuxResult:
        """Write `<title>_subtitled.mp4` for the mp4 family, `.mkv` for all else.

        An mp4 whose streams ffmpeg cannot put into an mp4 becomes an mkv. Tracks without a cue are
        left out. Raises `InputError` where no container takes the film's streams.
        """
        media = Path(request.media)
        film = probe(media)
        # ffmpeg refuses a SubRip file without a cue.
        tracks = [
            NewTrack(path=path, language=each.language)
            for each in request.tracks
            if has_cues(path := context.input(each.file))
        ]
        name = self._write(film, tracks, safe_stem(request.title), context)
        return MuxResult(film=context.publish(name), track_languages=tuple(each.language for each in tracks))

    def _write(self, film: Film, tracks: Sequence[NewTrack], stem: str, context: Context) -> str:
        for target in choose_targets(film):
            name = f"{stem}_subtitled.{target.suffix}"
            path = context.output(name)
            covers = take_covers(film, context) if target.attaches_covers else ()
            outcome = program.run(
                _command(film, tracks, covers, target, path),
                context,
                duration_ms=film.facts.duration_ms,
                note=f"writing {name}",
            )
            for each in covers:
                each.path.unlink()
            if outcome.returncode == 0:
                return name
            path.unlink(missing_ok=True)
            if outcome.returncode < 0:
                # A crash says nothing about the container: the next one would crash too.
                break
        raise program.failure(outcome, film.path, "add subtitles to")


def choose_targets(film: Film) -> tuple[Target, ...]:
    """Return the containers to try, best first."""
    return (MP4, MATROSKA) if film.is_mp4 else (MATROSKA,)


def copied_streams(film: Film, target: Target) -> tuple[Stream, ...]:
    """Return the film's streams that are kept, in the film's order."""
    return tuple(
        each
        for each in film.streams
        if each.kind in _COPIED_KINDS
        and each.codec not in target.refused
        and not (each.is_cover and target.attaches_covers)
    )


def has_cues(srt: Path) -> bool:
    """Tell whether the SubRip file holds a cue."""
    with srt.open(encoding="utf-8", errors="replace") as lines:
        return any("-->" in line for line in lines)


def _command(
    film: Film, tracks: Sequence[NewTrack], covers: Sequence[Cover], target: Target, path: Path
) -> list[str]:
    import ffmpeg

    # Some containers (AVI, cut transport streams) leave out presentation times, which mkv must have.
    source = ffmpeg.input(
        program.file_url(film.path), protocol_whitelist=program.INPUT_PROTOCOLS, fflags="+genpts"
    )
    kept = copied_streams(film, target)
    added = [ffmpeg.input(program.file_url(each.path), format="srt")["s:0"] for each in tracks]
    output = ffmpeg.output(
        *(source[str(each.index)] for each in kept),
        *added,
        program.file_url(path),
        format=target.format,
        map_metadata=0,
        map_chapters=0,
        # No random numbers: the same film gives the same bytes, so that a step done twice can be compared.
        fflags="+bitexact",
        **_codecs(kept, tracks, target),
    )
    return program.build_command(output, [*_tags(kept, tracks), *_attachments(kept, covers)])


def _subtitles(kept: Sequence[Stream]) -> list[Stream]:
    return [each for each in kept if each.kind == "subtitle"]


def _codecs(kept: Sequence[Stream], tracks: Sequence[NewTrack], target: Target) -> dict[str, Any]:
    own = _subtitles(kept)
    converted = dict(target.converted)
    codecs = {"c": "copy"}
    for place, stream in enumerate(own):
        if stream.codec in converted:
            codecs[f"c:s:{place}"] = converted[stream.codec]
    for place in range(len(own), len(own) + len(tracks)):
        codecs[f"c:s:{place}"] = target.new_text
        codecs[f"disposition:s:{place}"] = "default" if place == len(own) else "0"
    return codecs


def _tags(kept: Sequence[Stream], tracks: Sequence[NewTrack]) -> list[str]:
    """Return language and name of each new track; players of mp4 show the handler's name."""
    tags: list[str] = []
    for place, track in enumerate(tracks, len(_subtitles(kept))):
        name = language_name(track.language)
        for tag in (
            f"language={to_iso639_2(track.language)}",
            f"title={name}",
            f"handler_name={name}",
        ):
            tags += [f"-metadata:s:s:{place}", tag]
    return tags


def _attachments(kept: Sequence[Stream], covers: Sequence[Cover]) -> list[str]:
    first = sum(each.kind == "attachment" for each in kept)
    options: list[str] = []
    for place, cover in enumerate(covers, first):
        options += ["-attach", program.file_url(cover.path)]
        options += [f"-metadata:s:t:{place}", f"mimetype={cover.mime_type}"]
    return options
