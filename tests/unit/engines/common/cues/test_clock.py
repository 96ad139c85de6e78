from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from workers.engines.common.cues.clock import in_order, longest_rise
from workers.engines.common.cues.phrases import Token


def token(start: int, end: int, graphemes: int = 1) -> Token:
    return Token(text="x" * graphemes, start_ms=start, end_ms=end, graphemes=graphemes, glued=False)


def test_times_in_order_stay_as_they_are():
    tokens = [token(0, 100), token(100, 250), token(900, 1_000)]
    assert in_order(tokens, longest_ms=7_000, film_ms=0) == tokens


def test_a_longest_rise_leaves_out_the_fewest():
    assert longest_rise([1, 50, 2, 3, 3, 1]) == [True, False, True, True, True, False]
    assert longest_rise([]) == []


def test_tokens_of_one_time_share_it_by_their_length():
    shared = in_order([token(0, 300, 1), token(0, 300, 2)], longest_ms=7_000, film_ms=0)
    assert [(timed_token.start_ms, timed_token.end_ms) for timed_token in shared] == [(0, 100), (100, 300)]


@given(
    st.lists(st.tuples(st.integers(-100, 5_000), st.integers(-100, 5_000))), st.sampled_from([0, 1, 3_000])
)
def test_times_come_out_in_order_whatever_goes_in(pairs, film):
    timed = in_order([token(*pair) for pair in pairs], longest_ms=1_000, film_ms=film)
    assert len(timed) == len(pairs)
    for timed_token in timed:
        assert 0 <= timed_token.start_ms <= timed_token.end_ms
        assert not film or timed_token.end_ms <= film
    for one, two in itertools.pairwise(timed):
        assert one.end_ms <= two.start_ms
