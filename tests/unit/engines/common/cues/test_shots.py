from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.subtitles.rules import INFORMING
from protocol.timeline import Cue, Word
from tests.growth import growth
from tests.ten_scripts import TEN_SCRIPTS
from workers.engines.common.cues.checking.quality import check, is_ok
from workers.engines.common.cues.checking.reasons import speech_of_cues
from workers.engines.common.cues.cut import CueRules, cut
from workers.engines.common.cues.profiles import PROFILES, rules_for
from workers.engines.common.cues.shots import HALF_MS, RED_MS, respect_shots

FRAME_MS = 1_000 / 24
GAP_MS = 83
RULES = CueRules(media_duration_ms=60_000)
TEXT = "This is a sentence that is said."


def at(frames: float) -> int:
    return round(frames * FRAME_MS)


def said(*times: tuple[int, int]) -> list[Word]:
    """One sentence of seven words from each start to each end."""
    words = []
    for start, end in times:
        texts = TEXT.split()
        step = (end - start) / len(texts)
        words += [
            Word(text=text, start_ms=round(start + step * place), end_ms=round(start + step * (place + 1)))
            for place, text in enumerate(texts)
        ]
    return words


def moved(words: list[Word], *shots: int, rules: CueRules = RULES) -> list[tuple[int, int]]:
    """How far each cue's in- and out-time moved."""
    before = cut(words, rules)
    after = respect_shots(before, words, shots, rules)
    assert [cue.lines for cue in after] == [cue.lines for cue in before]
    return [
        (new.start_ms - old.start_ms, new.end_ms - old.end_ms) for old, new in zip(before, after, strict=True)
    ]


def test_without_shot_changes_nothing_moves():
    words = said((5_000, 8_000), (8_100, 11_000))
    cues = cut(words, RULES)
    assert respect_shots(cues, words, (), RULES) == cues
    assert respect_shots((), (), (1_000,), RULES) == ()


def test_a_shot_change_far_from_every_time_moves_nothing():
    words = said((5_000, 8_000))
    assert moved(words, 0, 4_500, 6_000, 8_500, 20_000) == [(0, 0)]


@pytest.mark.parametrize(
    ("frames", "to"),
    [(1, 1), (7, 7), (8, 8 - 12), (11, 11 - 12), (12, 0), (-1, -1), (-7, -7), (-11, -11), (-12, 0)],
)
def test_an_in_time_near_a_shot_change_goes_to_it_or_half_a_second_before_it(frames, to):
    ((start, end),) = moved(said((5_000, 8_000)), 5_000 + at(frames))
    assert start == pytest.approx(at(to), abs=1)
    assert end == 0


@pytest.mark.parametrize("frames", [1, 3, 7, 11, -1, -3, -7])
def test_an_out_time_near_a_shot_change_goes_to_two_frames_before_it(frames):
    shot = 8_000 + at(frames)
    assert moved(said((5_000, 8_000)), shot) == [(0, shot - GAP_MS - 8_000)]


@pytest.mark.parametrize("frames", [-8, -11])
def test_a_cue_stays_half_a_second_after_a_shot_change_that_its_speech_outlasts(frames):
    shot = 8_000 + at(frames)
    assert moved(said((5_000, 8_000)), shot) == [(0, shot + HALF_MS - 8_000)]


def test_two_cues_that_touch_part_at_the_shot_change():
    words = said((5_000, 7_900), (8_000, 11_000))
    for shot in (7_900, 8_000, 8_050, 8_200):
        (_, end), (start, _) = moved(words, shot)
        assert 8_000 + start == shot
        assert 8_000 - GAP_MS + end == shot - GAP_MS


def test_a_cue_pulled_away_from_a_shot_change_takes_the_one_before_along():
    words = said((5_000, 7_900), (8_000, 11_000))
    shot = 8_000 + at(9)
    (_, end), (start, _) = moved(words, shot)
    assert 8_000 + start == shot - HALF_MS
    assert end == start


def test_a_cue_is_not_made_too_short_or_too_fast_for_a_shot_change():
    short = said((5_000, 5_600))
    (cue,) = cut(short, RULES)
    kept = respect_shots([cue], short, (cue.start_ms + 250,), RULES)
    assert kept[0].end_ms - kept[0].start_ms >= RULES.min_cue_ms
    assert len(check(kept, RULES, short)) == len(check([cue], RULES, short))


def test_a_cue_whose_speech_goes_over_a_shot_change_is_left_across_it():
    assert moved(said((5_000, 8_000)), 6_500) == [(0, 0)]


def test_nothing_stays_past_the_films_end_for_a_shot_change_there():
    rules = CueRules(media_duration_ms=8_100)
    cues = respect_shots(cut(said((5_000, 8_000)), rules), said((5_000, 8_000)), (8_400,), rules)
    assert cues[-1].end_ms <= 8_100


