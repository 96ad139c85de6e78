"""OpenAI's `diarized_json`, read by the types of its own client."""

from __future__ import annotations

import pytest
from openai.types.audio import TranscriptionDiarized

from clients.api.answers import HttpProblem
from clients.api.bodies import Arrived
from clients.api.openai.documents import diarized_document
from clients.api.openai.speakers import said_by
from clients.api.openai.wishes import DIARIZING_MODEL, read_wish
from clients.api.speech.forms import Form
from clients.api.speech.found import Found
from protocol.timeline import Segment, Transcript, Word


def word(text: str, start_ms: int, speaker: str = "") -> Word:
    return Word(text=text, start_ms=start_ms, end_ms=start_ms + 100, speaker=speaker)


def transcript(*segments: tuple[str, tuple[Word, ...]], language: str = "en") -> Transcript:
    return Transcript(
        language=language,
        segments=tuple(
            Segment(start_ms=words[0].start_ms, end_ms=words[-1].end_ms, text=text, words=words)
            for text, words in segments
        ),
    )


TALK = transcript(
    (
        "Are you coming? In a minute.",
        tuple(
            word(text, 200 * place, speaker)
            for place, (text, speaker) in enumerate(
                [("Are", "2"), ("you", "2"), ("coming?", ""), ("In", "1"), ("a", "1"), ("minute.", "1")]
            )
        ),
    ),
    ("Good.", (word("Good.", 2_000, "2"),)),
)


def test_a_segment_is_cut_where_another_person_speaks() -> None:
    found = [(part["speaker"], part["text"], part["start"]) for part in said_by(TALK)]
    assert found == [("A", "Are you coming?", 0.0), ("B", "In a minute.", 0.6), ("A", "Good.", 2.0)]


def test_text_without_spaces_stays_as_it_is_written() -> None:
    words = (word("君", 0, "1"), word("だ", 200, "1"), word("私", 400, "2"))
    talk = transcript(("君だ私", words), language="ja")
    assert [part["text"] for part in said_by(talk)] == ["君だ", "私"]


def test_where_no_voice_was_found_one_says_it_all() -> None:
    talk = transcript(("Yes, sir.", (word("Yes,", 0), word("sir.", 200))))
    assert [(part["speaker"], part["text"]) for part in said_by(talk)] == [("A", "Yes, sir.")]


def test_the_twenty_seventh_voice_has_two_letters() -> None:
    words = tuple(word("word", 200 * place, str(place)) for place in range(28))
    talk = transcript((" ".join(["word"] * 28), words))
    assert [part["speaker"] for part in said_by(talk)][24:] == ["Y", "Z", "AA", "AB"]


def test_the_client_reads_the_answer() -> None:
    found = Found(job="job-1", transcript=TALK, heard="en", probability=None, duration_s=2.5, files={})
    read = TranscriptionDiarized.model_validate(diarized_document(found), strict=True)
    assert [segment.speaker for segment in read.segments] == ["A", "B", "A"]


def wish(**fields: str):
    return read_wish(Form(fields={name: [value] for name, value in fields.items()}), translates=False)


def test_who_asks_for_speakers_asks_for_the_stage_that_tells_them(tmp_path) -> None:
    film = Arrived(path=tmp_path / "talk.mp3", name="talk.mp3", sha256="0" * 64, size=1)
    asked = wish(response_format="diarized_json", model=DIARIZING_MODEL).wanted.submission(
        film, "talk", "/out"
    )
    plain = wish(response_format="json", model=DIARIZING_MODEL).wanted.submission(film, "talk", "/out")
    assert (asked.with_stages, plain.with_stages) == (("diarize",), ())
    assert asked.key != plain.key


def test_known_speakers_by_samples_are_refused_with_the_other_way() -> None:
    with pytest.raises(HttpProblem) as refused:
        wish(response_format="diarized_json", **{"known_speaker_names[]": "Anna"})
    assert "cpw speakers" in refused.value.info.remedy
