"""What is marked in a translation that Whisper heard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protocol.stages.clean import CleanRules
from protocol.subtitles.doubts import DOUBTS
from protocol.timeline import Segment, Span, Transcript
from tests.data import ROOT
from tests.sentences import sentence
from workers.engines.common.cleaning.rules import decide
from workers.speech.doubting import SpokenSource, marked

SPEECH = (Span(start_ms=0, end_ms=20_000),)


def said(text: str, start_ms: int = 0, word_ms: int = 300, probability: float = 0.9) -> Segment:
    return sentence(text, start_ms, word_ms, probability=probability, no_speech=None)


def marks(*sentences: Segment, source: tuple[Segment, ...] = (), before: str = "") -> list[tuple[str, ...]]:
    spoken = SpokenSource(language="hi", segments=source, speech=SPEECH)
    return [sentence.marks for sentence in marked(sentences, spoken, before)]


HOME = said("We are all going home now, my friend.")
HINDI = said("अब हम सब घर जा रहे हैं, मेरे दोस्त।")
IMPROBABLE = replace(said("We are all going home now.", probability=0.1), avg_logprob=-1.3)


def test_a_good_translation_has_no_mark() -> None:
    assert marks(HOME, source=(HINDI,)) == [()]


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        (IMPROBABLE, ("improbable",)),
        (replace(HOME, avg_logprob=-1.2), ("improbable",)),
        (said("We are all going home now.", probability=0.2), ("improbable",)),
        (said("Thanks for watching!", probability=0.5), ("credits",)),
        (said("Thanks for watching!"), ()),
        (said("We are all going home now.", start_ms=30_000), ("outside-speech",)),
        (said("Everybody remembers something wonderful.", word_ms=60), ("haste",)),
        (said("no " * 40), ("loop",)),
        (said("हम सब घर जा रहे हैं अब"), ("wrong-script",)),
    ],
)
def test_each_witness_marks_alone(sentence: Segment, found: tuple[str, ...]) -> None:
    source = (replace(HINDI, start_ms=sentence.start_ms, end_ms=sentence.end_ms),)
    # The length is that of the chunk, and no matter here.
    assert set(marks(sentence, source=source)[0]) - {"length"} == set(found)


def test_whatever_clean_would_remove_is_marked() -> None:
    sentences = [
        replace(IMPROBABLE, words=IMPROBABLE.words[:1]),
        replace(said("Thanks for watching!", start_ms=5_000, probability=0.3), avg_logprob=-1.2),
        said("Everybody remembers something wonderful.", start_ms=8_000, word_ms=60, probability=0.6),
        said("We are all going home now.", start_ms=40_000),
        said("no " * 40, start_ms=9_000, word_ms=20),
        said("All is well with him.", start_ms=15_000),
    ]
    cleaned = decide(Transcript(language="en", segments=tuple(sentences)), SPEECH, CleanRules(), 60_000)
    rules = {finding.rule for finding in cleaned.removed}
    assert rules == {"low_confidence", "credits", "speech_rate", "outside_speech", "loops"}
    spoken = SpokenSource(language="hi", segments=(), speech=SPEECH)
    doubted = [sentence for sentence in marked(sentences, spoken) if sentence.marks]
    for gone in cleaned.removed:
        assert any(one.start_ms <= gone.start_ms < one.end_ms for one in doubted), gone
    assert len(doubted) == len(sentences) - 1


def test_a_sentence_that_comes_again_at_once_is_a_loop_unless_it_was_said_again() -> None:
    again = said("We are all going home now, my friend.", start_ms=4_000)
    assert marks(HOME, again, source=(HINDI, said("कुछ और ही बात कही गई थी", start_ms=4_000))) == [
        (),
        ("loop",),
    ]
    assert marks(HOME, again, source=(HINDI, replace(HINDI, start_ms=4_000, end_ms=6_000))) == [(), ()]
    assert marks(again, source=(HINDI,), before=HOME.text) == [("loop",)]


def test_a_number_that_the_chunk_lost_marks_the_sentence_at_its_time() -> None:
    source = (HINDI, said("वहाँ 1945 में युद्ध समाप्त हुआ।", start_ms=4_000))
    late = said("The war ended there in 1945.", start_ms=4_000)
    assert marks(HOME, late, source=source) == [(), ()]
    assert marks(
        replace(HOME, text=f"{HOME.text} 1945"), said("The war ended.", start_ms=4_000), source=source
    ) == [
        (),
        (),
    ]
    assert marks(HOME, said("The war ended there.", start_ms=4_000), source=source) == [(), ("numbers",)]


def test_every_doubt_stands_in_the_document() -> None:
    document = (ROOT / "docs" / "environments.md").read_text(encoding="utf-8")
    assert [mark for mark in DOUBTS if f"| `{mark}` |" not in document] == []
