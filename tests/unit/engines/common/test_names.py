from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.engines.common.names import safe_stem, shown


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("Sholay (1975)", "Sholay (1975)"),
        ("शोले", "शोले"),
        ("AC/DC: live", "AC-DC: live"),
        ("../../etc/passwd", "etc-passwd"),
        ("-rf", "rf"),
        (".hidden", "hidden"),
        ("two\nlines\tand\x00a nul", "two lines and a nul"),
        ("", "untitled"),
        (" ./-. ", "untitled"),
        ("\udc80", "untitled"),
        ('say "hi" %d', 'say "hi" %d'),
    ],
)
def test_a_title_becomes_a_safe_stem(title, stem):
    assert safe_stem(title) == stem


def test_a_long_title_is_cut_between_graphemes():
    stem = safe_stem("क्षि" * 100)
    assert len(stem.encode()) <= 200
    assert stem == "क्षि" * (200 // len("क्षि".encode()))


@given(st.text())
def test_a_stem_is_safe_whatever_the_title(title):
    stem = safe_stem(title)
    assert stem
    assert stem[0] not in ".-"
    assert len(stem.encode()) <= 200
    assert not {"/", "\0", "\n"} & set(stem)


def test_a_shown_name_is_one_line_of_text_that_can_travel():
    assert shown("/films/a\nb\udcff.mkv") == "/films/a\\nb\\udcff.mkv"
    assert shown("/films/शोले.mkv") == "/films/शोले.mkv"
