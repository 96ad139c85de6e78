from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.timeline import Cue
from tests.word_streams import TEXTS, speech
from workers.engines.common.cues.bilingual import GAP_MS, MIN_MS, pair
from workers.engines.common.cues.cut import cut
from workers.engines.common.cues.profiles import rules_for


def cue(start: int, end: int, *lines: str) -> Cue:
    return Cue(start_ms=start, end_ms=end, lines=lines)


def shown(cues: tuple[Cue, ...]) -> list[tuple[int, int, str]]:
    return [(subtitle.start_ms, subtitle.end_ms, " ".join(subtitle.lines)) for subtitle in cues]


@st.composite
def track(draw, name: str):
    now, cues = draw(st.integers(0, 3_000)), []
    for number in range(draw(st.integers(0, 12))):
        end = now + draw(st.integers(MIN_MS, 2_500) | st.integers(MIN_MS, 7_000))
        cues.append(cue(now, end, f"{name}{number}"))
        now = end + draw(st.sampled_from([0, 83, 83, 200, 700, 3_000]))
    return cues


@st.composite
def nonsense(draw, name: str):
    times = draw(st.lists(st.tuples(st.integers(-500, 9_000), st.integers(-500, 9_000)), max_size=12))
    return [cue(start, end, f"{name}{number}") for number, (start, end) in enumerate(times)]


def texts(cues, name: str) -> list[str]:
    """The track's texts in the order in which they appear, a text that stays counted once."""
    lines = [line for subtitle in cues for line in subtitle.lines if line.startswith(name)]
    return [line for line, _ in itertools.groupby(lines)]


def check_always(first, second, cues) -> None:
    assert texts(cues, "A") == [subtitle.lines[0] for subtitle in first]
    assert texts(cues, "B") == [subtitle.lines[0] for subtitle in second]
    for subtitle in cues:
        assert subtitle.start_ms < subtitle.end_ms
        assert list(subtitle.lines) == sorted(subtitle.lines)
        assert 1 <= len(subtitle.lines) <= 2
    for one, two in itertools.pairwise(cues):
        assert one.end_ms <= two.start_ms
        if set(one.lines) & set(two.lines):
            assert one.end_ms == two.start_ms


@settings(deadline=None, max_examples=300)
@given(nonsense("A"), nonsense("B"))
def test_no_text_is_lost_or_moved_and_nothing_overlaps_whatever_the_tracks(first, second):
    check_always(first, second, pair(first, second))


@settings(deadline=None, max_examples=300)
@given(track("A"), track("B"))
def test_a_cue_that_flickers_could_not_be_helped(first, second):
    cues = pair(first, second)
    check_always(first, second, cues)
    for place, subtitle in enumerate(cues):
        if subtitle.end_ms - subtitle.start_ms >= MIN_MS:
            continue
        others = {line for other in cues for line in other.lines if other is not subtitle}
        assert set(subtitle.lines) - others, "a text of it is in no other cue"
        before, after = cues[max(0, place - 1) : place], cues[place + 1 : place + 2]
        for other in before:
            assert other.end_ms < subtitle.start_ms or other.end_ms - other.start_ms <= MIN_MS + GAP_MS
        for other in after:
            assert other.start_ms - subtitle.end_ms <= GAP_MS
            assert other.start_ms > subtitle.end_ms or other.end_ms - other.start_ms <= MIN_MS + GAP_MS
        assert after, "the last one has all the time it wants"


@pytest.mark.parametrize("profile", ["netflix", "bbc", "relaxed"])
def test_two_tracks_of_a_profile_last_as_long_as_it_asks(profile):
    tracks = []
    for place, language in enumerate(("en", "hi")):
        rules = rules_for(profile, language, max_lines=1)
        tracks.append(cut(speech([TEXTS[language]] * 40, language, seed=place), rules))
    both = pair(*tracks, least_ms=rules.min_cue_ms, gap_ms=rules.min_gap_ms)
    assert len(both) > 100
    assert min(subtitle.end_ms - subtitle.start_ms for subtitle in both) >= rules.min_cue_ms


def test_where_both_texts_change_the_gap_is_the_one_that_is_asked_for():
    tracks = [[cue(0, 2_000, f"{name}1"), cue(2_000, 4_000, f"{name}2")] for name in "AB"]
    for gap in (0, 24, 67):
        assert [subtitle.end_ms for subtitle in pair(*tracks, gap_ms=gap)] == [2_000 - gap, 4_000]


@settings(deadline=None, max_examples=200)
@given(track("A"), track("B"))
def test_a_text_is_on_the_screen_for_its_own_time_but_for_a_moment(first, second):
    cues = pair(first, second)
    for subtitle in (*first, *second):
        times = [(one.start_ms, one.end_ms) for one in cues if subtitle.lines[0] in one.lines]
        assert times[0][0] < subtitle.end_ms
        assert times[-1][1] > subtitle.start_ms
        assert abs(times[0][0] - subtitle.start_ms) <= 2 * MIN_MS
        assert abs(times[-1][1] - subtitle.end_ms) <= 2 * MIN_MS


def test_cues_with_the_same_times_are_one_with_the_first_text_above():
    made = pair([cue(1_000, 3_000, "Hello", "there")], [cue(1_000, 3_000, "नमस्ते")])
    assert made == (cue(1_000, 3_000, "Hello", "there", "नमस्ते"),)


def test_a_text_stays_while_the_other_changes_and_does_not_blink():
    made = pair([cue(0, 4_000, "A")], [cue(0, 1_900, "B1"), cue(1_983, 4_000, "B2")])
    assert shown(made) == [(0, 1_983, "A B1"), (1_983, 4_000, "A B2")]


def test_nearly_the_same_times_make_no_flicker_and_keep_a_gap():
    made = pair(
        [cue(0, 2_000, "A1"), cue(2_083, 4_000, "A2")], [cue(0, 2_300, "B1"), cue(2_383, 4_000, "B2")]
    )
    assert shown(made) == [(0, 2_000, "A1 B1"), (2_083, 4_000, "A2 B2")]


def test_a_text_without_another_is_shown_alone():
    made = pair([cue(0, 2_000, "A")], [cue(5_000, 7_000, "B")])
    assert shown(made) == [(0, 2_000, "A"), (5_000, 7_000, "B")]


def test_a_short_cue_is_made_longer_where_there_is_room():
    assert shown(pair([cue(0, 200, "A")], [])) == [(0, MIN_MS, "A")]
    assert shown(pair([cue(0, 200, "A"), cue(600, 2_000, "B")], [])) == [(0, 517, "A"), (600, 2_000, "B")]
    assert shown(pair([cue(0, 200, "A")], [], media_duration_ms=500)) == [(0, 500, "A")]
    assert shown(pair([cue(0, 3_000, "A"), cue(3_000, 3_200, "B")], [], media_duration_ms=3_200)) == [
        (0, 2_284, "A"),
        (2_367, 3_200, "B"),
    ]


def test_no_cues_are_no_cues():
    assert pair([], []) == ()


def test_each_line_of_two_languages_keeps_its_speaker():
    first = (Cue(start_ms=1_000, end_ms=3_000, lines=("a",), speakers=("1",)),)
    second = (Cue(start_ms=1_000, end_ms=3_000, lines=("b", "c"), speakers=("1", "2")),)
    assert [cue.speakers for cue in pair(first, second)] == [("1", "1", "2")]
    assert [cue.speakers for cue in pair(first, (Cue(start_ms=1_000, end_ms=3_000, lines=("b",)),))] == [
        ("1", "")
    ]
