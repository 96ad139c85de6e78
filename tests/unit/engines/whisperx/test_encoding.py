"""What is kept of the encoder's work: as much as may be, of the film that comes next."""

from __future__ import annotations

import numpy as np
import pytest

from protocol.timeline import Span
from workers.engines.whisperx.encoding import Kept, LoadedWhisper

ARRAY = np.zeros(25, dtype=np.float32)


def span(number: int) -> Span:
    return Span(start_ms=number * 1_000, end_ms=number * 1_000 + 900)


def kept_of(kept: Kept, film: str) -> list[int]:
    return [number for number in range(10) if kept.get(film, span(number)) is not None]


def test_what_does_not_fit_is_not_kept_and_the_films_start_stays() -> None:
    kept = Kept(limit_bytes=3 * ARRAY.nbytes)
    for number in range(5):
        kept.put("one", span(number), ARRAY)
    assert kept_of(kept, "one") == [0, 1, 2]


def test_an_earlier_film_makes_room_for_a_later_one_the_oldest_first() -> None:
    kept = Kept(limit_bytes=3 * ARRAY.nbytes)
    for number in range(3):
        kept.put("one", span(number), ARRAY)
    kept.put("two", span(0), ARRAY)
    assert (kept_of(kept, "one"), kept_of(kept, "two")) == ([1, 2], [0])


def test_a_stretch_is_found_by_its_times_whatever_its_peak() -> None:
    kept = Kept()
    kept.put("one", Span(start_ms=0, end_ms=9, peak=0.5), ARRAY)
    assert kept.get("one", Span(start_ms=0, end_ms=9)) is ARRAY
    assert kept.get("one", Span(start_ms=0, end_ms=8)) is None
    assert kept.get("two", Span(start_ms=0, end_ms=9)) is None


@pytest.mark.parametrize(("given", "lanes"), [(1, 1), (2, 1), (3, 1), (4, 2), (6, 3), (8, 4), (16, 4)])
def test_a_call_with_fewer_cores_keeps_fewer_lanes_busy(given: int, lanes: int) -> None:
    whisper = LoadedWhisper(model=None, lanes=4, threads=2, given=lambda: given)
    assert whisper.lanes_now() == lanes


def test_one_lane_is_always_busy() -> None:
    whisper = LoadedWhisper(model=None, lanes=1, threads=8, given=lambda: 2)
    assert whisper.lanes_now() == 1
