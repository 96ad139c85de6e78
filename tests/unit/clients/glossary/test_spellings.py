"""Names in two spellings."""

from __future__ import annotations

from clients.glossary.spellings import spellings
from protocol.timeline import Segment, Transcript


def found(*texts: str, least: int = 3) -> list[list[tuple[str, int]]]:
    segments = tuple(
        Segment(start_ms=1_000 * place, end_ms=1_000 * place + 900, text=text)
        for place, text in enumerate(texts)
    )
    groups = spellings(Transcript(language="en", segments=segments), least)
    return [[(spelling.text, len(spelling.starts_ms)) for spelling in group] for group in groups]


def test_the_most_frequent_spelling_is_first():
    assert found(
        "I saw Gabbar.", "Did Gabar come?", "No, Gabbar's men.", "Basanti came.", "the Ramgarh road"
    ) == [[("Gabbar", 2), ("Gabar", 1)]]


def test_a_word_that_is_also_written_small_is_no_name():
    assert found("We Will go.", "I will.", "Then Wille went.", "and Wille", "so Wille") == []


def test_a_word_that_only_begins_sentences_is_no_name():
    assert found("Perhaps. Perhaps not.", "Perhops he", "Perhaps", least=2) == []


def test_a_plural_and_another_first_letter_are_no_spellings():
    assert found("the Smith and the Smiths and a Smith", "see Harry and Barry and Harry") == []


def test_accents_are_spellings():
    assert found("my José", "with José", "for Jose") == [[("José", 2), ("Jose", 1)]]


def test_it_must_have_been_heard_often():
    assert found("see Gabbar", "see Gabar") == []
    assert found("see Gabbar", "see Gabar", least=2) == [[("Gabar", 1), ("Gabbar", 1)]]


def test_words_of_india_are_one_where_they_sound_alike():
    assert found("गब्बर आया", "और गबर गया", "गब्बर कहाँ") == [[("गब्बर", 2), ("गबर", 1)]]
    assert found("सूरिया", "सुरीया", "सूरिया") == [[("सूरिया", 2), ("सुरीया", 1)]]
    assert found("करता करते करती", "करता करते") == []


def test_other_scripts_of_india_are_parallel():
    assert found("రమేష్ వచ్చాడు", "రమేశ్ ఎక్కడ", "రమేష్") == [[("రమేష్", 2), ("రమేశ్", 1)]]
