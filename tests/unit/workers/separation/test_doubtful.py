"""Which seconds of a film are in doubt, by how loud voices and the rest are."""

from __future__ import annotations

from protocol.timeline import Span
from workers.separation.doubtful import FRAMES_A_SECOND, clear_seconds, doubtful_seconds, stretches

SPEECH, PAUSE = [0.01] * 7, [0.01 * 0.001] * 3
"""A second of speech: seven frames, and three that are 30 dB quieter."""
NOT_CLEAR = [False] * 60


def frames(seconds: int, level: float) -> list[float]:
    return [level] * (seconds * FRAMES_A_SECOND)


def test_speech_with_quiet_pauses_is_clear_and_with_loud_ones_is_not() -> None:
    quiet = (SPEECH + PAUSE) * 20
    over_noise = [level + 0.001 for level in quiet]
    assert clear_seconds(quiet) == [True] * 20
    assert clear_seconds(over_noise) == [False] * 20
    assert clear_seconds(frames(20, 0.0)) == [True] * 20
    assert clear_seconds([]) == []


def test_noise_that_begins_ends_what_is_clear_before_it_is_heard() -> None:
    clear = clear_seconds((SPEECH + PAUSE) * 30 + frames(30, 0.01))
    assert clear[:20] == [True] * 20
    assert not any(clear[34:])
    assert clear == sorted(clear, reverse=True)


def test_voices_that_are_no_louder_than_the_rest_are_in_doubt() -> None:
    voices = frames(60, 0.01)
    assert doubtful_seconds(voices, frames(60, 0.02), NOT_CLEAR) == [True] * 60
    assert doubtful_seconds(voices, frames(60, 0.001), NOT_CLEAR) == [False] * 60


def test_where_nothing_sounds_like_a_voice_the_films_own_sound_stays() -> None:
    assert doubtful_seconds(frames(60, 0.001), frames(60, 0.01), NOT_CLEAR) == [False] * 60


def test_pauses_do_not_count_as_a_quiet_voice() -> None:
    voices = (SPEECH + PAUSE) * 60
    rest = ([0.004] * 7 + [0.5] * 3) * 60
    assert doubtful_seconds(voices, rest, NOT_CLEAR) == [False] * 60


def test_a_stretch_that_has_begun_goes_on_until_the_voices_are_clearly_louder() -> None:
    """2 dB begin no stretch, and end none."""
    voices = frames(60, 0.01)
    between = frames(20, 0.0063)
    late = doubtful_seconds(voices, frames(20, 0.0001) + between + frames(20, 0.02), NOT_CLEAR)
    early = doubtful_seconds(voices, frames(20, 0.02) + between + frames(20, 0.0001), NOT_CLEAR)
    assert not late[30]
    assert late[45]
    assert early[30]
    assert not early[45]


def test_a_pause_of_the_voices_goes_on_as_what_was_before_it() -> None:
    voices = frames(20, 0.01) + frames(20, 0.0001) + frames(20, 0.01)
    drowned = frames(60, 0.02)
    assert doubtful_seconds(voices, drowned, NOT_CLEAR) == [True] * 60
    heard = frames(20, 0.001) + frames(20, 0.02) + frames(20, 0.001)
    assert doubtful_seconds(voices, heard, NOT_CLEAR) == [False] * 60


def test_what_is_clear_or_short_stays_as_it_is() -> None:
    voices, rest = frames(60, 0.01), frames(60, 0.02)
    clear = [not 10 <= second < 13 and not 30 <= second < 40 for second in range(60)]
    found = doubtful_seconds(voices, rest, clear)
    assert stretches(found, 60_000) == (Span(start_ms=30_000, end_ms=40_000),)


def test_stretches_end_where_the_sound_does() -> None:
    seconds = [True, True, False, True]
    assert stretches(seconds, 3_400) == (
        Span(start_ms=0, end_ms=2_000),
        Span(start_ms=3_000, end_ms=3_400),
    )
    assert stretches([], 0) == ()
