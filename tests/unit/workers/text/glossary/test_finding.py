"""Terms in a text."""

from __future__ import annotations

import time

import pytest

from protocol.jobs.glossary import Term
from workers.text.glossary.finding import TermFinder, composed


def found(text: str, *sources: str, language: str = "en") -> list[str]:
    finder = TermFinder([Term(source=source) for source in sources], language)
    return [text[one.start : one.end] for one in finder.find(composed(text))]


def test_terms_are_whole_words():
    assert found("Ram went to Ramgarh, not to Ramgarhia.", "Ram", "Ramgarh") == ["Ram", "Ramgarh"]


def test_the_longest_counts_and_a_shorter_one_where_that_is_no_word():
    names = ("New", "New York", "York")
    assert found("New York, New Yorker, York", *names) == ["New York", "New", "York"]


def test_a_name_keeps_its_capital():
    assert found("Will will say WILL.", "Will") == ["Will", "WILL"]
    assert found("Comfyui", "ComfyUI") == ["Comfyui"]
    assert found("Chai or chai", "chai") == ["Chai", "chai"]
    assert found("A b a b", "A B") == ["A b"]


@pytest.mark.parametrize("text", ["Gabbar's horse", "Gabbar\u2019s horse", "(Gabbar)", "Gabbar-Singh"])
def test_what_follows_is_not_part_of_it(text):
    assert found(text, "Gabbar") == ["Gabbar"]


def test_spaces_and_apostrophes_may_be_others():
    assert found("O\u2019Brien  Junior", "O'Brien Junior") == ["O\u2019Brien  Junior"]


def test_a_vowel_sign_belongs_to_its_word():
    assert found("राम और रामा और राम।", "राम", language="hi") == ["राम", "राम"]
    assert found("रम", "र", language="hi") == []


def test_a_script_without_spaces_has_no_words():
    assert found("田中さんは東京に", "田中", "東京", language="ja") == ["田中", "東京"]


def test_signs_in_a_term_mean_nothing_else():
    assert found("C++ (x) a.b axb", "a.b", "(x)") == ["(x)", "a.b"]


def test_nothing_is_found_without_terms():
    assert found("Gabbar") == []


def test_two_thousand_terms_in_a_long_text_take_moments():
    names = [f"Name{place}" for place in range(2_000)]
    text = "and then Name7 said nothing to Name1999. " * 50
    assert len(found(text, *names)) == 100


def test_two_thousand_terms_in_two_thousand_sentences_take_seconds():
    finder = TermFinder([Term(source=f"Name{place} Singh") for place in range(2_000)], "en")
    began = time.process_time()
    for place in range(2_000):
        said = f"This is Name{place} Singh, who goes to the market with a friend of mine."
        assert [one.term.source for one in finder.find(said)] == [f"Name{place} Singh"]
    # It was a hundred seconds with all terms in one pattern.
    assert time.process_time() - began < 20


def test_what_has_no_letters_is_no_term():
    assert found("Gabbar", " ", "") == []
