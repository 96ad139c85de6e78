"""Which of a film's audio tracks is listened to. Pure."""

from __future__ import annotations

from protocol.errors import InputError, UsageError
from protocol.languages import find_language, language_name
from protocol.stages.demux import AudioTrack
from protocol.timeline import UNDETERMINED
from workers.engines.common.film.probe import UNKNOWN, Film
from workers.engines.common.film.purposes import OTHERWISE
from workers.engines.common.names import shown

__all__ = ["choose_track", "tell_choice"]


def choose_track(film: Film, wanted: str | None, language: str | None = None) -> AudioTrack:
    """Return the audio track to listen to.

    `wanted` is a number or a language; without it, `language` is what the film is said to speak. Of the
    tracks that fit, one that can be decoded goes first, one with the film's own dialogue before a commentary
    or a description, then the default one, the original one, the first. Raises `InputError` that lists the
    tracks.
    """
    tracks = film.facts.audio_tracks
    if not tracks:
        message = f"{shown(film.path)} has no audio stream: there is nothing to hear."
        raise InputError(message, "Give a film with sound.")
    fitting = tracks if wanted is None else _fitting(tracks, wanted)
    if not fitting:
        listed = ", ".join(f"{track.number} ({track.language}, {track.codec})" for track in tracks)
        message = f"{shown(film.path)} has no audio track {wanted!r}; it has {listed}."
        raise InputError(message, "Choose one of them by its number or language.")
    code = None if language is None else _language_code(language)

    def order(track: AudioTrack) -> tuple[bool, int, int, bool, bool, int]:
        other = OTHERWISE[track.purpose]
        strange = 0 if code in (None, track.language) else 1 if track.language == UNDETERMINED else 2
        is_default = film.sounds[track.number].is_default
        unknown = film.sounds[track.number].codec == UNKNOWN
        return (unknown, strange + other, other, not is_default, track.purpose != "original", track.number)

    return min(fitting, key=order)


def tell_choice(film: Film, taken: AudioTrack) -> str:
    """Return a sentence that names the track that is heard and those that are not; empty where it has one."""
    others = [track for track in film.facts.audio_tracks if track != taken]
    if not others:
        return ""
    left = ", ".join(_named(film, track) for track in others)
    return f"audio track {_named(film, taken)} is heard, not {left}"


def _named(film: Film, track: AudioTrack) -> str:
    words = [language_name(track.language) if track.language != UNDETERMINED else "language not told"]
    words += [track.purpose] if track.purpose else []
    words += ["default"] if film.sounds[track.number].is_default else []
    words += [f"“{track.title}”"] if track.title else []
    return f"{track.number} ({', '.join(words)})"


def _fitting(tracks: tuple[AudioTrack, ...], wanted: str) -> tuple[AudioTrack, ...]:
    if wanted.strip().isdecimal():
        return tuple(track for track in tracks if track.number == int(wanted))
    return tuple(track for track in tracks if track.language == _language_code(wanted))


def _language_code(wanted: str) -> str:
    try:
        return find_language(wanted).code
    except UsageError:
        return ""
