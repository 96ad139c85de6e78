"""demux with ffmpeg: the film's sound as 16 kHz mono on the film's clock."""

from __future__ import annotations

import wave
from dataclasses import dataclass, replace
from pathlib import Path

from protocol.artefacts import describe_film
from protocol.errors import InputError, UsageError
from protocol.languages import find_language
from protocol.stages.demux import AudioTrack, DemuxRequest, DemuxResult, MediaFacts
from workers.engine import Context, Models
from workers.engines.common.film import ffmpeg as program
from workers.engines.common.film import full_band
from workers.engines.common.film.probe import Film, Stream, probe, readable_ms
from workers.engines.common.film.shot_finding import find_shots
from workers.engines.common.names import shown

__all__ = ["Clip", "FfmpegDemux", "choose_clip", "choose_track", "is_cut_short"]

_SAMPLE_RATE = 16_000
_NAME = "audio.wav"
_BYTES_PER_MS = 2 * _SAMPLE_RATE // 1000
_BLOCK_FRAMES = 1 << 16
_TOLERANCE_MS = 2_000
_TOLERANCE_SHARE = 0.02


@dataclass(frozen=True, kw_only=True)
class Clip:
    """The part of the film to take, in ms of the film; `end_ms` None: to its end."""

    start_ms: int = 0
    end_ms: int | None = None


class FfmpegDemux:
    """Takes one audio stream out of a film with ffmpeg; it holds no whole film in memory."""

    stage = "demux"

    def warm(self, models: Models, model: str | None) -> None:  # noqa: ARG002 (an engine without models)
        """Import PyAV and ffmpeg-python, and look for ffmpeg (`MissingError`)."""
        import av  # noqa: F401 (loaded before a call needs it)
        import ffmpeg  # noqa: F401 (loaded before a call needs it)

        program.find_ffmpeg()

    def run(self, request: DemuxRequest, context: Context) -> DemuxResult:
        """Write `audio.wav`; on request, also write `audio_full.flac` and find the shots.

        Raises `InputError` if the file is not a film, has no such audio, or was cut short.
        """
        media = Path(request.media)
        film = probe(media)
        before = describe_film(media)
        track = choose_track(film, request.audio_track)
        clip = choose_clip(film, request.start_ms, request.end_ms)
        target = context.output(_NAME)
        full = context.output(full_band.NAME) if request.full_band else None
        end_ms = film.facts.duration_ms if clip.end_ms is None else clip.end_ms
        outcome = program.run(
            _writing(clip, target, full),
            context,
            duration_ms=end_ms - clip.start_ms,
            note="taking the sound out",
            feeder=program.Feeder(
                command=_decoding(film, track, clip, both=full is not None), bytes_per_ms=_BYTES_PER_MS
            ),
        )
        # Where there is no sound at all in the clip, nothing is written: its silence is made below.
        if outcome.returncode != 0 and not (outcome.fed and not target.exists()):
            for path in (target, full):
                if path is not None:
                    path.unlink(missing_ok=True)
            raise program.failure(outcome, media, "take the sound out of")
        reached_ms = clip.start_ms + _length_ms(target)
        if is_cut_short(end_ms, reached_ms):
            _check_whole(film, context)
        duration_ms = _final_length(film, track, clip, target)
        if full is not None:
            full_band.fit(full, _frame_count(target) / _SAMPLE_RATE, context)
        return DemuxResult(
            audio=context.publish(_NAME),
            audio_duration_ms=duration_ms,
            audio_track=track.number,
            clip_start_ms=clip.start_ms,
            facts=_with_length(film.facts, clip.start_ms + duration_ms),
            full_band=context.publish(full_band.NAME) if full is not None else None,
            shot_changes_ms=_shots(film, clip, context) if request.shot_changes else (),
            film=before if describe_film(media) == before else None,
        )


