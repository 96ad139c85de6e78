"""Hindi and Urdu words in each other's script."""

from __future__ import annotations

import pytest

from workers.engines.common.scripts.urdu import arabic_of, devanagari_of
from workers.engines.common.scripts.urdu_words import TO_ARABIC, TO_DEVANAGARI


@pytest.mark.parametrize(
    ("arabic", "devanagari"),
    [
        ("میں", "में"),
        ("نہیں", "नहीं"),
        ("وقت", "वक्त"),
        ("گھڑی", "घड़ी"),
        ("پانی", "पानी"),
        ("لڑکیاں", "लड़कियां"),
        ("کتابوں", "कताबों"),
        ("جاؤ", "जाओ"),
        ("آواز", "आवाज़"),
        ("شاید", "शायद"),
        ("دنیا", "दुनिया"),
        ("ہندوستان", "हिंदुस्तान"),
        ("ايک", "एक"),
        ("كيا", "क्या"),
    ],
)
def test_urdu_words_in_devanagari(arabic: str, devanagari: str) -> None:
    assert devanagari_of(arabic) == devanagari


@pytest.mark.parametrize(
    ("devanagari", "arabic"),
    [
        ("नमस्ते", "نمستے"),
        ("घड़ी", "گھڑی"),
        ("खिड़की", "کھڑکی"),
        ("आवाज़", "آواز"),
        ("किताबों", "کتابوں"),
        ("जाओ", "جاؤ"),
        ("गाएंगे", "گائینگے"),
        ("फ़ोन", "فون"),
        ("राज्य", "راجیہ"),
        ("पक्का", "پکا"),
        ("उन्होंने", "انہوں نے"),
    ],
)
def test_hindi_words_in_arabic_script(devanagari: str, arabic: str) -> None:
    assert arabic_of(devanagari) == arabic


def test_every_way_out_of_the_table_is_a_way_back() -> None:
    for arabic, devanagari in TO_DEVANAGARI.items():
        assert TO_ARABIC[devanagari].split(" ") == [arabic] or arabic in TO_ARABIC.values()


def test_no_letter_of_a_script_is_left() -> None:
    for letter in "ابپتٹثجچحخدڈذرڑزژسشصضطظعغفقکگلمنںوہھءیے":
        assert not any("\u0600" <= sign <= "\u06ff" for sign in devanagari_of(f"ک{letter}ا"))
