"""What a container says about itself, read with PyAV; and sentences for what is not a film."""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from protocol.errors import InputError, UsageError
from protocol.languages import find_language
from protocol.stages.demux import AudioTrack, MediaFacts
from protocol.timeline import UNDETERMINED
from workers.engines.common.film.ffmpeg import INPUT_PROTOCOLS, file_url
from workers.engines.common.film.mkv_languages import read_tags
from workers.engines.common.film.purposes import purpose_of
from workers.engines.common.names import shown

if TYPE_CHECKING:
    from av.container import InputContainer

__all__ = ["UNKNOWN", "Film", "Stream", "open_film", "probe", "readable_ms"]

_MICROSECONDS = 1_000_000
_STILLS = ("image2", "tty", "_pipe")
"""Formats by which ffmpeg opens a picture or a text file as if it were a film."""
_MEASURED_FORMATS = frozenset({"mov", "matroska", "avi", "asf", "flv", "wav", "flac"})
"""Formats whose header states a length. Else ffmpeg guesses it from the bit rate or the last packet."""
UNKNOWN = "unknown"
"""The codec of a stream that nobody here can decode."""
_PACKETS_A_TICK = 5_000
_DURATION = re.compile(r"(\d+):(\d{2}):(\d{2}(?:\.\d+)?)")
_PLAYLISTS = frozenset(
    [
        *("hls", "applehttp", "dash", "concat", "imf", "sdp", "rtsp", "rtp", "sap", "vobsub", "dvdvideo"),
        *("lavfi", "avisynth", "vapoursynth"),
    ]
)
"""Formats that name other files, addresses or scripts, whatever the name of the file. What they name may
change while the file stays the same, and need not be the person's to read."""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One stream: `kind` is video, audio, subtitle, attachment or data; `codec` is ffmpeg's name for it."""

    index: int
    kind: str
    codec: str
    is_default: bool
    is_cover: bool
    starts_ms: int = 0
    """Counted from the container's start."""
    language_tag: str = ""
    """Its language as BCP 47 has it (`pt-BR`), where the container says more than a code of three letters."""
    file_name: str = ""
    """Of an attached picture."""


@dataclass(frozen=True, kw_only=True)
class Film:
    """An opened container: the facts that other stages get, and what the engines here also need."""

    path: Path
    facts: MediaFacts
    streams: tuple[Stream, ...]
    is_transport: bool = False
    """Whether its clock may jump (transport and program streams)."""
    tags: frozenset[str] = frozenset()
    """Names of what the container says about the film, in small letters: `title`, `date`."""

    @property
    def formats(self) -> frozenset[str]:
        """The names of the container's format: `mov,mp4,m4a,3gp,3g2,mj2` is one format for ffmpeg."""
        return frozenset(self.facts.container.split(","))

    @property
    def sounds(self) -> tuple[Stream, ...]:
        """The audio streams, in the order of `facts.audio_tracks`."""
        return tuple(stream for stream in self.streams if stream.kind == "audio")

    @property
    def picture(self) -> Stream | None:
        """The first stream of moving pictures; a song's cover does not count."""
        return next(
            (stream for stream in self.streams if stream.kind == "video" and not stream.is_cover), None
        )

    @property
    def is_mp4(self) -> bool:
        """Whether the container is of the mp4 family."""
        return "mp4" in self.formats

    @property
    def states_length(self) -> bool:
        """Whether the length comes from the header: then a film that is shorter was cut short."""
        return self.facts.duration_ms > 0 and bool(self.formats & _MEASURED_FORMATS)


def probe(media: Path) -> Film:
    """Open the film and return what it says about itself; reads its header, not its contents.

    Raises `InputError` if it does not exist, is a folder, is empty, is cut off before its index, or is not
    media. A film without audio is no error.
    """
    from av.format import Flags

    _check_file(media)
    with open_film(media) as container:
        start = Fraction(container.start_time or 0, _MICROSECONDS)
        name = container.format.name
        tags = _tags(media, container) if "matroska" in name else {}
        streams = tuple(_stream(stream, start, tags.get(stream.index, "")) for stream in container.streams)
        if not any(stream.kind in ("video", "audio") for stream in streams) or _is_still(name):
            message = f"{shown(media)} is not a film: it is {container.format.long_name or name}."
            raise InputError(message, "Give a video or audio file.")
        return Film(
            path=media,
            facts=_facts(container, streams),
            streams=streams,
            is_transport=bool(container.format.flags & Flags.ts_discont.value),
            tags=frozenset(tag.casefold() for tag, value in container.metadata.items() if value),
        )