def choose_track(film: Film, wanted: str | None) -> AudioTrack:
    """Return the audio track by number or language; without a wish, the default one, else the first.

    Of several in the language, the default one, else the first. Raises `InputError` that lists the tracks.
    """
    tracks = film.facts.audio_tracks
    if not tracks:
        message = f"{shown(film.path)} has no audio stream: there is nothing to hear."
        raise InputError(message, "Give a film with sound.")
    if wanted is None:
        return _first_default(film, tracks)
    if wanted.strip().isdecimal():
        fitting = tuple(track for track in tracks if track.number == int(wanted))
    else:
        fitting = tuple(track for track in tracks if track.language == _language_code(wanted))
    if not fitting:
        listed = ", ".join(f"{track.number} ({track.language}, {track.codec})" for track in tracks)
        message = f"{shown(film.path)} has no audio track {wanted!r}; it has {listed}."
        raise InputError(message, "Choose one of them by its number or language.")
    return _first_default(film, fitting)


def choose_clip(film: Film, start_ms: int | None, end_ms: int | None) -> Clip:
    """Return the part of the film asked for; raise `InputError` if it is not in the film."""
    clip = Clip(start_ms=start_ms or 0, end_ms=end_ms)
    length = film.facts.duration_ms
    problem = ""
    if clip.start_ms < 0:
        problem = f"the clip starts at {_seconds(clip.start_ms)}, before the film"
    elif clip.end_ms is not None and clip.end_ms <= clip.start_ms:
        problem = (
            f"the clip ends at {_seconds(clip.end_ms)}, not after its start at {_seconds(clip.start_ms)}"
        )
    elif length and clip.start_ms >= length:
        problem = f"the clip starts at {_seconds(clip.start_ms)}, but the film ends at {_seconds(length)}"
    elif length and clip.end_ms is not None and clip.end_ms > length:
        problem = f"the clip ends at {_seconds(clip.end_ms)}, but the film ends at {_seconds(length)}"
    if problem:
        message = f"{shown(film.path)}: {problem}."
        raise InputError(message, "Correct the start and the end of the clip.")
    return clip


def is_cut_short(promised_ms: int, read_ms: int) -> bool:
    """Return whether too little could be read; 2 s or 2 % may be missing, the larger of them."""
    return promised_ms - read_ms > max(_TOLERANCE_MS, promised_ms * _TOLERANCE_SHARE)


def _first_default(film: Film, tracks: tuple[AudioTrack, ...]) -> AudioTrack:
    return next((track for track in tracks if film.sounds[track.number].is_default), tracks[0])


def _language_code(wanted: str) -> str:
    try:
        return find_language(wanted).code
    except UsageError:
        return ""


def _decoding(film: Film, track: AudioTrack, clip: Clip, *, both: bool) -> list[str]:
    """Return the ffmpeg command that decodes the track once and writes it, with its times, to stdout.

    Where the sound changes its form in mid-stream, ffmpeg builds the filters anew. So they only bring it into
    one form here; what keeps the film's clock comes after that, in a process of its own.
    """
    import ffmpeg

    place = {"ss": clip.start_ms / 1000} if clip.start_ms else {}
    length = _length(clip)
    source = program.open_source(film.path, **place)
    sounds = [source[f"a:{track.number}"]]
    form = {"c": "pcm_s16le", "ar:0": _SAMPLE_RATE, "ac:0": 1}
    if both:
        sounds.append(source[f"a:{track.number}"])
        form |= {"ar:1": full_band.SAMPLE_RATE, "ac:1": 2}
    outputs = [ffmpeg.output(*sounds, "pipe:1", format="nut", **form, **length)]
    if (clock := _clock_stream(film, film.sounds[track.number])) is not None:
        outputs.append(ffmpeg.output(source[str(clock.index)], "-", format="null", c="copy", **length))
    return program.build_command(ffmpeg.merge_outputs(*outputs), feeds=True)


def _length(clip: Clip) -> dict[str, float]:
    return {} if clip.end_ms is None else {"t": (clip.end_ms - clip.start_ms) / 1000}


def _writing(clip: Clip, target: Path, full: Path | None) -> list[str]:
    """Return the ffmpeg command that writes what `_decoding` decodes: one sound, or both."""
    import ffmpeg

    source = ffmpeg.input("pipe:0", format="nut", protocol_whitelist="pipe", copyts=None)
    options = {
        # ffmpeg moves the container's start to 0. This adds silence from there to the first sample, and in
        # each hole of the stream, so that a sample's place is the film's time.
        "af": "aresample=async=1:first_pts=0",
        # No tags and no encoder's name: the same sound gives the same bytes.
        "map_metadata": -1,
        "fflags": "+bitexact",
        **_length(clip),
    }
    form = {"format": "wav", "acodec": "pcm_s16le", "ar": _SAMPLE_RATE, "ac": 1}
    outputs = [ffmpeg.output(source["a:0"], program.file_url(target), **form, **options)]
    if full is not None:
        outputs.append(full_band.output(source["a:1"], full, **options))
    return program.build_command(ffmpeg.merge_outputs(*outputs))