def test_where_no_gap_is_asked_for_a_cue_ends_with_the_shot():
    rules = rules_for("bbc", "en", frames_per_second=25, media_duration_ms=60_000)
    assert moved(said((5_000, 8_000)), 8_120, rules=rules) == [(0, 120)]


def test_cues_that_other_words_were_cut_into_keep_their_speech_by_time():
    cues = [Cue(start_ms=5_000, end_ms=8_000, lines=("Something else",))]
    assert respect_shots(cues, said((5_000, 8_000)), (8_200,), RULES)[0].end_ms == 8_200 - GAP_MS
    assert respect_shots(cues, (), (8_200,), RULES)[0].end_ms == 8_200 - GAP_MS


@st.composite
def films(draw):
    language = draw(st.sampled_from(sorted(TEN_SCRIPTS)))
    lines = " ".join(TEN_SCRIPTS[language])
    vocabulary = list(lines.replace(" ", "")) if language == "ja" else lines.split()
    now, words = draw(st.integers(0, 3_000)), []
    for _ in range(draw(st.integers(1, 50))):
        text = draw(st.sampled_from(vocabulary))
        length = draw(st.sampled_from([20, 60, 90, 150])) * len(text)
        words.append(Word(text=text, start_ms=now, end_ms=now + length))
        now += length + draw(st.sampled_from([0, 0, 0, 40, 100, 300, 700, 1_500, 4_000]))
    rules = rules_for(
        draw(st.sampled_from(sorted(PROFILES))),
        language,
        frames_per_second=draw(st.sampled_from([None, 23.976, 25.0, 60.0])),
        media_duration_ms=draw(st.sampled_from([0, now, now + 300, now + 5_000])),
    )
    cues = cut(words, rules)
    edges = [time for cue in cues for time in (cue.start_ms, cue.end_ms)]
    near = st.builds(lambda edge, away: max(0, edge + away), st.sampled_from(edges), st.integers(-600, 600))
    shots = draw(st.lists(near | st.integers(0, now + 2_000), max_size=40))
    return cues, words, shots, rules


def hard(cues, rules, words) -> set[tuple[str, int]]:
    return {
        (violation.rule, violation.cue)
        for violation in check(cues, rules, words)
        if violation.rule not in INFORMING
    }


@settings(deadline=None, max_examples=400)
@given(films())
def test_no_rule_that_was_kept_is_broken_for_a_shot_change(film):
    cues, words, shots, rules = film
    after = respect_shots(cues, words, shots, rules)
    assert [cue.lines for cue in after] == [cue.lines for cue in cues]
    assert hard(after, rules, words) <= hard(cues, rules, words)
    assert is_ok(check(after, rules, words)) or not is_ok(check(cues, rules, words))
    opened = {violation.cue for violation in check(after, rules) if violation.rule == "open_gap"}
    assert opened <= {violation.cue for violation in check(cues, rules) if violation.rule == "open_gap"}
    for one, two in itertools.pairwise(after):
        assert one.end_ms <= two.start_ms
    for old, new, speech in zip(cues, after, speech_of_cues(cues, rules, words), strict=True):
        assert speech is not None
        assert new.start_ms <= max(old.start_ms, speech.start_ms + RED_MS)
        assert new.start_ms >= old.start_ms - HALF_MS
        assert new.end_ms >= min(old.end_ms, speech.end_ms - RED_MS - rules.min_gap_ms)
        assert new.end_ms <= old.end_ms + HALF_MS


def unclear(cues, shots, rules) -> int:
    """How many times are less than half a second from a shot change, and not where it wants them."""
    times = [(cue.start_ms, 0) for cue in cues] + [(cue.end_ms, rules.min_gap_ms) for cue in cues]
    return sum(
        any(abs(time - shot) < HALF_MS for shot in shots) and time + lead not in shots for time, lead in times
    )


@settings(deadline=None, max_examples=200)
@given(films())
def test_the_times_near_shot_changes_get_fewer_and_never_more(film):
    cues, words, shots, rules = film
    assert unclear(respect_shots(cues, words, shots, rules), shots, rules) <= unclear(cues, shots, rules)


def test_the_time_for_shot_changes_grows_with_the_length_of_the_film_alone(figure):
    words = said(*((place * 4_000, place * 4_000 + 3_600) for place in range(2_700)))
    rules = CueRules(media_duration_ms=10_800_000)
    cues = cut(words, rules)
    shots = range(0, 10_800_000, 3_600)
    after = respect_shots(cues, words, shots, rules)
    assert unclear(after, set(shots), rules) < unclear(cues, set(shots), rules)
    parts = {count: (cues[:count], words[:count], shots[: count + count // 9]) for count in (270, 2_700)}
    times = growth(lambda count: respect_shots(*parts[count], rules), 270, 2_700)
    figure(f"shot changes: a film 10 times as long takes {times:.1f} times as long (limit 25)")
    assert times < 25
