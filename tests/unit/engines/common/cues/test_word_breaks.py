"""Words in scripts without spaces: labelled lines, and cues that end with a word."""

from __future__ import annotations

import subprocess
import sys
from itertools import accumulate, pairwise

import pytest

from protocol.timeline import Word
from tests.labelled.lines import WORD_GROUPS, WordLine, word_lines, wrong_borders
from workers.engines.common.cues.cut import cut
from workers.engines.common.cues.phrases import border_cost, line_break_cost
from workers.engines.common.cues.rules import CueRules
from workers.engines.common.cues.word_breaks import find_borders
from workers.text.pieces import pieces_of

WRONG = {"chinese": 0, "japanese": 2, "thai": 1, "others": 2}
MISSED = {"chinese": 22, "japanese": 8, "thai": 20, "others": 7}
"""What our breakers get wrong today."""


def cue_texts(text: str, language: str, room: int = 6) -> list[str]:
    """Return the lines of a text that comes letter by letter."""
    words = [
        Word(text=piece, start_ms=at * 200, end_ms=at * 200 + 200)
        for at, piece in enumerate(pieces_of(text, language))
    ]
    cues = cut(words, CueRules(language=language, max_line_graphemes=room))
    return [line for cue in cues for line in cue.lines]


@pytest.mark.parametrize("group", WORD_GROUPS)
def test_no_more_borders_are_inside_a_word_or_missed_than_today(group: str) -> None:
    found = [wrong_borders(line, find_borders(line.text, line.language)) for line in word_lines(group)]
    wrong, missed = (sum(counts) for counts in zip(*found, strict=True))
    assert (wrong, missed) <= (WRONG[group], MISSED[group])
    assert missed <= MISSED[group]


@pytest.mark.parametrize("group", ["chinese", "japanese", "thai"])
def test_lines_of_cues_end_with_words(group: str) -> None:
    """Of a narrow line only a longer word is broken; what the breakers get wrong is counted above."""

    def broken(line: WordLine) -> int:
        ends = accumulate(len("".join(text.split())) for text in cue_texts(line.text, line.language, 12))
        return len(set(ends) - line.allowed - {len(line.text)})

    assert sum(map(broken, word_lines(group))) <= WRONG[group]


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("我昨天去图书馆借书", "zh", ["图书馆"]),
        ("我们一起吃晚饭吧", "zh", ["我们", "一起", "晚饭"]),
        ("这件衣服要1,000元呢", "zh", ["衣服", "1,000"]),
        ("他今天又跑了3.5公里。", "zh", ["3.5"]),
        ("นักท่องเที่ยวชอบประเทศไทย", "th", ["นักท่องเที่ยว"]),
        ("図書館で本を借りました", "ja", ["図書館", "借りました"]),
    ],
)
def test_neither_a_word_nor_a_number_is_cut(text: str, language: str, words: list[str]) -> None:
    for room in (6, 7, 8, 10, 14):
        lines = cue_texts(text, language, room)
        assert "".join(lines) == text
        for word in words:
            assert any(word in line for line in lines) or len(word) > room


def test_a_word_that_no_line_holds_is_broken_all_the_same() -> None:
    lines = cue_texts("中华人民共和国万岁", "zh", 2)
    assert "".join(lines) == "中华人民共和国万岁"
    assert max(map(len, lines)) <= 2


def test_a_long_text_is_read_in_parts_and_no_word_is_lost() -> None:
    text = "我们昨天一起去图书馆借书" * 200
    assert [text[left:right] for left, right in pairwise([0, *sorted(find_borders(text, "zh"))])].count(
        "图书馆"
    ) == 200


def test_particles_are_words_and_not_letters() -> None:
    assert border_cost("好", "的", "zh") > border_cost("他", "的确", "zh")
    assert border_cost("昨日", "東京に", "ja") < border_cost("東", "京", "ja")


def test_a_film_in_another_script_loads_no_breaker() -> None:
    script = (
        "import sys\n"
        "from workers.engines.common.cues.cut import CueRules, cut\n"
        "from protocol.timeline import Word\n"
        "cut([Word(text='Hello.', start_ms=0, end_ms=500)], CueRules())\n"
        "sys.exit(bool({'icu4py', 'budoux', 'rjieba', 'newmm_tokenizer'} & set(sys.modules)))\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize(
    ("upper", "lower", "language", "torn"),
    [
        ("我昨天去图", "书馆借书", "zh", True),
        ("我昨天去", "图书馆借书", "zh", False),
        ("นัก", "ท่องเที่ยวมาก", "th", False),
        ("นักท่อง", "เที่ยวมาก", "th", False),
        ("มหาวิท", "ยาลัยเปิด", "th", True),
        ("図書館で", "本を借りました", "ja", False),
        ("他跑了3.", "5公里", "zh", True),
        ("他走了。", "我也走了", "zh", False),
    ],
)
def test_a_line_that_another_program_broke_is_judged_by_words(
    upper: str, lower: str, language: str, torn: bool
) -> None:
    assert (line_break_cost(upper, lower, language) > 20) is torn
