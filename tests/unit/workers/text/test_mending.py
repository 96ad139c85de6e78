"""Numbers, addresses, notes and dashes of a translation: what is wrong, and what a rule can mend."""

# ruff: noqa: RUF001 - the digits and dashes are meant.

from __future__ import annotations

import pytest

from workers.text.checks.marking import marks_of
from workers.text.checks.mending import mended, plainer


@pytest.mark.parametrize(
    ("source", "translated", "pair", "right"),
    [
        ("It costs $1,500.50.", "Custa $1.500.50.", "en-pt", "Custa $1.500,50."),
        ("It costs $1,500.50.", "Custa $1,500.50.", "en-pt", "Custa $1.500,50."),
        ("2,200,112 people", "2.200,112 pessoas", "en-pt", "2.200.112 pessoas"),
        ("25,000 men", "25,000 hommes", "en-fr", "25\u00a0000 hommes"),
        ("1.500 pessoas", "1.500 people", "pt-en", "1,500 people"),
        ("1,50,000 people", "१५००,०० लोग", "en-hi", "१,५०,००० लोग"),
        ("1,50,000 rupees", "1,50,000 rupias", "en-pt", "150.000 rupias"),
        ("Write to john.smith@", "Escreva para john.smith-", "en-pt", "Escreva para john.smith@"),
        ("See https://who.int/x.", "Veja https://quem.int/x.", "en-pt", "Veja https://who.int/x."),
        ("♪ La la ♪", "Lá lá", "en-pt", "♪ Lá lá ♪"),
        ("- ♪ La la", "Lá lá", "en-pt", "- ♪ Lá lá"),
        ("- Hello.", "Olá.", "en-pt", "- Olá."),
    ],
)
def test_what_a_rule_is_sure_of_is_mended(source: str, translated: str, pair: str, right: str) -> None:
    one, two = pair.split("-")
    assert marks_of(source, translated, one, two)
    assert mended(source, translated, one, two) == right
    assert marks_of(source, right, one, two) == ()


@pytest.mark.parametrize(
    ("source", "translated", "pair"),
    [
        ("It costs $1,500.50.", "Custa $1.500,50.", "en-pt"),
        ("2,200,112 people", "2.200.112 pessoas", "en-pt"),
        ("2,200,112 people", "22,00,112 लोग", "en-hi"),
        ("1,50,000 people", "१,५०,००० लोग", "en-hi"),
        ("2,500 लोग", "2500 people", "hi-en"),
        ("25,000 men", "25 000 hommes", "en-fr"),
        ("1.5 million people", "15 लाख लोग", "en-hi"),
        ("Python 3.11", "Python 3.11", "en-pt"),
        ("3.5 km", "3,5 km", "en-pt"),
        ("at 192.168.0.1", "em 192.168.0.1", "en-pt"),
        ("at 10:30 p.m.", "às 22h30", "en-pt"),
        ("on 3/14/2025", "em 14/3/2025", "en-pt"),
        ("on the 21st", "no vigésimo primeiro", "en-pt"),
        ("in the 1960s", "nos anos 60", "en-pt"),
        ("12 men", "doze homens", "en-pt"),
        ("one in 1,000", "um em mil", "en-pt"),
        ("We are #1", "Somos o número 1", "en-pt"),
        ("-5 degrees", "cinco graus negativos", "en-pt"),
        ("-Hello.", "– Olá.", "en-pt"),
        ("Write to @nasa.", "Escreva para @nasa.", "en-pt"),
    ],
)
def test_what_is_right_stays_and_has_no_mark(source: str, translated: str, pair: str) -> None:
    one, two = pair.split("-")
    assert mended(source, translated, one, two) == translated
    assert marks_of(source, translated, one, two) == ()


@pytest.mark.parametrize(
    ("source", "translated", "mark"),
    [
        ("in 1945", "em 1954", "numbers"),
        ("30 men", "13 homens", "numbers"),
        ("2,500 people", "250 pessoas", "numbers"),
        ("at 10:35", "às 10:53", "numbers"),
        ("follow #moonlanding", "siga isso", "addresses"),
        ("♪ la ♪ lo ♪", "♪ lá lo ♪", "notation"),
    ],
)
def test_what_nobody_can_mend_is_marked(source: str, translated: str, mark: str) -> None:
    assert mended(source, translated, "en", "pt") == translated
    assert marks_of(source, translated, "en", "pt") == (mark,)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("♪ Hello there ♪", "Hello there"),
        ("- GO HOME NOW!", "Go home now!"),
        ("NASA", "NASA"),
        ("घर जाओ अब", "घर जाओ अब"),
        ("We go.", "We go."),
    ],
)
def test_a_text_is_written_plainer_for_a_second_try(text: str, plain: str) -> None:
    assert plainer(text) == plain