def _shots(film: Film, clip: Clip, context: Context) -> tuple[int, ...]:
    clock = None if film.picture is None else _clock_stream(film, film.picture)
    return find_shots(film, context, start_ms=clip.start_ms, end_ms=clip.end_ms, clock=clock)


def _clock_stream(film: Film, stream: Stream) -> Stream | None:
    """Return the stream that ffmpeg must read too, so that it keeps the film's clock with it.

    In transport streams, ffmpeg takes the start of the streams it reads for the film's start: if it read only
    sound that starts late, that sound would come early. Where two of them were joined, it closes the gap
    between the clocks so that the streams it reads go on without a break: of sound that was shorter than its
    picture, the second part would come early. The picture has no such gap, so it is read where there is one.
    """
    if not film.is_transport:
        return None
    candidates = [
        stream_ for stream_ in film.streams if stream_.kind in ("video", "audio") and not stream_.is_cover
    ]
    first = min(candidates, key=lambda candidate: candidate.starts_ms)
    picture = film.picture if film.picture is not stream else None
    return first if first.starts_ms < stream.starts_ms else picture


def _check_whole(film: Film, context: Context) -> None:
    """Raise `InputError` if the file ends before its header says.

    Sound that ends before the picture is no damage, so this looks at the packets of every stream.
    """
    promised = film.facts.duration_ms
    if not film.states_length:
        return
    read = readable_ms(film.path, lambda: context.progress(1.0, "looking for the film's end"))
    if is_cut_short(promised, read):
        message = (
            f"{shown(film.path)} was cut short: its header promises {_seconds(promised)}, "
            f"but only {_seconds(read)} could be read."
        )
        raise InputError(message, "Copy or download the film again.")


def _final_length(film: Film, track: AudioTrack, clip: Clip, target: Path) -> int:
    """Return the length of the sound in ms; if it ends before the clip does, silence is added."""
    length = _length_ms(target)
    wanted = None if clip.end_ms is None else clip.end_ms - clip.start_ms
    if clip.start_ms and wanted is None and film.facts.duration_ms:
        wanted = film.facts.duration_ms - clip.start_ms
    if wanted is not None and length < wanted:
        _pad(target, wanted)
        return wanted
    if length == 0:
        message = f"No sound could be read from audio track {track.number} of {shown(film.path)}."
        raise InputError(message, "Check that the film plays with sound, or choose another audio track.")
    return length


def _pad(target: Path, length_ms: int) -> None:
    missing = length_ms * _SAMPLE_RATE // 1000
    aside = target.with_name(f"{target.name}.part")
    with wave.open(str(aside), "wb") as new:
        new.setnchannels(1)
        new.setsampwidth(2)
        new.setframerate(_SAMPLE_RATE)
        # If ffmpeg has nothing to write, it leaves an empty file, which is not a WAV.
        if _length_ms(target):
            with wave.open(str(target), "rb") as old:
                while block := old.readframes(_BLOCK_FRAMES):
                    new.writeframesraw(block)
                    missing -= len(block) // 2
        while missing > 0:
            count = min(missing, _BLOCK_FRAMES)
            new.writeframesraw(bytes(2 * count))
            missing -= count
    aside.replace(target)


def _length_ms(wav: Path) -> int:
    return round(_frame_count(wav) * 1000 / _SAMPLE_RATE)


def _frame_count(wav: Path) -> int:
    try:
        with wave.open(str(wav), "rb") as file:
            return file.getnframes()
    except (EOFError, FileNotFoundError, wave.Error):
        return 0


def _with_length(facts: MediaFacts, heard_ms: int) -> MediaFacts:
    """Return the facts with a length: browsers' recordings state none, but the sound was measured now."""
    return facts if facts.duration_ms else replace(facts, duration_ms=heard_ms)


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}".rstrip("0").rstrip(".") + " s"
