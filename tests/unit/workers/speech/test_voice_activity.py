"""Scores become stretches of speech: thresholds, pauses, lengths, padding, cuts, peaks."""

from __future__ import annotations

import pytest

from protocol.timeline import Span
from workers.speech.voice_activity import Scores, SpeechRule, speech_in

RULE = SpeechRule(onset=0.5, offset=0.3)


def scores(*values: float, duration_ms: int = 100_000) -> Scores:
    """Return scores of frames 100 ms apart, the first at 50 ms."""
    return Scores(values=values, first_ms=50.0, step_ms=100.0, duration_ms=duration_ms)


def times(spans: tuple[Span, ...]) -> list[tuple[int, int]]:
    return [(span.start_ms, span.end_ms) for span in spans]


def test_speech_starts_over_the_onset_and_lasts_until_it_is_under_the_offset() -> None:
    found = speech_in(scores(0.4, 0.6, 0.4, 0.31, 0.2, 0.4, 0.5, 0.51, 0.1), RULE)
    assert times(found) == [(150, 450), (750, 850)]
    assert [span.peak for span in found] == [0.6, 0.51]


def test_sound_that_begins_and_ends_with_speech_has_it_from_its_first_frame_to_its_last() -> None:
    assert times(speech_in(scores(0.9, 0.9, 0.9), RULE)) == [(50, 250)]
    assert times(speech_in(scores(0.9, 0.9, 0.9, duration_ms=200), RULE)) == [(50, 200)]


@pytest.mark.parametrize("values", [(), (0.9,), (0.1, 0.2), (0.0,) * 50])
def test_where_there_is_nothing_to_hear_there_is_no_speech(values: tuple[float, ...]) -> None:
    assert speech_in(scores(*values), SpeechRule(onset=0.5, offset=0.3, pad_ms=300)) == ()


def test_short_pauses_are_joined_before_short_speech_is_dropped() -> None:
    values = (0.9, 0.1, 0.95, 0.1, 0.0, 0.0, 0.9, 0.1)
    assert times(speech_in(scores(*values), RULE)) == [(50, 150), (250, 350), (650, 750)]
    joined = SpeechRule(onset=0.5, offset=0.3, min_silence_ms=200, min_speech_ms=200)
    found = speech_in(scores(*values), joined)
    assert times(found) == [(50, 350)]
    assert found[0].peak == 0.95


def test_a_pause_as_long_as_the_shortest_is_a_pause() -> None:
    rule = SpeechRule(onset=0.5, offset=0.3, min_silence_ms=100)
    assert times(speech_in(scores(0.9, 0.1, 0.9, 0.1), rule)) == [(50, 150), (250, 350)]


def test_padding_stays_inside_the_sound_and_joins_what_then_touches() -> None:
    rule = SpeechRule(onset=0.5, offset=0.3, pad_ms=60)
    found = speech_in(scores(0.9, 0.1, 0.8, 0.1, 0.0, 0.0, 0.7, 0.1, duration_ms=780), rule)
    assert times(found) == [(0, 410), (590, 780)]
    assert [span.peak for span in found] == [0.9, 0.7]


def test_long_speech_is_cut_at_the_lowest_score_of_its_later_half() -> None:
    values = [0.9] * 30
    values[2], values[7], values[15] = 0.35, 0.4, 0.6
    rule = SpeechRule(onset=0.5, offset=0.3, max_speech_ms=1_000)
    found = speech_in(scores(*values), rule)
    assert times(found)[:2] == [(50, 750), (750, 1550)]
    assert all(span.end_ms - span.start_ms <= 1_000 for span in found)
    assert [one.end_ms for one in found[:-1]] == [two.start_ms for two in found[1:]]
    assert (found[0].start_ms, found[-1].end_ms) == (50, 2950)


def test_padded_speech_is_not_longer_than_the_longest() -> None:
    found = speech_in(scores(*[0.9] * 40), SpeechRule(onset=0.5, offset=0.3, pad_ms=300, max_speech_ms=1_000))
    assert all(span.end_ms - span.start_ms <= 1_000 for span in found)
    assert (found[0].start_ms, found[-1].end_ms) == (0, 4_250)


def test_without_a_limit_nothing_is_cut() -> None:
    assert times(speech_in(scores(*[0.9] * 4_000, duration_ms=400_000), RULE)) == [(50, 399_950)]


def test_a_limit_shorter_than_a_frame_ends() -> None:
    found = speech_in(scores(*[0.9] * 10), SpeechRule(onset=0.5, offset=0.3, max_speech_ms=1))
    assert (found[0].start_ms, found[-1].end_ms) == (50, 950)


def test_a_score_that_is_exactly_the_onset_is_no_speech() -> None:
    assert speech_in(scores(0.5, 0.5, 0.5), RULE) == ()
