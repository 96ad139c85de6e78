"""Speech that another listener heard is made to fit what the recogniser hears at once."""

from __future__ import annotations

import array
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.timeline import Span
from workers.speech.fitting import fit
from workers.speech.sound import Sound

LIMIT_MS = 29_000


@pytest.fixture
def sound(tmp_path: Path) -> Iterator[Sound]:
    """Return 60 s of loud sound with two short pauses, the quieter at 40 s."""
    samples = array.array("h", [9_000, -9_000] * 480_000)
    samples[20 * 16_000 : 20 * 16_000 + 1_600] = array.array("h", [90] * 1_600)
    samples[40 * 16_000 : 40 * 16_000 + 1_600] = array.array("h", [9] * 1_600)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(samples.tobytes())
    with Sound(tmp_path / "a.wav") as opened:
        yield opened


def spans(*pairs: tuple[int, int], peak: float = 1.0) -> tuple[Span, ...]:
    return tuple(Span(start_ms=start, end_ms=end, peak=peak) for start, end in pairs)


def test_what_fits_stays_as_it_is_with_its_peak(sound: Sound) -> None:
    found = fit(spans((0, 1_000), (2_000, 31_000), peak=0.7), sound, LIMIT_MS)
    assert found == spans((0, 1_000), (2_000, 31_000))
    assert [piece.peak for piece in found] == [0.7, 0.7]


def test_what_is_too_long_is_cut_where_it_is_quietest(sound: Sound) -> None:
    first, second, third = fit(spans((2_000, 60_000), peak=0.8), sound, LIMIT_MS)
    assert (first.start_ms, third.end_ms) == (2_000, 60_000)
    assert 20_000 <= first.end_ms == second.start_ms <= 20_100
    assert 40_000 <= second.end_ms == third.start_ms <= 40_100
    assert {piece.peak for piece in (first, second, third)} == {0.8}


def test_no_piece_is_over_the_limit_even_where_there_is_no_pause(sound: Sound) -> None:
    found = fit(spans((0, 19_000)), sound, 500)
    assert all(0 < piece.end_ms - piece.start_ms <= 500 for piece in found)
    assert (found[0].start_ms, found[-1].end_ms) == (0, 19_000)


def test_speech_is_put_in_order_and_nothing_is_heard_behind_the_end(sound: Sound) -> None:
    found = fit(spans((59_000, 61_000), (5_000, 6_000), (70_000, 71_000)), sound, LIMIT_MS)
    assert found == spans((5_000, 6_000), (59_000, 60_000))
