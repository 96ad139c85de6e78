"""How a film is cut for demucs, as plain numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import UsageError
from protocol.stages.separate import SeparateRequest
from tests.lone_worker import NOTHING
from workers.separation.pieces import Cut, choose_cut
from workers.separation.resampling import resampled_length

TRAINED = 343_980


def cut(**options) -> Cut:
    return choose_cut(SeparateRequest(audio=NOTHING, **options), TRAINED)


def test_a_segment_is_what_the_model_was_trained_with_and_overlaps_by_a_quarter():
    assert cut() == Cut(segment=343_980, stride=257_985)


def test_a_shorter_segment_and_another_overlap_can_be_asked_for():
    assert cut(segment_ms=2_000, overlap=0.5) == Cut(segment=88_200, stride=44_100)
    assert cut(segment_ms=7_800, overlap=0) == Cut(segment=343_980, stride=343_980)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"segment_ms": 7_801}, "A segment of 7801 ms is not possible with the model htdemucs."),
        ({"segment_ms": 999}, "A segment of 999 ms"),
        ({"segment_ms": -1}, "A segment of -1 ms"),
        ({"overlap": 1.0}, "An overlap of 1.0 is not possible."),
        ({"overlap": -0.1}, "An overlap of -0.1"),
        ({"overlap": float("nan")}, "An overlap of nan"),
        ({"batch_size": -1}, "A batch of -1 segments"),
    ],
)
def test_what_no_model_can_do_is_refused_with_what_it_can(options, said):
    with pytest.raises(UsageError) as caught:
        cut(**options)
    assert caught.value.message.startswith(said)
    assert caught.value.remedy.startswith("Write ")


@given(
    length=st.integers(1, 5_000),
    segment=st.integers(2, 600),
    overlap=st.floats(0, 0.99),
)
def test_pieces_cover_the_film_in_order_and_read_no_further_than_a_segment(length, segment, overlap):
    plan = Cut(segment=segment, stride=max(1, int((1 - overlap) * segment)))
    pieces = list(plan.pieces(length))
    covered = 0
    for piece in pieces:
        assert piece.start <= covered
        covered = max(covered, piece.start + piece.length)
        # Its samples are inside the segment that is read, and the film ends no later than the segment does.
        assert 0 <= piece.skip <= segment - piece.length
        assert piece.start + piece.length <= length
    assert covered == length
    begun = [piece.reads_from for piece in pieces]
    assert begun == sorted(begun)


def test_a_piece_cut_short_by_the_films_end_is_read_with_what_comes_before_it():
    first, last = Cut(segment=100, stride=75).pieces(115)
    assert (first.start, first.length, first.reads_from) == (0, 100, 0)
    assert (last.start, last.length, last.reads_from) == (75, 40, 45)


@pytest.mark.parametrize(
    ("count", "expected"), [(0, 0), (1, 0), (2, 1), (441, 160), (44_100, 16_000), (442, 160)]
)
def test_a_length_is_rounded_to_the_nearest_sample(count, expected):
    assert resampled_length(count) == expected