def readable_ms(media: Path, tick: Callable[[], None]) -> int:
    """Return how far the film's packets go, in ms after its start; reads the whole file.

    `tick` is called now and then, so that the call can be cancelled.
    """
    import av

    reached = Fraction(0)
    with open_film(media) as container:
        start = Fraction(container.start_time or 0, _MICROSECONDS)
        # Subtitles count too: the file is whole where they go on to the end that the container states.
        try:
            for count, packet in enumerate(container.demux()):
                if count % _PACKETS_A_TICK == 0:
                    tick()
                # The packet that flushes a stream is empty and has no time.
                if packet.pts is not None and packet.time_base is not None:
                    end = (packet.pts + (packet.duration or 0)) * packet.time_base - start
                    reached = max(reached, end)
        except av.FFmpegError:
            # The place where the film breaks off is what the caller asks for.
            return _ms(reached)
    return _ms(reached)


def _check_file(media: Path) -> None:
    try:
        str(media).encode()
        problem = _problem(media)
    except UnicodeEncodeError:
        problem = "has a name that is not UTF-8, which cannot travel"
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    except ValueError:
        problem = "is not the name of a file"
    if problem:
        message = f"{shown(media)} {problem}."
        raise InputError(message, "Correct the name, or copy the film again.")


def _problem(media: Path) -> str:
    if media.is_dir():
        return "is a folder, not a film"
    if not media.exists():
        return "is not there"
    if not media.is_file():
        return "is not a plain file"
    return "" if media.stat().st_size else "is empty (0 bytes)"


def open_film(media: Path) -> InputContainer:
    """Open the film with PyAV; raise `InputError` if that fails. The caller closes it."""
    import av

    try:
        return av.open(
            file_url(media),
            metadata_errors="replace",
            options={"protocol_whitelist": INPUT_PROTOCOLS, "format_whitelist": _formats()},
        )
    except PermissionError as error:
        message = f"{shown(media)} cannot be read: permission denied."
        raise InputError(message, "Make the file readable for the user who runs the workers.") from error
    except (av.FFmpegError, ValueError) as error:
        if _lacks_index(media):
            message = f"{shown(media)} was cut short: its index (moov) is missing."
            raise InputError(message, "Copy or download the film again.") from error
        if _is_playlist(media):
            message = f"{shown(media)} is not a film but a list of other files."
            raise InputError(message, "Give the files that it names, or join them into one film.") from error
        reason = getattr(error, "strerror", None) or str(error)
        message = f"{shown(media)} is not a film: {reason}."
        raise InputError(message, "Give a video or audio file.") from error


@functools.cache
def _formats() -> str:
    """Return the formats that may be opened, as ffmpeg takes them: all but those of playlists."""
    import av

    return ",".join(sorted(av.formats_available - _PLAYLISTS))


def _is_playlist(media: Path) -> bool:
    """Return whether the file starts as a playlist does: then the sentence can say more than ffmpeg."""
    with media.open("rb") as file:
        head = file.read(2_048).lstrip(b"\xef\xbb\xbf \r\n\t")
    return (
        head.startswith((b"#EXTM3U", b"ffconcat version", b"v=0"))
        or b"<MPD" in head
        or b"CompositionPlaylist" in head
    )


def _lacks_index(media: Path) -> bool:
    """Return whether the file is an mp4 (starts with `ftyp`) without a `moov` box (ISO/IEC 14496-12, 4.2)."""
    size = media.stat().st_size
    offset = 0
    kinds = []
    with media.open("rb") as file:
        while offset + 8 <= size:
            file.seek(offset)
            head = file.read(16)
            length, kind = struct.unpack(">I4s", head[:8])
            kinds.append(kind)
            if kinds[0] != b"ftyp":
                return False
            if length == 1 and len(head) == 16:
                length = struct.unpack(">Q", head[8:])[0]
            if length < 8:
                break
            offset += length
    return bool(kinds) and b"moov" not in kinds


def _is_still(name: str) -> bool:
    return any(still in name for still in _STILLS)


