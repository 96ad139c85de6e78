"""Which audio track of a film is listened to."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.stages.demux import AudioTrack, MediaFacts
from workers.engines.common.film.probe import Film, Stream
from workers.engines.common.film.purposes import purpose_of
from workers.engines.common.film.sound.track_choice import choose_track, tell_choice


def film(*tracks: str) -> Film:
    """Return a film with tracks written as `en commentary *`; the star is the default one."""
    sounds, streams = [], []
    for number, track in enumerate(tracks):
        language, *words = track.split()
        purpose = " ".join(word for word in words if word != "*")
        sounds.append(
            AudioTrack(
                number=number, codec="aac", language=language, channels=2, starts_ms=0, purpose=purpose
            )
        )
        streams.append(
            Stream(index=number, kind="audio", codec="aac", is_default="*" in words, is_cover=False)
        )
    facts = MediaFacts(
        duration_ms=1,
        container="matroska,webm",
        has_video=True,
        frames_per_second=24.0,
        audio_tracks=tuple(sounds),
        subtitle_languages=(),
    )
    return Film(path=Path("/films/a.mkv"), facts=facts, streams=tuple(streams))


@pytest.mark.parametrize(
    ("tracks", "wanted", "language", "right"),
    [
        (["en commentary *", "en"], None, None, 1),
        (["en description", "en"], None, None, 1),
        (["en music *", "en commentary"], None, None, 1),
        (["de *", "en"], None, "en", 1),
        (["de *", "en"], None, None, 0),
        (["de *", "en"], None, "fr", 0),
        (["de *", "en commentary", "und"], None, "en", 2),
        (["de *", "en description"], None, "en", 1),
        (["de *", "en commentary", "en"], None, "en", 2),
        (["de *", "en commentary", "en"], "en", None, 2),
        (["de *", "en commentary"], "en", None, 1),
        (["en *", "en commentary"], "1", None, 1),
        (["en", "hi original"], None, None, 1),
        (["en *", "hi original"], None, None, 0),
    ],
)
def test_the_films_own_dialogue_in_its_language_is_heard(tracks, wanted, language, right):
    assert choose_track(film(*tracks), wanted, language).number == right


def test_the_tracks_that_are_not_heard_are_named():
    two = film("de *", "en commentary")
    assert tell_choice(two, choose_track(two, None)) == (
        "audio track 0 (German, default) is heard, not 1 (English, commentary)"
    )
    assert tell_choice(film("en"), choose_track(film("en"), None)) == ""


@pytest.mark.parametrize(
    ("flags", "title", "right"),
    [
        ({"comment"}, "", "commentary"),
        ({"visual_impaired"}, "", "description"),
        ({"original", "default"}, "", "original"),
        ({"dub"}, "Stereo", "dub"),
        (set(), "Director's Commentary", "commentary"),
        (set(), "Audiokommentar des Regisseurs", "commentary"),
        (set(), "Commentaire audio", "commentary"),
        (set(), "English Audio Description", "description"),
        (set(), "English AD", "description"),
        (set(), "Audiodescription", "description"),
        (set(), "Isolated Score", "music"),
        (set(), "Surround 5.1", ""),
        (set(), "Ad-free cut", ""),
        ({"comment"}, "Original", "commentary"),
    ],
)
def test_what_a_track_is_for_is_told_by_its_flags_or_its_title(flags, title, right):
    assert purpose_of(frozenset(flags), title) == right
