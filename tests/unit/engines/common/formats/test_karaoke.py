from __future__ import annotations

import itertools
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.timeline import Cue, Word
from workers.engines.common.cues.cut import CueRules, cut
from workers.engines.common.formats.karaoke import syllables
from workers.engines.common.formats.lines import is_blank


def said(text: str, start: int = 1_000) -> list[Word]:
    return [
        Word(text=part, start_ms=start + 300 * place, end_ms=start + 300 * place + 250)
        for place, part in enumerate(text.split())
    ]


def found(cue: Cue, words: list[Word]) -> list[tuple[int, int, int]]:
    return [(syllable.line, syllable.at, syllable.start_ms) for syllable in syllables([cue], words)[0]]


def test_each_word_is_found_in_its_line():
    cue = Cue(start_ms=900, end_ms=3_000, lines=("one two", "three"))
    assert found(cue, said("one two three")) == [(0, 0, 1_000), (0, 4, 1_300), (1, 0, 1_600)]


def test_times_stay_in_the_cue_and_rise_whatever_the_words_are():
    words = [Word(text="a", start_ms=-500, end_ms=0), Word(text="b", start_ms=90_000, end_ms=90_001)]
    words.append(Word(text="c", start_ms=50, end_ms=60))
    cue = Cue(start_ms=100, end_ms=1_000, lines=("a b c",))
    assert found(cue, words) == [(0, 0, 100), (0, 2, 1_000), (0, 4, 1_000)]


def test_a_cue_after_a_removed_one_is_found_by_its_time_too():
    words = [*said("no no no"), *said("what no really", start=20_000)]
    cues = [
        Cue(start_ms=1_000, end_ms=1_280, lines=("no",)),
        Cue(start_ms=20_250, end_ms=22_000, lines=("no really",)),
    ]
    assert [[syllable.start_ms for syllable in cue] for cue in syllables(cues, words)] == [
        [1_000],
        [20_300, 20_600],
    ]


def test_a_foreign_cue_has_none_and_those_after_it_have_theirs():
    cues = [
        Cue(start_ms=0, end_ms=900, lines=("Guten Tag",)),
        Cue(start_ms=1_000, end_ms=2_000, lines=("one two",)),
    ]
    first, second = syllables(cues, said("one two"))
    assert first == ()
    assert len(second) == 2


def test_a_sign_is_not_parted_from_its_letter():
    words = [Word(text="か", start_ms=0, end_ms=100), Word(text="\u3099な", start_ms=100, end_ms=300)]
    assert [
        syllable.at for syllable in syllables([Cue(start_ms=0, end_ms=900, lines=("か\u3099な",))], words)[0]
    ] == [0, 2]


def test_a_word_in_two_cues_begins_the_second_with_it():
    word = Word(text="Donaudampfschiff", start_ms=1_000, end_ms=5_000)
    cues = [
        Cue(start_ms=1_000, end_ms=2_000, lines=("Donaudampf",)),
        Cue(start_ms=2_100, end_ms=5_000, lines=("schiff",)),
    ]
    assert [[syllable.start_ms for syllable in cue] for cue in syllables(cues, [word])] == [[1_000], [2_100]]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.text(max_size=12), st.integers(0, 60_000)), max_size=30))
def test_of_cues_cut_from_words_every_word_is_found_in_order(pairs):
    words = [Word(text=text, start_ms=start, end_ms=start + 200) for text, start in pairs]
    cues = cut(words, CueRules())
    for cue, syllable in zip(cues, syllables(cues, words), strict=True):
        kinds = {
            unicodedata.category(letter) for line in cue.lines for letter in line if not is_blank(letter)
        }
        assert bool(syllable) == bool(kinds - {"Mn", "Mc", "Me", "Cf"})
        for one, two in itertools.pairwise(syllable):
            assert (one.line, one.at) < (two.line, two.at)
            assert cue.start_ms <= one.start_ms <= two.start_ms <= cue.end_ms
