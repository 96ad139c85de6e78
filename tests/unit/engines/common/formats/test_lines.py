from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ten_scripts import TEN_SCRIPTS
from workers.engines.common.formats.lines import embedded, plain, runs_right_to_left, script_of

SCRIPTS = {
    "en": "LATIN", "hi": "DEVANAGARI", "bn": "BENGALI", "gu": "GUJARATI", "ta": "TAMIL", "te": "TELUGU",
    "kn": "KANNADA", "ml": "MALAYALAM", "ur": "ARABIC", "ja": "HIRAGANA",
}  # fmt: skip


@pytest.mark.parametrize("language", TEN_SCRIPTS)
def test_the_script_of_a_line_is_known(language):
    assert [script_of(line) for line in TEN_SCRIPTS[language]] == [SCRIPTS[language]] * 2


def test_chinese_is_not_taken_for_japanese_and_a_number_for_nothing():
    assert script_of("我昨天去了东京。") == "CJK"
    assert script_of("カタカナー") == "HIRAGANA"
    assert script_of("naïve") == "LATIN"
    assert script_of("1984!") == ""


@pytest.mark.parametrize(
    ("line", "language", "leftward"),
    [
        ("YouTube پر", "ur", True),
        ("YouTube!", "ur", False),
        ("YouTube پر", "en", False),
        ("یہ کام OK", "en", True),
        ("שלום", "und", True),
        ("123", "ur", False),
    ],
)
def test_the_way_a_line_runs(line, language, leftward):
    assert runs_right_to_left(line, language) is leftward


@given(st.text())
def test_plain_text_is_as_long_and_holds_no_line_end(text):
    made = plain(text)
    assert len(made) == len(text)
    assert len(made.splitlines()) <= 1
    assert "\t" not in made
    assert plain(made) == made


def test_a_line_is_marked_with_its_direction_once_though_it_was_read_from_a_marked_file():
    line = "یہ کام YouTube پر ہے؟"
    marked = f"\u202b{line}\u202c"
    assert embedded(line, line, "ur") == marked
    assert embedded(marked, marked, "ur") == marked
    assert embedded("x", "x", "en") == "x"
