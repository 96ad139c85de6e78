"""A transcript through a translator: what is asked of it, and what is made of its answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from protocol.artefacts import describe_file, write_json
from protocol.errors import BugError, CancelledError, InputError
from protocol.schema import from_plain, to_plain
from protocol.stages.translate import TranslateRequest, TranslateResult
from protocol.timeline import Segment, Transcript
from workers.context import CallContext
from workers.models import ModelShelf
from workers.text.translating import Ways, WaysOf, translate_transcript

Progress = Callable[[float], None]


class Room:
    """A job folder with a transcript, and a translator that remembers what it was asked."""

    def __init__(self, root: Path, answers: dict[str, str]) -> None:
        self.root = root
        self.answers = answers
        self.asked: list[list[str]] = []
        self.reports: list[tuple[float, str]] = []
        self.context = CallContext(
            root,
            ".scratch/translate",
            "translate",
            ModelShelf(root),
            lambda share, note: self.reports.append((share, note)),
        )

    def translate(self, texts: Sequence[str], progress: Progress) -> list[str]:
        self.asked.append(list(texts))
        progress(1.0)
        return [self.answers.get(text, f"Traduzido: {text}") for text in texts]

    def run(
        self, *segments: Segment, target: str = "pt", translate: object = None, again: object = None
    ) -> TranslateResult:
        path = self.root / "transcript.json"
        write_json(path, to_plain(Transcript(language="en", segments=segments)))
        artefact = describe_file(path, path.name)
        request = TranslateRequest(
            transcript=artefact,
            audio=artefact,
            source_language="en",
            target_language=target,
            model="some-model",
        )
        return translate_transcript(request, self.context, "some-engine", translate or self.translate, again)

    def made(self, target: str = "pt") -> Transcript:
        path = self.root / ".scratch" / "translate" / f"transcript.{target}.json"
        return from_plain(Transcript, json.loads(path.read_text()))


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, {})


def cue(text: str, start_ms: int, end_ms: int) -> Segment:
    return Segment(start_ms=start_ms, end_ms=end_ms, text=text)


def test_whole_sentences_are_asked_for_in_one_call_each_once(room: Room) -> None:
    segments = [
        cue("We were", 0, 1000),
        cue("going home. Yes. It rained.", 1000, 4000),
        cue("Yes.", 5000, 6000),
    ]
    result = room.run(*segments)
    assert room.asked == [["We were going home.", "Yes.", "It rained."]]
    made = room.made()
    assert [segment.text for segment in made.segments] == [
        "Traduzido: We were going home.",
        "Traduzido: Yes.",
        "Traduzido: It rained.",
        "Traduzido: Yes.",
    ]
    assert result.segment_count == 4


def test_what_is_made_says_where_it_comes_from(room: Room) -> None:
    result = room.run(cue("We were going home.", 0, 1000))
    made = room.made()
    assert (made.language, made.translated_from) == ("pt", "en")
    assert (made.engine, made.model) == (result.engine, result.model) == ("some-engine", "some-model")
    assert result.transcript.path == "translate/transcript.pt.json"
    assert room.reports[0] == (0.0, "translating")


def test_sentences_keep_their_times_and_words_lie_in_them(room: Room) -> None:
    room.run(cue("We were going home.", 1000, 3000), cue("It rained.", 8000, 9000))
    one, two = room.made().segments
    assert [(segment.start_ms, segment.end_ms) for segment in (one, two)] == [(1000, 3000), (8000, 9000)]
    assert (one.words[0].start_ms, one.words[-1].end_ms) == (1000, 3000)
    assert " ".join(word.text for word in two.words) == two.text


def test_silence_is_an_empty_transcript_and_asks_nobody(room: Room) -> None:
    assert room.run().segment_count == 0
    assert room.asked == []
    assert room.made().segments == ()


def test_what_cannot_be_spoken_goes_through_as_it_is(room: Room) -> None:
    room.run(cue("♪ ♪", 0, 1000))
    assert room.asked == []
    assert [(segment.text, segment.marks) for segment in room.made().segments] == [("♪ ♪", ())]


def test_doubtful_translations_are_marked_and_counted(room: Room) -> None:
    rain, home = "It began to rain on us.", "We were all going home."
    room.answers = {rain: rain, home: "Мы все шли домой."}
    result = room.run(cue(rain, 0, 2000), cue(home, 2000, 4000), cue("Who knows?", 4000, 5000))
    assert result.marks == {"untranslated": 1, "wrong-script": 1}
    assert [segment.marks for segment in room.made().segments] == [("untranslated",), ("wrong-script",), ()]
    assert room.made().segments[0].text == rain


@pytest.mark.parametrize("nothing", ["", " ", "- ()"])
def test_an_empty_translation_keeps_its_time_and_its_mark_and_shows_nothing(room: Room, nothing: str) -> None:
    room.answers = {"Hello there.": nothing}
    result = room.run(cue("Hello there.", 1000, 2000))
    assert result.marks == {"empty": 1}
    assert room.made().segments == (
        Segment(start_ms=1000, end_ms=2000, text="", marks=("empty",), engine="some-engine"),
    )


def test_what_is_doubtful_is_tried_again_and_the_better_text_is_kept(room: Room) -> None:
    rain, home, fine = "It began to rain on us.", "We were all going home.", "Who knows?"
    room.answers = {rain: rain, home: home}
    again = {rain: "Começou a chover.", home: "Мы все шли домой. " * 3}
    asked: list[list[str]] = []

    def second(texts: Sequence[str], progress: Progress) -> list[str]:
        asked.append(list(texts))
        return [again[text] for text in texts]

    result = room.run(
        cue(rain, 0, 2000), cue(home, 2000, 4000), cue(fine, 4000, 5000), cue(rain, 6000, 7000), again=second
    )
    assert asked == [[rain, home]]
    made = room.made().segments
    assert [(line.text, line.marks, line.again) for line in made] == [
        ("Começou a chover.", (), True),
        (home, ("untranslated",), False),
        ("Traduzido: Who knows?", (), False),
        ("Começou a chover.", (), True),
    ]
    assert {line.engine for line in made} == {"some-engine"}
    assert (result.marks, result.doubted, result.retried) == ({"untranslated": 1}, 1, 3)


def test_an_engine_without_another_way_gets_a_shouted_sentence_in_small_letters(room: Room) -> None:
    shouted = "- IT IS RAINING AGAIN!"
    room.answers = {shouted: shouted, "It is raining again!": "Está chovendo de novo!"}
    result = room.run(cue(shouted, 0, 2000))
    assert room.asked == [[shouted], ["It is raining again!"]]
    assert [(line.text, line.again) for line in room.made().segments] == [("- Está chovendo de novo!", True)]
    assert (result.doubted, result.retried) == (0, 1)


def test_at_most_a_quarter_is_tried_again(room: Room) -> None:
    lines = [f"This is line {chr(97 + place // 26)}{chr(97 + place % 26)} of it." for place in range(80)]
    room.answers = {line: line for line in lines}
    asked: list[str] = []

    def second(texts: Sequence[str], progress: Progress) -> list[str]:
        asked.extend(texts)
        return list(texts)

    cues = [cue(line, place * 3000, place * 3000 + 2000) for place, line in enumerate(lines)]
    result = room.run(*cues, again=second)
    assert asked == lines[:20]
    assert (result.doubted, result.retried) == (80, 20)


def test_numbers_are_mended_before_anybody_doubts_them(room: Room) -> None:
    room.answers = {"It costs $1,500.50.": "Custa $1.500.50."}
    result = room.run(cue("It costs $1,500.50.", 0, 2000))
    assert room.made().segments[0].text == "Custa $1.500,50."
    assert (result.marks, result.retried) == ({}, 0)


def test_what_no_file_can_hold_is_replaced(room: Room) -> None:
    room.answers = {"Hello there.": "Olá\n \ud83d aí."}
    room.run(cue("Hello there.", 0, 1000))
    assert room.made().segments[0].text == "Olá ? aí."


def test_a_translator_that_loses_a_sentence_is_found_out(room: Room) -> None:
    with pytest.raises(BugError, match="0 translations of 1 sentences"):
        room.run(cue("Hello.", 0, 1000), translate=lambda texts, progress: [])


def test_a_cancelled_call_ends_at_the_next_word_of_progress(room: Room) -> None:
    room.context.cancelled.set()
    with pytest.raises(CancelledError):
        room.run(cue("Hello.", 0, 1000))
    assert room.asked == []


def test_what_is_no_transcript_is_refused(room: Room) -> None:
    path = room.root / "x.json"
    path.write_text("[]")
    artefact = describe_file(path, path.name)
    request = TranslateRequest(
        transcript=artefact, audio=artefact, source_language="en", target_language="pt"
    )
    with pytest.raises(InputError, match=r"x\.json is not a transcript"):
        translate_transcript(request, room.context, "e", room.translate)


def stretches(room: Room, target: str, ways_of: WaysOf | None) -> tuple[TranslateResult, Transcript]:
    """Translate a film in English, then German, then English."""
    segments = (
        cue("We were going home.", 0, 1000),
        replace(cue("Das war am 3. Oktober.", 1000, 2000), language="de"),
        replace(cue("Ja.", 2000, 3000), language="de", marks=("heard-again",)),
        cue("Yes.", 3000, 4000),
    )
    path = room.root / "transcript.json"
    write_json(path, to_plain(Transcript(language="en", segments=segments, engine="a-recogniser")))
    artefact = describe_file(path, path.name)
    request = TranslateRequest(
        transcript=artefact,
        audio=artefact,
        source_language="en",
        target_language=target,
        source_script="Latn",
    )
    result = translate_transcript(request, room.context, "some-engine", room.translate, None, ways_of)
    return result, room.made(target)


def test_each_stretch_is_translated_from_its_own_language(room: Room) -> None:
    asked: list[TranslateRequest] = []
    german: list[str] = []

    def from_german(texts: Sequence[str], progress: Progress) -> list[str]:
        german.extend(texts)
        progress(0.5)
        return [f"Do alemão: {text}" for text in texts]

    def ways_of(request: TranslateRequest) -> Ways:
        asked.append(request)
        return from_german, None

    result, made = stretches(room, "pt", ways_of)
    assert room.asked == [["We were going home.", "Yes."]]
    assert german == ["Das war am 3. Oktober.", "Ja."], "a German ordinal ends no sentence"
    assert [(request.source_language, request.source_script) for request in asked] == [("de", "")]
    assert [segment.text for segment in made.segments] == [
        "Traduzido: We were going home.",
        "Do alemão: Das war am 3. Oktober.",
        "Do alemão: Ja.",
        "Traduzido: Yes.",
    ]
    assert {segment.language for segment in made.segments} == {""}
    assert result.notes == ()
    shares = [share for share, _ in room.reports]
    assert shares == sorted(shares)


def test_what_is_in_the_target_s_language_stays_as_it_is(room: Room) -> None:
    result, made = stretches(room, "de", None)
    assert room.asked == [["We were going home.", "Yes."]]
    assert [segment.text for segment in made.segments[1:3]] == ["Das war am 3. Oktober.", "Ja."]
    assert [(segment.marks, segment.language) for segment in made.segments[1:3]] == [((), "")] * 2
    assert [segment.engine for segment in made.segments] == [
        "some-engine",
        "a-recogniser",
        "a-recogniser",
        "some-engine",
    ], "no translator wrote what stays"
    assert result.notes == ()


def test_a_language_that_the_engine_does_not_have_stays_with_a_mark_and_a_note(room: Room) -> None:
    def ways_of(request: TranslateRequest) -> Ways:
        raise InputError("The model a translates 'en' into 'pt', not 'de' into 'pt'.")

    result, _ = stretches(room, "pt", None)
    assert result.notes == ("German is not translated: some-engine translates from one language in a film",)
    result, made = stretches(room, "pt", ways_of)
    assert result.notes == (
        "German is not translated: The model a translates 'en' into 'pt', not 'de' into 'pt'",
    )
    kept = made.segments[1:3]
    assert [(segment.text, segment.language, segment.marks) for segment in kept] == [
        ("Das war am 3. Oktober.", "de", ("untranslated",)),
        ("Ja.", "de", ("untranslated",)),
    ]
    assert result.marks == {"untranslated": 2}


def test_what_is_wrong_with_the_film_s_own_language_is_raised(room: Room) -> None:
    def refuse(texts: Sequence[str], progress: Progress) -> list[str]:
        raise InputError("No.")

    with pytest.raises(InputError):
        room.run(cue("We were going home.", 0, 1000), translate=refuse)


def test_nobody_is_asked_where_all_that_is_left_is_in_the_target_s_language(room: Room) -> None:
    result = room.run(replace(cue("Ja.", 0, 1000), language="de"), target="de")
    assert room.asked == []
    assert (result.notes, result.marks) == ((), {})
    assert [(segment.text, segment.language) for segment in room.made("de").segments] == [("Ja.", "")]