def _tags(media: Path, container: InputContainer) -> dict[int, str]:
    """Return the streams' languages as BCP 47 has them, where the file says so.

    Some writers, ffmpeg among them, write them in the place of the code of three letters.
    """
    said: dict[int, str] = {}
    for stream in container.streams:
        if "-" in (written_as := stream.language or ""):
            said[stream.index] = written_as
    kinds = ("video", "audio", "subtitle")
    tracks = [stream for stream in container.streams if stream.type in kinds and not _is_cover(stream)]
    written = read_tags(media)
    if [kind for kind, _ in written] == [stream.type for stream in tracks]:
        said |= {stream.index: tag for stream, (_, tag) in zip(tracks, written, strict=True) if tag}
    return said


def _is_cover(stream: Any) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def _stream(stream: Any, start: Fraction, tag: str) -> Stream:
    from av.stream import Disposition

    codec = stream.codec_context.codec.canonical_name if stream.codec_context else UNKNOWN
    return Stream(
        index=stream.index,
        kind=str(stream.type or "data"),
        codec=codec,
        is_default=bool(stream.disposition & Disposition.default),
        is_cover=_is_cover(stream),
        starts_ms=_starts_ms(stream, start),
        language_tag=tag,
        file_name=stream.metadata.get("filename") or "",
    )


def _facts(container: InputContainer, streams: tuple[Stream, ...]) -> MediaFacts:
    sounds = [stream for stream in streams if stream.kind == "audio"]
    moving = [stream.index for stream in streams if stream.kind == "video" and not stream.is_cover]
    rate = container.streams[moving[0]].average_rate if moving else None
    return MediaFacts(
        duration_ms=_duration_ms(container),
        container=container.format.name,
        has_video=bool(moving),
        frames_per_second=float(rate) if rate else None,
        audio_tracks=tuple(
            AudioTrack(
                number=number,
                codec=stream.codec,
                language=_language(stream.language_tag or container.streams[stream.index].language),
                channels=_channels(container.streams[stream.index]),
                starts_ms=stream.starts_ms,
                title=_title(container.streams[stream.index]),
                purpose=_purpose(container.streams[stream.index]),
            )
            for number, stream in enumerate(sounds)
        ),
        subtitle_languages=tuple(
            _language(stream.language_tag or container.streams[stream.index].language)
            for stream in streams
            if stream.kind == "subtitle"
        ),
    )


def _title(stream: Any) -> str:
    return " ".join((stream.metadata.get("title") or "").split())


def _purpose(stream: Any) -> str:
    from av.stream import Disposition

    flags = frozenset(str(flag.name) for flag in Disposition if flag in stream.disposition)
    # mp4 has no titles: the name of the handler stands in their place.
    return purpose_of(flags, _title(stream) or stream.metadata.get("handler_name") or "")


def _channels(stream: Any) -> int:
    return stream.codec_context.layout.nb_channels if stream.codec_context else 0


def _starts_ms(stream: Any, start: Fraction) -> int:
    if stream.start_time is None or stream.time_base is None:
        return 0
    return _ms(stream.start_time * stream.time_base - start)


def _duration_ms(container: InputContainer) -> int:
    """Return the film's length in ms; 0 if neither the container nor a stream states one.

    The container's length counts its subtitles too, which may run on longer than picture and sound: where
    these state when each of them ends, that counts.
    """
    start = Fraction(container.start_time or 0, _MICROSECONDS)
    moving = [stream for stream in container.streams if stream.type in ("video", "audio")]
    ends = [end for stream in moving if (end := _end(stream, start)) is not None]
    if container.duration is None or container.duration <= 0:
        return _ms(max(ends, default=Fraction(0)))
    stated = Fraction(container.duration, _MICROSECONDS)
    if len(moving) < len(container.streams) and ends and len(ends) == len(moving):
        stated = min(stated, max(ends))
    return _ms(stated)


def _end(stream: Any, start: Fraction) -> Fraction | None:
    """Return when the stream ends, in seconds after the container's start; None where nothing says so."""
    if stream.duration and stream.time_base:
        begin = stream.start_time * stream.time_base - start if stream.start_time is not None else 0
        return Fraction(begin + stream.duration * stream.time_base)
    # Matroska has no field for it. Its writers leave the end as a tag, `DURATION` or `DURATION-eng`.
    for name, value in stream.metadata.items():
        if name.partition("-")[0] == "DURATION" and (found := _DURATION.fullmatch(value.strip())):
            hours, minutes, seconds = found.groups()
            return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)
    return None


def _language(written: str | None) -> str:
    """Return the language as ISO 639-1; `und` if it is none that is known."""
    try:
        return find_language((written or "").partition("-")[0]).code
    except UsageError:
        return UNDETERMINED


def _ms(seconds: Fraction) -> int:
    return round(seconds * 1000)
