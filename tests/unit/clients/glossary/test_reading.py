"""Glossaries in files."""

from __future__ import annotations

import codecs

import pytest

from clients.glossary.reading import MOST_TERMS, read_glossary
from protocol.jobs.glossary import Term


def terms(text: str) -> tuple[Term, ...]:
    found = read_glossary(text.encode())
    assert not found.problems
    return found.terms


def term(source: str, target: str = "", language: str = "", note: str = "") -> Term:
    return Term(source=source, target=target, language=language, note=note)


def test_csv_and_tsv_and_equations_say_the_same():
    wanted = (term("Gabbar", "Gabbar Singh"), term("Ramgarh"))
    assert terms("Gabbar,Gabbar Singh\nRamgarh\n") == wanted
    assert terms("Gabbar\tGabbar Singh\nRamgarh\t\n") == wanted
    assert terms("Gabbar;Gabbar Singh\nRamgarh;\n") == wanted
    assert terms("Gabbar = Gabbar Singh\nRamgarh =\n") == wanted


def test_a_header_says_what_the_columns_are():
    assert terms("note,Source,Target\na bandit,Gabbar,Gabbar S.\n") == (
        term("Gabbar", "Gabbar S.", note="a bandit"),
    )
    assert terms("source,en,fr\nChai,tea,thé\n") == (term("Chai", "tea", "en"), term("Chai", "thé", "fr"))


def test_a_header_of_languages_begins_with_that_of_the_film():
    found = terms("hi,en,fr\nचाय,tea,thé\nरामगढ़,Ramgarh,\n")
    assert found == (
        term("चाय", "tea", "en"),
        term("चाय", "thé", "fr"),
        term("रामगढ़", "Ramgarh", "en"),
    )


def test_a_first_row_of_terms_is_no_header():
    assert terms("Hindi,English\nUrdu,Urdu\n") == (term("Hindi", "English"), term("Urdu", "Urdu"))


def test_a_term_without_a_target_in_any_language_stays_as_it_is():
    assert terms("hi,en,fr\nगब्बर,,\n") == (term("गब्बर"),)


def test_quotes_go_by_the_rules_of_csv():
    assert terms('"Delhi, New","the ""new"" one"\n"two\nlines",x\nlast,y\n') == (
        term("Delhi, New", 'the "new" one'),
        term("two lines", "x"),
        term("last", "y"),
    )


def test_forms_may_be_mixed_and_an_equation_may_have_commas():
    text = "# names\nsource,target\nGabbar,Gabbar\n\nDelhi = Delhi, India\n"
    assert terms(text) == (term("Gabbar", "Gabbar"), term("Delhi", "Delhi, India"))


def test_an_equation_has_its_own_columns():
    text = "note,source,en,fr\na bandit,Gabbar,Gabbar S.,\nGaber = Gabbar\n"
    assert terms(text) == (term("Gabbar", "Gabbar S.", "en", "a bandit"), term("Gaber", "Gabbar"))
    assert terms("en = fr\n") == (term("en", "fr"),)


def test_a_mark_that_nobody_closes_in_every_line_takes_moments():
    found = read_glossary(b'"a\n' * 20_000)
    assert (len(found.problems), found.terms) == (20_000, ())


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_utf_8_with_and_without_its_mark(mark):
    assert read_glossary(mark + "source,target\r\nJosé,José\r\n".encode()).terms == (term("José", "José"),)


def test_letters_are_composed():
    assert terms("Jose\u0301\n") == (term("José"),)


def test_the_last_of_contradicting_lines_counts_and_both_are_told():
    found = read_glossary(b"Thakur,Thakur\nthakur,The Lord\nVeeru,Veeru\nVeeru\n")
    assert found.terms == (term("thakur", "The Lord"), term("Veeru"))
    assert found.notes == (
        "line 2: 'thakur' is 'Thakur' in line 1 and 'The Lord' here: this line counts.",
        "line 4: 'Veeru' is in line 3 already.",
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a,b\nc,d,e,f\n", "line 2: it has 4 columns"),
        (b"a,b\n,d\n", "line 2: its source is empty"),
        (b"= b\n", "line 1: its source is empty"),
        (b'a,b\n\n"c,d\n', "line 3: its quotation marks"),
        (b'"a"b,c\n', "line 1: its quotation marks"),
        (b"a,b\nJos\xe9,x\n", "line 2: it is not UTF-8"),
        (b"source,targt\na,b\n", "line 1: there is no column 'targt'"),
        (b"source,en,en\na,b,c\n", "line 1: the column 'en' is there twice"),
        (b"x" * 201, "line 1: 'xxxxxxxxxxxxxxxxxxxx'... is 201 letters long"),
        ("".join(f"n{place}\n" for place in range(MOST_TERMS + 1)).encode(), "it has 2001 terms"),
    ],
)
def test_what_is_wrong_is_told_by_its_line(content, told):
    (problem,) = read_glossary(content).problems
    assert problem.startswith(told)


def test_comments_and_empty_lines_are_no_terms():
    assert terms("\n# a,b\n  \n,,\n") == ()
