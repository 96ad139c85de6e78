# ruff: noqa: RUF001 - the scripts are the subject.
from __future__ import annotations

import pytest

from workers.engines.common.phrases import border_cost, ends_sentence


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
        border_cost("house", "stands", "en"),
        border_cost("John", "Smith", "en"),
        border_cost("the", "house", "en"),
        border_cost("house", ")", "en"),
    ]
    assert ranked == sorted(ranked)
    assert len(set(ranked)) == len(ranked)


def test_german_nouns_are_not_taken_for_names():
    assert border_cost("Großer", "Hund", "de") < border_cost("John", "Smith", "en")
