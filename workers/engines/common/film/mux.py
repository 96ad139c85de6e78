"""mux with ffmpeg: copies every stream of the film and adds its subtitles as soft tracks.

If one of them is shown from the start, the film's own tracks lose that flag and no other: if two have it,
players take either. On request, it draws one language into the picture of a second film (`burn`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from protocol.errors import UsageError
from protocol.languages import find_language, find_tag, language_name, read_tag, to_iso639_2
from protocol.stages.mux import FIRST, NONE, MuxRequest, MuxResult
from workers.engine import Context, Models
from workers.engines.common.film import ffmpeg as program
from workers.engines.common.film.burn import Burning, burned_name, draw, prepare
from workers.engines.common.film.containers import MATROSKA, MP4, Target, choose_targets, copied_streams
from workers.engines.common.film.covers import Cover, take_covers
from workers.engines.common.film.mkv_languages import with_room, write_tags
from workers.engines.common.film.mp4_languages import write_extended
from workers.engines.common.film.mp4_tracks import disable, force
from workers.engines.common.film.probe import Film, Stream, probe
from workers.engines.common.formats.reading.files import read_cues
from workers.engines.common.names import safe_stem

__all__ = [
    "FfmpegMux",
    "NewTrack",
    "choose_tracks",
    "forced_places",
    "has_cues",
    "hidden_places",
]


_COPY_SHARE = 0.05
"""The rough share of the call's time that copying takes if a picture is encoded too."""
_YEAR_TAGS = frozenset({"date", "year", "date_released", "date_recorded"})


@dataclass(frozen=True, kw_only=True)
class NewTrack:
    """A SubRip file with cues, its language (ISO 639-1, or `und`) and its flags."""

    path: Path
    language: str
    is_default: bool = False
    is_forced: bool = False


@dataclass(frozen=True, kw_only=True)
class _Share:
    """Reports the progress of one of two tasks: its 0 to 1 is `start` to `end` of the call."""

    context: Context
    start: float
    end: float

    def progress(self, fraction: float, note: str = "") -> None:
        """Report how far the call is; raises what the context raises."""
        self.context.progress(self.start + fraction * (self.end - self.start), note)


class FfmpegMux:
    """Copies a film and adds subtitle tracks; nothing is encoded but subtitles."""

    stage = "mux"

    def warm(self, models: Models, model: str | None) -> None:  # noqa: ARG002 (an engine without models)
        """Import PyAV and ffmpeg-python, and look for ffmpeg (`MissingError`)."""
        import av  # noqa: F401 (loaded before a call needs it)
        import ffmpeg  # noqa: F401 (loaded before a call needs it)

        program.find_ffmpeg()

    def run(self, request: MuxRequest, context: Context) -> MuxResult:
        """Write `<title>_subtitled.mp4` for the mp4 family, `.mkv` for all else.

        If ffmpeg cannot put the streams of an mp4 into an mp4, the film becomes an mkv. Tracks without a cue
        are left out. With `burn`, also write `<title>_burned.<language>.mp4`; its fonts are looked for first.

        Raises `InputError` if no container takes the film's streams, `UsageError` for a language that no
        track has, and all that `burn.prepare` and `burn.draw` raise.
        """
        film = probe(Path(request.media))
        tracks = choose_tracks(request, [context.input(track.file) for track in request.tracks])
        burning = _burning(request, film, tracks)
        copying = _Share(context=context, start=0.0, end=_COPY_SHARE if burning else 1.0)
        name, left_out = _write(film, tracks, request, context, copying)
        result = MuxResult(
            film=context.publish(name),
            track_languages=tuple(track.language for track in tracks),
            notes=tuple(_left_out(stream) for stream in left_out),
        )
        if burning is None:
            return result
        name = burned_name(request.title, burning.language)
        draw(burning, context.output(name), _Share(context=context, start=_COPY_SHARE, end=1.0))
        return replace(result, burned=context.publish(name))


def _write(
    film: Film, tracks: Sequence[NewTrack], request: MuxRequest, context: Context, copying: _Share
) -> tuple[str, tuple[Stream, ...]]:
    """Write the film; return its name, and the streams that no container takes."""
    left_out: tuple[Stream, ...] = ()
    targets = choose_targets(film)
    while True:
        for target in targets:
            name = f"{safe_stem(request.title)}_subtitled.{target.suffix}"
            path = context.output(name)
            kept = copied_streams(film, target, left_out)
            covers = take_covers(film, context) if target.attaches_covers else ()
            extra = [
                *_film_tags(film, request),
                *_own_languages(kept, target),
                *_tags(kept, tracks, target),
                *_attachments(kept, covers),
            ]
            command = _command(film, kept, tracks, target, path, extra)
            outcome = program.run(
                command, copying, duration_ms=film.facts.duration_ms, note=f"writing {name}"
            )
            for cover in covers:
                cover.path.unlink()
            if outcome.returncode == 0:
                _finish(path, target, kept, tracks)
                return name, left_out
            path.unlink(missing_ok=True)
            # A crash says nothing about the container: the next one would crash too.
            if outcome.returncode < 0:
                raise program.failure(outcome, film.path, "add subtitles to")
        if left_out or not (left_out := _unwritable(film, targets, context)):
            raise program.failure(outcome, film.path, "add subtitles to")


