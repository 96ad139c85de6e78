"""The stage clean: two files, and a count for each rule."""

from __future__ import annotations

import json

import pytest

from protocol.artefacts import describe_file, write_json
from protocol.errors import InputError, UsageError
from protocol.schema import from_plain, to_plain
from protocol.stages.clean import CleanRequest
from protocol.timeline import Transcript
from tests.little_films import Scratch
from tests.sentences import IN_SPEECH, sentence
from workers.engines.common.cleaning.clean import TranscriptClean

SAID = sentence("वित्त मंत्रालय ने कहा है।", language="hi")
LOOP = sentence("जाओ। " * 20, start_ms=20_000, each_ms=30, language="hi")
CREDIT = sentence("देखने के लिए धन्यवाद।", start_ms=40_000, language="hi", no_speech=0.9)
FILM = Transcript(language="hi", segments=(SAID, LOOP, CREDIT), language_probability=0.9, engine="whisperx")


@pytest.fixture
def ask(tmp_path):
    def run(transcript=FILM, **changes):
        write_json(tmp_path / "in.json", to_plain(transcript))
        artefact = describe_file(tmp_path / "in.json", "in.json")
        request = CleanRequest(transcript=artefact, speech=IN_SPEECH, **changes)
        return TranscriptClean().run(request, Scratch(tmp_path))

    return run


def test_the_transcript_is_clean_and_the_report_says_what_went_and_why(ask, tmp_path):
    result = ask()
    assert result.removed == {"loops": 1, "credits": 1}
    assert result.segment_count == 2
    left = from_plain(Transcript, json.loads((tmp_path / "transcript.json").read_text()))
    assert [segment.text for segment in left.segments] == [SAID.text, "जाओ।"]
    assert (left.language, left.language_probability, left.engine) == ("hi", 0.9, "whisperx")
    report = json.loads((tmp_path / "cleaning.json").read_text())
    assert report["version"] == 1
    assert report["speech_known"]
    assert report["rules"]["max_graphemes_per_second"] == 40.0
    assert [removal["rule"] for removal in report["removed"]] == ["loops", "credits"]
    assert "20 times in a row" in report["removed"][0]["reason"]
    assert report["removed"][1]["text"] == CREDIT.text
    assert report["removed"][1]["start_ms"] == 40_000


def test_a_clean_transcript_comes_back_as_it_was(ask, tmp_path):
    result = ask(Transcript(language="hi", segments=(SAID,)))
    assert result.removed == {}
    assert (tmp_path / "transcript.json").read_bytes() == (tmp_path / "in.json").read_bytes()


def test_a_film_in_which_nothing_is_said_stays_empty(ask):
    assert ask(Transcript(language="und", segments=())).segment_count == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("loop_keep", 0), ("loop_repeats", 1), ("max_graphemes_per_second", 0.0), ("speech_margin_ms", -1)],
)
def test_a_threshold_that_cannot_be_is_refused_by_name(ask, name, value):
    with pytest.raises(UsageError, match=f"clean.{name}"):
        ask(**{name: value})


def test_what_is_no_transcript_is_refused(tmp_path):
    (tmp_path / "in.json").write_text("[]")
    artefact = describe_file(tmp_path / "in.json", "in.json")
    with pytest.raises(InputError, match="not a transcript"):
        TranscriptClean().run(CleanRequest(transcript=artefact), Scratch(tmp_path))


def test_hindi_that_was_heard_in_arabic_script_is_put_into_devanagari_and_marked(ask, tmp_path):
    heard = sentence("آپ کہاں ہیں؟", language="hi")
    result = ask(Transcript(language="hi", segments=(SAID, heard)))
    left = from_plain(Transcript, json.loads((tmp_path / "transcript.json").read_text()))
    assert [segment.text for segment in left.segments] == [SAID.text, "आप कहाँ हैं?"]
    assert [segment.marks for segment in left.segments] == [(), ("other-script",)]
    for before, after in zip(heard.words, left.segments[1].words, strict=True):
        assert (before.start_ms, before.end_ms) == (after.start_ms, after.end_ms)
    assert result.notes == (
        "1 line was heard in another script and put into that of Hindi, which is a guess: look at it",
    )


def test_urdu_that_was_heard_in_devanagari_is_put_into_arabic_script(ask, tmp_path):
    ask(Transcript(language="ur", segments=(sentence("आप कहाँ हैं?", language="ur"),)))
    left = from_plain(Transcript, json.loads((tmp_path / "transcript.json").read_text()))
    assert [segment.text for segment in left.segments] == ["آپ کہاں ہیں؟"]


def test_english_words_and_other_languages_are_not_touched(ask):
    mixed = sentence("Thank you میم", language="hi")
    assert ask(Transcript(language="hi", segments=(mixed,))).notes == ()
    assert ask(Transcript(language="fa", segments=(sentence("سلام", language="fa"),))).notes == ()


def test_a_name_that_is_spelt_otherwise_than_in_the_glossary_is_marked(ask, tmp_path):
    film = Transcript(language="en", segments=(sentence("Where is old Gabar now?"),))
    assert ask(film, terms=("Gabbar",)).notes == ("heard otherwise: Gabar for Gabbar",)
    left = from_plain(Transcript, json.loads((tmp_path / "transcript.json").read_text()))
    assert [segment.marks for segment in left.segments] == [("term",)]
    assert ask(film, terms=("Gabar",)).notes == ()
