"""What may be read from an answer, and what may not."""

from __future__ import annotations

import pytest

from workers.engines.llm.answers import Answer, read_answer
from workers.engines.llm.failing import BadAnswerError, CutShortError

GOOD = '{"1": "Um.", "2": "Dois."}'


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"<think>They say {{}} and {{1}}.</think>\n{GOOD}",
        f'{{"lines": {GOOD}}}',
        f"Here you are:\n{GOOD}\nAnything else?",
        '{"2": "Dois.", "1": "Um."}',
    ],
)
def test_whose_text_it_is_stands_in_the_answer_however_it_is_wrapped(text: str) -> None:
    assert read_answer(Answer(text=text, end="stop"), 2) == ["Um.", "Dois."]


@pytest.mark.parametrize("value", ["null", "7", "[]", '{"text": "Um."}', '""'])
def test_what_is_no_text_is_empty(value: str) -> None:
    assert read_answer(Answer(text=f'{{"1": {value}, "2": "Dois."}}'), 2) == ["", "Dois."]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("No.", "not JSON"),
        ("}{", "not JSON"),
        ('{"1": "Um."', "not JSON"),
        ("[1, 2]", "not JSON"),
        ('{"1": "Um."}', "lacks the lines 2"),
        ('{"0": "Um.", "1": "Dois."}', "lacks the lines 2"),
        ('{"1": "Um.", "2": "Dois.", "3": "Três."}', "1 more keys"),
        ('{"1": "Um.", "2": "Dois.", "2": "Três."}', "twice"),
        ('{"a": ' * 5_000 + "1" + "}" * 5_000, "not JSON|lacks"),
    ],
)
def test_an_answer_in_which_lines_may_have_moved_is_not_used(text: str, reason: str) -> None:
    with pytest.raises(BadAnswerError, match=reason):
        read_answer(Answer(text=text, end="stop"), 2)


def test_a_cut_answer_is_not_read_though_it_could_be() -> None:
    with pytest.raises(CutShortError):
        read_answer(Answer(text=GOOD, end="length"), 2)


@pytest.mark.parametrize(
    "answer", [Answer(text=GOOD, end="content_filter"), Answer(text=GOOD, refusal="I cannot.")]
)
def test_a_refusal_is_no_answer(answer: Answer) -> None:
    with pytest.raises(BadAnswerError, match="refused"):
        read_answer(answer, 2)
