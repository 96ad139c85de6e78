"""Which terms are for which translation."""

from __future__ import annotations

from protocol.jobs.glossary import Term, sources_of, terms_for

CHAI = (
    Term(source="Chai"),
    Term(source="chai", target="tea", language="en"),
    Term(source="chai", target="चाय", language="hi"),
    Term(source="chai", target="chaay", language="hi-Latn"),
    Term(source="Jai", target="Jay", language="fr"),
)


def targets(language: str) -> list[tuple[str, str]]:
    return [(term.source, term.written) for term in terms_for(CHAI, language)]


def test_the_nearest_language_counts():
    assert targets("en") == [("chai", "tea")]
    assert targets("hi") == [("chai", "चाय")]
    assert targets("hi-Latn") == [("chai", "chaay")]
    assert targets("fr") == [("Chai", "Chai"), ("Jai", "Jay")]


def test_a_term_of_another_language_is_left_out():
    assert targets("de") == [("Chai", "Chai")]


def test_each_source_is_listened_for_once():
    assert sources_of((*CHAI, CHAI[0])) == ("Chai", "chai", "Jai")


def test_a_wrong_spelling_of_another_term_is_not_listened_for():
    right, wrong = Term(source="Gabbar", target="Gabbar"), Term(source="Gabar", target="Gabbar")
    assert sources_of((right, wrong)) == ("Gabbar",)
