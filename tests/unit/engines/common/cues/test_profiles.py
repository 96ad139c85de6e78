"""Sets of numbers by name, and what a person overrides of them."""

from __future__ import annotations

import itertools

import pytest

from protocol.errors import UsageError
from protocol.timeline import Word
from workers.engines.common.cues.cut import cut
from workers.engines.common.cues.phrases import count_graphemes
from workers.engines.common.cues.profiles import PROFILES, rules_for


def spoken(text: str, word_ms: int = 280) -> tuple[Word, ...]:
    return tuple(
        Word(text=part, start_ms=place * word_ms, end_ms=place * word_ms + word_ms - 20)
        for place, part in enumerate(text.split())
    )


LONG = (
    "The house was empty when they came back from the river, and nobody could say where the children had "
    "gone. We looked for them until it was dark. Then somebody saw a light on the other side of the hill."
)


@pytest.mark.parametrize(
    ("language", "speed", "line"),
    [("en", 20, 42), ("hi", 22, 42), ("de", 17, 42), ("ja", 4, 16), ("zh", 9, 16), ("ko", 12, 16)],
)
def test_the_default_reads_each_language_at_its_own_speed(language: str, speed: float, line: int) -> None:
    rules = rules_for("netflix", language)
    assert (rules.max_graphemes_per_second, rules.max_line_graphemes) == (speed, line)


@pytest.mark.parametrize(("rate", "gap"), [(None, 83), (24.0, 83), (23.976, 83), (25.0, 80), (50.0, 40)])
def test_gaps_are_two_frames_of_the_films_own_rate(rate: float | None, gap: int) -> None:
    assert rules_for("netflix", "en", frames_per_second=rate).min_gap_ms == gap


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_cues_keep_the_numbers_of_every_profile(profile: str) -> None:
    rules = rules_for(profile, "en", media_duration_ms=60_000)
    cues = cut(spoken(LONG), rules)
    assert all(len(cue.lines) <= rules.max_lines for cue in cues)
    assert max(count_graphemes(line) for cue in cues for line in cue.lines) <= rules.max_line_graphemes
    assert all(rules.min_cue_ms <= cue.end_ms - cue.start_ms <= rules.max_cue_ms for cue in cues)
    assert all(b.start_ms - a.end_ms >= rules.min_gap_ms for a, b in itertools.pairwise(cues))
    assert " ".join(" ".join(cue.lines) for cue in cues) == LONG


def test_the_profiles_cut_the_same_words_differently() -> None:
    made = {name: cut(spoken(LONG), rules_for(name, "en")) for name in PROFILES}
    assert made.pop("sdh") == made["netflix"], "it differs where speakers have names"
    assert len(set(made.values())) == len(PROFILES) - 1


def test_bbc_shows_a_word_for_three_tenths_of_a_second_where_there_is_room() -> None:
    rules = rules_for("bbc", "en", media_duration_ms=60_000)
    (cue,) = cut(spoken("I do not go to it", word_ms=120), rules)
    assert cue.end_ms == 700 + 500, "six words want 1.8 s; half a second after the speech is all there is"
    (longer,) = cut(spoken("I do not go to it", word_ms=280), rules)
    assert longer.end_ms == 6 * 300


def test_what_a_person_sets_wins() -> None:
    rules = rules_for("bbc", "hi", max_line_graphemes=20, min_gap_ms=None)
    assert (rules.max_line_graphemes, rules.min_gap_ms) == (20, 0)


@pytest.mark.parametrize(
    ("profile", "fields", "sentence"),
    [
        ("cinema", {}, "no profile 'cinema'"),
        ("bbc", {"max_lines": 0}, "subtitle.max_lines is 0"),
        ("bbc", {"max_lines": 10**9}, r"subtitle.max_lines is 1e\+09, but must be 10 or less"),
        ("bbc", {"max_line_graphemes": 10**24}, r"max_line_graphemes is 1e\+24, but must be 1000 or less"),
        ("bbc", {"min_gap_ms": -1}, "subtitle.min_gap_ms is -1"),
        ("social", {"min_cue_ms": 9_000}, "9000 ms at least and 3000 at most"),
    ],
)
def test_what_cannot_be_is_refused(profile: str, fields: dict[str, int], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        rules_for(profile, "en", **fields)


@pytest.mark.parametrize(
    ("language", "speed"),
    [("hi", 22.0), ("hi-Latn", 20.0), ("ur", 17.0), ("ur-Deva", 22.0), ("hi-Arab", 17.0), ("sr-Latn", 17.0)],
)
def test_the_script_decides_how_fast_a_language_of_india_is_read(language: str, speed: float) -> None:
    assert rules_for("netflix", language).max_graphemes_per_second == speed
