# ruff: noqa: RUF001 - the scripts are the subject.
from __future__ import annotations

import pytest

from workers.engines.common.cues.phrases import border_cost
from workers.text.sentence_ends.rule import ends_sentence


@pytest.mark.parametrize(
    ("word", "following", "language"),
    [
        ("end.", "Then", "en"),
        ("end.", "", "en"),
        ("end.”", "Then", "en"),
        ("really?!", "yes", "en"),
        ("I.", "Then", "en"),
        ("no.", "He", "en"),
        ("1975.", "Then", "en"),
        ("है।", "और", "hi"),
        ("ॐ॥", "और", "sa"),
        ("ہے۔", "اور", "ur"),
        ("کیا؟", "ہاں", "ur"),
        ("た。", "と", "ja"),
        ("か？", "は", "ja"),
        ("Well…", "What", "en"),
        ("है.", "कुछ", "hi"),
        ("थे.", "मैंने", "hi"),
        ("हों.", "600", "hi"),
    ],
)
def test_a_sentence_ends_here(word, following, language):
    assert ends_sentence(word, following, language)


@pytest.mark.parametrize(
    ("word", "following", "language"),
    [
        ("Mr.", "Smith", "en"),
        ("(Dr.", "Who)", "en"),
        ("J.", "Edgar", "en"),
        ("U.S.", "Army", "en"),
        ("No.", "5", "en"),
        ("3.", "14", "en"),
        ("3.", "Oktober", "de"),
        ("z.B.", "heute", "de"),
        ("डॉ.", "सिंह", "hi"),
        ("well…", "maybe", "en"),
        ("well...", "maybe", "en"),
        ("end,", "then", "en"),
        ("end", "then", "en"),
        ("”", "then", "en"),
    ],
)
def test_no_sentence_ends_here(word, following, language):
    assert not ends_sentence(word, following, language)


def test_borders_are_ranked_as_a_subtitler_ranks_them():
    ranked = [
        border_cost("end.", "Then", "en"),
        border_cost("end,", "then", "en"),
        border_cost("house", "and", "en"),
        border_cost("house", "in", "en"),
        border_cost("house", "stands", "en"),
        border_cost("famous", "house", "en"),
        border_cost("John", "Smith", "en"),
        border_cost("and", "house", "en"),
        border_cost("the", "house", "en"),
        border_cost("house", ")", "en"),
    ]
    assert ranked == sorted(ranked)
    assert len(set(ranked)) == len(ranked)


PLAIN = border_cost("house", "stands", "en")


@pytest.mark.parametrize(
    ("left", "right", "language"),
    [
        ("the", "house", "en"),
        ("what", "your", "en"),
        ("have", "been", "en"),
        ("an", "old", "en"),
        ("31", "miles", "en"),
        ("(31", "miles)", "en"),
        ("F.", "Kennedy", "en"),
        ("Type", "1", "en"),
        ("USA", "Gymnastics", "en"),
        ("Fernandez", "de", "en"),
        ("de", "Kirchner", "pt"),
        ("President", "Donald", "en"),
        ("same", "goal", "en"),
        ("feathers", "—", "en"),
        ("(", "aside", "en"),
        ("tinha", "desaparecido", "pt"),
        ("सरकार", "ने", "hi"),
        ("कर", "रहे", "hi"),
        ("बच्चों", "के", "hi"),
        ("के", "लिए", "hi"),
        ("और", "बाद", "hi"),
        ("حکومت", "نے", "ur"),
        ("東", "京", "ja"),
        ("コ", "ン", "ja"),
        ("京", "に", "ja"),
        ("で", "す", "ja"),
        ("お", "聞", "ja"),
        ("「", "も", "ja"),
        ("2", "年", "zh"),
        ("好", "的", "zh"),
    ],
)
def test_what_belongs_together_is_not_parted_for_the_asking(left, right, language):
    assert border_cost(left, right, language) > PLAIN


def test_a_conjunction_with_a_comma_is_no_end_of_a_clause():
    assert border_cost("which,", "he", "en") > border_cost("house,", "he", "en")


@pytest.mark.parametrize(
    ("left", "right", "language"),
    [
        ("do", "for", "en"),
        ("it", "in", "en"),
        ("is", "that", "en"),
        ("anything", "...and", "en"),
        ("ने", "आगाह", "hi"),
        ("है", "आज", "hi"),
        ("に", "東", "ja"),
        ("は", "コ", "ja"),
        ("了", "北", "zh"),
    ],
)
def test_a_phrase_ends_here(left, right, language):
    assert border_cost(left, right, language) <= PLAIN


@pytest.mark.parametrize(
    ("left", "right", "language"),
    [("wizard", "who", "en"), ("house", "which", "en"), ("livre", "dont", "fr"), ("casa", "cuya", "es")],
)
def test_a_relative_clause_is_a_better_border_than_any_inside_it(left, right, language):
    assert border_cost(left, right, language) < border_cost("vanished", "behind", "en") < PLAIN


@pytest.mark.parametrize(
    ("left", "right", "language"),
    [("sagte", "»so«", "de"), ("sade", "”så”", "sv"), ("and", "’tis", "en"), ("said", "“so”", "en")],
)
def test_a_word_with_a_quote_that_opens_may_begin_a_line(left, right, language):
    assert border_cost(left, right, language) <= border_cost(left, right.strip("»«”“’"), language)


def test_german_nouns_are_not_taken_for_names():
    assert border_cost("Großer", "Hund", "de") < border_cost("John", "Smith", "en")


def test_even_and_until_stay_with_the_word_after_them():
    assert border_cost("poderia", "até", "pt") > PLAIN
    assert border_cost("até", "ter", "pt") > PLAIN
    assert border_cost("podría", "hasta", "es") > PLAIN
    assert border_cost("poderia", "com", "pt") < PLAIN
