"""A film over two translators: the second one does what the first has left, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from protocol.artefacts import Artefact, describe_file, write_json
from protocol.schema import from_plain, to_plain
from protocol.stages.translate import TranslateRequest, TranslateResult
from protocol.timeline import Segment, Transcript
from workers.context import CallContext
from workers.models import ModelShelf
from workers.text.sentences import Sentence
from workers.text.translating import (
    Meaning,
    Tell,
    Ways,
    WaysOf,
    meaning_of,
    translate_sentences,
    translate_transcript,
)

ENGLISH = Segment(start_ms=0, end_ms=4_000, text="We were going home. It rained. Yes. Yes.")
GERMAN = Segment(start_ms=5_000, end_ms=7_000, text="Ich komme morgen. Ja.", language="de")


class Room:
    """A job folder with a film."""

    def __init__(self, root: Path, *segments: Segment) -> None:
        self.root = root
        self.context = CallContext(root, ".scratch/translate", "translate", ModelShelf(root), lambda *_: None)
        film = self.file("film.json", Transcript(language="en", segments=segments))
        self.request = TranslateRequest(
            transcript=film, audio=film, source_language="en", target_language="pt", model="m"
        )
        self.asked: list[str] = []

    def file(self, name: str, transcript: Transcript) -> Artefact:
        write_json(self.root / name, to_plain(transcript))
        return describe_file(self.root / name, name)

    def made(self, name: str = "transcript") -> Transcript:
        path = self.root / ".scratch" / "translate" / f"{name}.pt.json"
        return from_plain(Transcript, json.loads(path.read_text()))

    def first(self, *left: str) -> TranslateResult:
        """Translate all but the sentences that are named."""

        def meanings(sentences: Sequence[Sentence], request: TranslateRequest, tell: Tell) -> list[Meaning]:
            return [
                Meaning(text="", marks=("untranslated",), left=True)
                if sentence.text in left
                else meaning_of(sentence.text, f"Primeiro: {sentence.text}", request)
                for sentence in sentences
            ]

        return translate_sentences(self.request, self.context, "first", meanings)

    def second(self, draft: Transcript, ways_of: WaysOf | None = None) -> TranslateResult:
        request = replace(self.request, draft=self.file("draft.json", draft))
        return translate_transcript(request, self.context, "second", self.translate, None, ways_of)

    def translate(self, texts: Sequence[str], progress: Callable[[float], None]) -> list[str]:
        self.asked += texts
        return [f"Segundo: {text}" for text in texts]


def test_what_one_translator_leaves_has_time_and_mark_and_is_a_draft(tmp_path: Path) -> None:
    room = Room(tmp_path, ENGLISH)
    result = room.first("It rained.")
    assert (result.left, result.transcript.path) == (1, "translate/draft.pt.json")
    lines = room.made("draft").segments
    assert [(line.text, line.marks) for line in lines] == [
        ("Primeiro: We were going home.", ()),
        ("", ("untranslated",)),
        ("Primeiro: Yes.", ()),
        ("Primeiro: Yes.", ()),
    ]
    assert lines[1].start_ms >= lines[0].end_ms


def test_the_next_one_does_what_is_left_and_the_rest_stays(tmp_path: Path) -> None:
    room = Room(tmp_path, ENGLISH)
    room.first("It rained.")
    draft = room.made("draft")
    result = room.second(draft)
    assert room.asked == ["It rained."]
    lines = room.made().segments
    assert [(line.text, line.engine) for line in lines] == [
        ("Primeiro: We were going home.", "first"),
        ("Segundo: It rained.", "second"),
        ("Primeiro: Yes.", "first"),
        ("Primeiro: Yes.", "first"),
    ]
    assert lines[0] == draft.segments[0], "marks, words and times too"
    assert (result.left, result.marks) == (0, {})


def test_a_draft_of_another_film_is_of_no_use(tmp_path: Path) -> None:
    room = Room(tmp_path, ENGLISH)
    room.second(Transcript(language="pt", segments=(Segment(start_ms=1, end_ms=2, text="Oi."),)))
    assert room.asked == ["We were going home.", "It rained.", "Yes."]


def test_what_the_first_one_did_from_a_language_that_the_next_does_not_have_stays(tmp_path: Path) -> None:
    room = Room(tmp_path, ENGLISH, GERMAN)
    room.first("It rained.")
    result = room.second(room.made("draft"))
    texts = [line.text for line in room.made().segments]
    assert texts[-2:] == ["Primeiro: Ich komme morgen.", "Primeiro: Ja."]
    assert result.notes == ()


def test_what_nobody_has_stays_as_it_was_said_with_its_mark(tmp_path: Path) -> None:
    room = Room(tmp_path, ENGLISH, GERMAN)
    room.first("Ich komme morgen.")
    result = room.second(room.made("draft"))
    lines = room.made().segments[-2:]
    assert [(line.text, line.language, line.marks) for line in lines] == [
        ("Ich komme morgen.", "de", ("untranslated",)),
        ("Primeiro: Ja.", "", ()),
    ]
    assert len(result.notes) == 1


def test_what_was_left_of_another_language_goes_to_who_has_it(tmp_path: Path) -> None:
    room = Room(tmp_path, ENGLISH, GERMAN)
    room.first("Ja.")

    def ways_of(request: TranslateRequest) -> Ways:
        assert request.source_language == "de"
        return room.translate, None

    room.second(room.made("draft"), ways_of)
    assert room.asked == ["Ja."]
    assert room.made().segments[-1].text == "Segundo: Ja."
