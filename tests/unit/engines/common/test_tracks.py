"""What a translation's track has of its own."""

from __future__ import annotations

import json

from protocol.timeline import Segment, Transcript, Word
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.tracks import Track, cut_track

TEXT = "will help the government to reduce the number of people on our behalf."


def track(*, linger_ms: float | None = None, translated_from: str = "hi") -> Track:
    """Return a sentence of 70 characters, said in 0.9 s, with a pause of five seconds behind it."""
    words = [
        Word(text=word, start_ms=1_000 + place * 60, end_ms=1_060 + place * 60)
        for place, word in enumerate(TEXT.split())
    ]
    later = Word(text="Later.", start_ms=7_000, end_ms=7_500)
    segments = (
        Segment(start_ms=1_000, end_ms=words[-1].end_ms, text=TEXT, words=tuple(words)),
        Segment(start_ms=7_000, end_ms=7_500, text="Later.", words=(later,), engine="b"),
    )
    transcript = Transcript(language="en", segments=segments, translated_from=translated_from, engine="a")
    rules = rules_for("netflix", "en", media_duration_ms=60_000, linger_ms=linger_ms)
    return cut_track(transcript, rules, profile="netflix")


def test_a_cue_of_a_translation_stays_in_free_time_until_it_is_read() -> None:
    found = track()
    first = found.cues[0]
    assert first.end_ms - first.start_ms == len(TEXT) * 1_000 // 20
    assert found.violations() == ()


def test_a_cue_of_what_is_said_goes_soon_after_it_and_so_does_one_that_a_person_limits() -> None:
    for found in (track(translated_from=""), track(linger_ms=400)):
        assert [violation.rule for violation in found.violations()] == ["reading_speed"]
        assert found.cues[0].end_ms < 2_500


def test_json_says_of_each_line_what_made_it() -> None:
    document = json.loads(track().write("json"))
    assert [segment["engine"] for segment in document["segments"]] == ["a", "b"]
