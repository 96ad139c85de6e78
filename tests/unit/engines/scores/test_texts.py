"""chrF as sacrebleu computes it."""

from __future__ import annotations

import pytest
import sacrebleu

from protocol.subtitles.comparing import TextPairs
from workers.engines.scores.texts import CHRF, CHRF_PLUS, chrf_of_all, chrf_of_line, score_texts, signature

LINES = {
    "hi": ("वित्त मंत्रालय ने कहा है कि मदद मिलेगी।", "वित्त मंत्री ने कहा कि मदद मिलेगी"),
    "ta": ("யாரும் கேட்கவில்லை, அவர் மனைவி கூட இல்லை.", "யாரும் அவரைக் கேட்கவில்லை."),
    "ar": ("لم يسمعه أحد، حتى زوجته.", "لم يسمع أحد زوجته."),
    "zh": ("没有人听见他,连他的妻子也没有。", "谁也没听见他的妻子。"),
    "pt": ("Ninguém o ouviu, nem a mulher.", "Ninguém ouviu a sua mulher."),
}


@pytest.mark.parametrize("language", LINES)
def test_it_is_the_librarys_figure_in_any_language(language: str) -> None:
    meant, said = LINES[language]
    found = score_texts(TextPairs(a=(meant, "um"), b=(said, "um")))
    assert found.chrf == round(sacrebleu.corpus_chrf([said, "um"], [[meant, "um"]]).score, 2)
    assert found.lines == (round(sacrebleu.sentence_chrf(said, [meant]).score, 2), 100.0)
    assert 0 < found.lines[0] < 100
    plus = sacrebleu.CHRF(word_order=2).corpus_score([said], [[meant]]).score
    assert chrf_of_all([said], [meant], CHRF_PLUS) == round(plus, 2)


def test_the_same_text_is_100_however_it_is_spaced() -> None:
    assert score_texts(TextPairs(a=("कुछ  नहीं",), b=("कुछ नहीं",))).lines == (100.0,)
    assert chrf_of_all(["abc"], ["abc"], CHRF) == 100.0


def test_where_nothing_is_meant_there_is_no_figure() -> None:
    assert score_texts(TextPairs(a=("", " "), b=("text", ""))).chrf is None
    assert score_texts(TextPairs(a=(), b=())).chrf is None
    assert chrf_of_line("text", "", CHRF) == 0.0
    assert chrf_of_line("", " ", CHRF) == 100.0


def test_a_line_that_is_gone_costs_the_whole() -> None:
    whole = chrf_of_all(["one line here", "and one there"], ["one line here", "and one there"], CHRF)
    less = chrf_of_all(["one line here", ""], ["one line here", "and one there"], CHRF)
    assert (whole, less is not None and less < 80) == (100.0, True)


def test_the_signature_tells_the_two_apart() -> None:
    assert signature(CHRF).startswith("chrF|nrefs:1|case:mixed")
    assert "nw:2" in signature(CHRF_PLUS)