def _finish(path: Path, target: Target, kept: Sequence[Stream], tracks: Sequence[NewTrack]) -> None:
    """Write what ffmpeg's muxer cannot."""
    if target is MP4:
        disable(path, hidden_places(kept, tracks))
        force(path, forced_places(kept, tracks))
        write_extended(path, extended_tags(kept, tracks))
    else:
        write_tags(path)


def _unwritable(film: Film, targets: Sequence[Target], context: Context) -> tuple[Stream, ...]:
    """Return the streams that none of the containers takes, each tried alone."""
    return tuple(
        stream
        for stream in copied_streams(film, targets[-1])
        if not any(_takes(target, film, stream, context) for target in targets)
    )


def _takes(target: Target, film: Film, stream: Stream, context: Context) -> bool:
    import ffmpeg

    path = context.output(f"one_stream.{target.suffix}")
    source = program.open_source(film.path)[str(stream.index)]
    options = {"format": target.format, "t": 0, **_codecs([stream], [], target), **dict(target.options)}
    command = program.build_command(ffmpeg.output(source, program.file_url(path), **options))
    outcome = program.run(command, context, duration_ms=0, note=f"trying the {_named(stream)} alone")
    path.unlink(missing_ok=True)
    return outcome.returncode == 0


def _named(stream: Stream) -> str:
    return f"{stream.kind} stream {stream.index}"


def _left_out(stream: Stream) -> str:
    return f"{_named(stream)} (codec {stream.codec}) is left out: no container takes it"


def choose_tracks(request: MuxRequest, files: Sequence[Path]) -> list[NewTrack]:
    """Return the tracks with cues and their flags; `files` are those of `request.tracks`.

    Raises `UsageError` if the request names a language that no track has. If there is no track at all,
    nothing was said in the film, and no language can be wrong.
    """
    languages = [track.language for track in request.tracks]
    forced = {_find(language, languages, "forced") for language in request.forced}
    # ffmpeg refuses a SubRip file without a cue.
    spoken = [(file, language) for file, language in zip(files, languages, strict=True) if has_cues(file)]
    first = spoken[0][1] if spoken else NONE
    shown = first if request.default == FIRST else _find(request.default, [*languages, NONE], "default")
    return [
        NewTrack(path=file, language=language, is_default=language == shown, is_forced=language in forced)
        for file, language in spoken
    ]


def hidden_places(kept: Sequence[Stream], tracks: Sequence[NewTrack]) -> tuple[int, ...]:
    """Return the places of all subtitle tracks if none of them is shown from the start, else none.

    The places are among an mp4's tracks; covers do not count as tracks.
    """
    moving = [stream for stream in kept if not stream.is_cover]
    own = [place for place, stream in enumerate(moving) if stream.kind == "subtitle"]
    if any(track.is_default for track in tracks) or any(subtitle.is_default for subtitle in _subtitles(kept)):
        return ()
    return (*own, *range(len(moving), len(moving) + len(tracks)))


def forced_places(kept: Sequence[Stream], tracks: Sequence[NewTrack]) -> tuple[int, ...]:
    """Return the places of the new tracks that are forced, counted as in `hidden_places`."""
    first = sum(not stream.is_cover for stream in kept)
    return tuple(place for place, track in enumerate(tracks, first) if track.is_forced)


def extended_tags(kept: Sequence[Stream], tracks: Sequence[NewTrack]) -> dict[int, str]:
    """Return the tags of the new tracks that name a script, by their places as in `hidden_places`."""
    first = sum(not stream.is_cover for stream in kept)
    return {
        place: track.language for place, track in enumerate(tracks, first) if read_tag(track.language).script
    }


def has_cues(srt: Path) -> bool:
    """Return whether the SubRip file holds a cue."""
    with srt.open(encoding="utf-8", errors="replace") as lines:
        return any("-->" in line for line in lines)


