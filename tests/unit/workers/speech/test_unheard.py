"""Speech without words is found, and only what is surely said in it is taken in."""

from __future__ import annotations

import pytest

from protocol.timeline import Segment, Span
from workers.speech.judging import Guess
from workers.speech.unheard import Gap, fill, find_gaps, trusted_speech
from workers.speech.word_times import TimedWord

SENTENCE = "ask what you can do for your country"


def words(text: str, start_ms: int, *, each_ms: int = 300, probability: float = 0.95) -> list[TimedWord]:
    """Return the words one after the other."""
    return [
        TimedWord(
            text=word,
            start_ms=start_ms + index * each_ms,
            end_ms=start_ms + (index + 1) * each_ms,
            probability=probability,
        )
        for index, word in enumerate(text.split())
    ]


def span(start_ms: int, end_ms: int, peak: float = 1.0) -> Span:
    return Span(start_ms=start_ms, end_ms=end_ms, peak=peak)


def gaps(said: list[TimedWord], *speech: Span) -> list[tuple[int, int]]:
    return [(gap.span.start_ms, gap.span.end_ms) for gap in find_gaps(said, speech)]


def sure(text: str, logprob: float = -0.2, no_speech: float = 0.1) -> Guess:
    return Guess(text=text, avg_logprob=logprob, no_speech=no_speech)


def test_speech_after_the_last_word_is_a_gap_when_it_is_long() -> None:
    said = words(SENTENCE, 0)
    assert gaps(said, span(0, 16_000)) == [(2_400, 16_000)]
    assert gaps(said, span(0, 3_800)) == []


def test_a_pause_that_vad_passed_over_is_no_gap() -> None:
    said = [*words(SENTENCE, 0), *words(SENTENCE, 3_760)]
    assert gaps(said, span(0, 6_160)) == []


def test_stretches_without_any_word_are_gaps_where_vad_is_sure() -> None:
    said = words(SENTENCE, 0)
    assert gaps(said, span(0, 2_400), span(3_000, 3_800)) == [(3_000, 3_800)]
    assert gaps(said, span(0, 2_400), span(3_000, 3_600)) == [], "too short for a name"
    assert gaps(said, span(0, 2_400), span(3_000, 3_800, peak=0.7)) == [], "noise"


def test_a_word_that_lasts_too_long_hides_no_gap() -> None:
    said = [TimedWord(text="He", start_ms=0, end_ms=7_000), *words("might even", 7_000)]
    (gap,) = find_gaps(said, [span(0, 7_600)])
    assert (gap.span.start_ms, gap.span.end_ms) == (300, 7_000)
    assert gap.before is said[0]
    assert gap.after is said[1]


def test_speech_of_which_the_recogniser_is_not_sure_is_not_heard_again() -> None:
    segments = [
        Segment(start_ms=0, end_ms=5_000, text="said", avg_logprob=-0.3),
        Segment(start_ms=6_000, end_ms=9_000, text="made up", avg_logprob=-1.5),
        Segment(start_ms=10_000, end_ms=13_000, text="half heard", avg_logprob=-0.97),
    ]
    found = trusted_speech(segments, [span(0, 5_000, 0.97), span(6_000, 9_000), span(10_000, 13_000)])
    assert found == [span(0, 5_000)]
    assert found[0].peak == 0.97


def test_what_is_said_again_is_taken_in_with_its_times() -> None:
    gap = Gap(span=span(2_400, 5_000), before=words(SENTENCE, 0)[-1])
    heard = [*words("country", 2_050), *words(SENTENCE, 2_500)]
    found = fill(gap, sure(f"country {SENTENCE}"), heard, "en")
    assert found is not None
    assert " ".join(word.text for word in found.words) == SENTENCE
    assert found.words[0].start_ms >= 2_400
    assert found.words[-1].end_ms <= 5_000
    assert found.instead_of is None


@pytest.mark.parametrize(
    ("guess", "heard"),
    [
        pytest.param(sure(SENTENCE, logprob=-0.82), words(SENTENCE, 2_500), id="improbable"),
        pytest.param(sure(SENTENCE, no_speech=0.6), words(SENTENCE, 2_500), id="no speech"),
        pytest.param(sure(SENTENCE), words(SENTENCE, 2_500, probability=0.3), id="doubtful words"),
        pytest.param(sure(SENTENCE), words(SENTENCE, 2_500, each_ms=20), id="too fast"),
        pytest.param(sure("Thank you."), words("Thank you.", 2_500), id="short in a long noise"),
        pytest.param(sure("ask " * 40), words("ask " * 8, 2_500), id="loop"),
        pytest.param(sure("..."), words("...", 2_500, each_ms=2_000), id="dots"),
        pytest.param(sure(SENTENCE), words(SENTENCE, 100), id="before the gap"),
        pytest.param(sure(""), [], id="nothing"),
    ],
)
def test_what_is_not_surely_said_is_not_taken_in(guess: Guess, heard: list[TimedWord]) -> None:
    assert fill(Gap(span=span(2_400, 5_000)), guess, heard, "en") is None


def test_text_in_a_script_that_the_language_does_not_use_is_not_taken_in() -> None:
    said = "ask what you can do"
    assert fill(Gap(span=span(0, 1_500)), sure(said), words(said, 0), "hi") is None


def test_the_ends_of_the_words_beside_the_gap_are_not_taken_in() -> None:
    edge = words("country.", 2_100)[0], words("Had", 5_000)[0]
    gap = Gap(span=span(2_400, 5_000), before=edge[0], after=edge[1])
    heard = [*words("country", 2_450), *words("Mary rolled the barrel", 3_000, each_ms=400)]
    heard += words("had", 4_650)
    found = fill(gap, sure("country Mary rolled the barrel had"), heard, "en")
    assert found is not None
    assert " ".join(word.text for word in found.words) == "Mary rolled the barrel"


def test_a_word_that_lasted_too_long_gives_way_to_itself_at_its_true_place() -> None:
    long = TimedWord(text="He", start_ms=0, end_ms=4_000)
    gap = Gap(span=span(300, 4_000), before=long)
    text = "unless to be rather cold-hearted is to be ill-disposed. he"
    found = fill(gap, sure(text), words(text, 400, each_ms=350), "en")
    assert found is not None
    assert found.instead_of is long
    assert fill(gap, sure("He"), [TimedWord(text="He", start_ms=400, end_ms=2_500)], "en") is None


def test_a_gap_is_cut_with_its_neighbours_at_its_ends() -> None:
    before, after = words("country.", 0)[0], words("Had", 9_000)[0]
    whole = Gap(span=span(300, 9_000), before=before, after=after)
    first, last = whole.cut([span(300, 5_000), span(5_000, 9_000)])
    assert (first.before, first.after) == (before, None)
    assert (last.before, last.after) == (None, after)
    long = TimedWord(text="He", start_ms=0, end_ms=9_000)
    parts = Gap(span=span(300, 9_000), before=long).cut([span(300, 5_000), span(5_000, 9_000)])
    assert [part.before for part in parts] == [long, long]