def _find(written: str, languages: Sequence[str], setting: str) -> str:
    """Return which of `languages` a person wrote as a code or a name."""
    try:
        code = str(find_tag(written))
    except UsageError:
        code = written
    if code in languages or set(languages) <= {NONE}:
        return code
    message = f"mux.{setting} names {written!r}, and no subtitles of this film are in it."
    raise UsageError(message, f"There are: {', '.join(languages)}.")


def _burning(request: MuxRequest, film: Film, tracks: Sequence[NewTrack]) -> Burning | None:
    if request.burn is None:
        return None
    language = _find(request.burn, [track.language for track in request.tracks], "burn")
    track = next((track for track in tracks if track.language == language), None)
    return prepare(film, read_cues(track.path, language=language), language) if track else None


def _command(
    film: Film,
    kept: Sequence[Stream],
    tracks: Sequence[NewTrack],
    target: Target,
    path: Path,
    extra: Sequence[str],
) -> list[str]:
    import ffmpeg

    # Some containers (AVI, cut transport streams) leave out presentation times, which mkv must have.
    source = program.open_source(film.path, fflags="+genpts")
    added = [ffmpeg.input(program.file_url(track.path), format="srt")["s:0"] for track in tracks]
    output = ffmpeg.output(
        *(source[str(stream.index)] for stream in kept),
        *added,
        program.file_url(path),
        format=target.format,
        map_metadata=0,
        map_chapters=0,
        # No random numbers: the same film gives the same bytes, so that a step done twice can be compared.
        fflags="+bitexact",
        **dict(target.options),
        **_codecs(kept, tracks, target),
    )
    return program.build_command(output, extra)


def _subtitles(kept: Sequence[Stream]) -> list[Stream]:
    return [stream for stream in kept if stream.kind == "subtitle"]


def _codecs(kept: Sequence[Stream], tracks: Sequence[NewTrack], target: Target) -> dict[str, Any]:
    own = _subtitles(kept)
    converted = dict(target.converted)
    # A flag that is set by hand stops ffmpeg from setting `default` if the film has none; this one sets none.
    codecs = {"c": "copy", "disposition": "+0"}
    replaced = any(track.is_default for track in tracks)
    for place, stream in enumerate(own):
        if stream.codec in converted:
            codecs[f"c:s:{place}"] = converted[stream.codec]
        if replaced:
            codecs[f"disposition:s:{place}"] = "-default"
    for place, track in enumerate(tracks, len(own)):
        codecs[f"c:s:{place}"] = target.new_text
        flags = ["default"] * track.is_default + ["forced"] * track.is_forced
        codecs[f"disposition:s:{place}"] = "+".join(flags) or "0"
    return codecs


def _tags(kept: Sequence[Stream], tracks: Sequence[NewTrack], target: Target) -> list[str]:
    """Return language and name of each new track; players of mp4 show the handler's name."""
    tags: list[str] = []
    for place, track in enumerate(tracks, len(_subtitles(kept))):
        name = language_name(track.language)
        alpha3 = to_iso639_2(read_tag(track.language).language, bibliographic=target.bibliographic)
        if read_tag(track.language).script and target is MATROSKA:
            alpha3 = with_room(alpha3, track.language)
        for tag in (
            f"language={alpha3}",
            f"title={name}",
            f"handler_name={name}",
        ):
            tags += [f"-metadata:s:s:{place}", tag]
    return tags


def _own_languages(kept: Sequence[Stream], target: Target) -> list[str]:
    """Return the languages of the film's own streams that ffmpeg alone would shorten: `pt-BR` to `por`."""
    options: list[str] = []
    for place, stream in enumerate(kept):
        if stream.language_tag and target is MATROSKA:
            try:
                code = find_language(stream.language_tag.partition("-")[0]).code
            except UsageError:
                continue
            alpha3 = to_iso639_2(code, bibliographic=True)
            options += [f"-metadata:s:{place}", f"language={with_room(alpha3, stream.language_tag)}"]
    return options


def _film_tags(film: Film, request: MuxRequest) -> list[str]:
    """Return title and year for a film that does not have them."""
    tags = [] if "title" in film.tags else [f"title={request.title}"]
    if request.year is not None and not film.tags & _YEAR_TAGS:
        tags.append(f"date={request.year}")
    return [word for tag in tags for word in ("-metadata", tag)]


def _attachments(kept: Sequence[Stream], covers: Sequence[Cover]) -> list[str]:
    first = sum(stream.kind == "attachment" for stream in kept)
    options: list[str] = []
    for place, cover in enumerate(covers, first):
        options += ["-attach", program.file_url(cover.path)]
        options += [f"-metadata:s:t:{place}", f"mimetype={cover.mime_type}"]
    return options
