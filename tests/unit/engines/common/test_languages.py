"""The language of text, by the real model: labelled lines, and what clean, subtitle and qc say."""

from __future__ import annotations

import json

import pytest

from protocol.artefacts import describe_file, write_json
from protocol.errors import InputError
from protocol.schema import from_plain, to_plain
from protocol.stages.clean import CleanRequest, CleanResult
from protocol.stages.subtitle import SubtitleRequest, SubtitleResult
from protocol.subtitles.doubts import OTHER_LANGUAGE, UNTRANSLATED
from protocol.timeline import Segment, Transcript
from tests.bench.languages import FLORES, WRONG_SHARE, flores, left_in_source, share_of_left, share_right
from tests.conftest import Figure
from tests.data import data
from tests.labelled.by_language import film_de, hindi_in_latin, language_lines
from tests.labelled.judging import real_judge, shelf_with_judge
from tests.little_films import NoModels, Scratch
from workers.engines.common.cleaning.clean import TranscriptClean
from workers.engines.common.qc import examine
from workers.engines.common.subtitle import CueSubtitle
from workers.text.languages import model as language_model
from workers.text.languages.model import judge_at, judge_of
from workers.text.languages.stretches import Line, foreign_in
from workers.text.languages.telling import is_other, tell

ENGLISH = [text for language, text in language_lines() if language == "en"]
HINDI = [text for language, text in language_lines() if language == "hi"]


def film(*texts, language="hi", **fields):
    """Return a transcript, a text after the other, six seconds each."""
    segments = [
        Segment(start_ms=6_000 * place, end_ms=6_000 * place + 5_500, text=text)
        for place, text in enumerate(texts)
    ]
    return Transcript(language=language, segments=tuple(segments), **fields)


@pytest.fixture
def clean(tmp_path):
    def run(transcript, **changes) -> CleanResult:
        write_json(tmp_path / "in.json", to_plain(transcript))
        request = CleanRequest(transcript=describe_file(tmp_path / "in.json", "in.json"), **changes)
        return TranscriptClean().run(request, Scratch(tmp_path, models=shelf_with_judge()))

    return run


@pytest.fixture
def subtitle(tmp_path):
    def run(transcript) -> SubtitleResult:
        write_json(tmp_path / "in.json", to_plain(transcript))
        artefact = describe_file(tmp_path / "in.json", "in.json")
        request = SubtitleRequest(transcript=artefact, title="Film", media_duration_ms=3_600_000)
        return CueSubtitle().run(request, Scratch(tmp_path, models=shelf_with_judge()))

    return run


def marks_in(folder):
    made = from_plain(Transcript, json.loads((folder / "transcript.json").read_bytes()))
    return [segment.marks for segment in made.segments]


@pytest.mark.parametrize(("language", "text"), language_lines())
def test_a_labelled_line_is_told_to_be_in_its_language(language, text):
    told = tell(text, real_judge())
    assert (told.language if told else "") == language


@pytest.mark.parametrize("text", hindi_in_latin())
def test_hindi_in_latin_letters_is_no_other_language(text):
    judge = real_judge()
    told = tell(text, judge)
    assert told is None or not is_other(told, "hi")
    lines = [Line(place=place, text=part, language="hi") for place, part in enumerate([text] * 4)]
    assert foreign_in(lines, judge) == ()


def test_english_that_stands_in_a_hindi_transcript_is_marked_and_noted(clean, tmp_path):
    result = clean(film(*HINDI, *HINDI, *ENGLISH, *HINDI))
    assert result.notes == ("3 sentences from 00:00:24 to 00:00:41 are in English, not in Hindi",)
    assert marks_in(tmp_path) == [()] * 4 + [(OTHER_LANGUAGE,)] * 3 + [()] * 2
    report = json.loads((tmp_path / "cleaning.json").read_bytes())
    assert [(kept["rule"], kept["reason"]) for kept in report["kept"]] == [
        ("other_language", "in English, not in Hindi")
    ] * 3


def test_a_sentence_that_says_its_language_or_stands_alone_is_not_marked(clean, tmp_path):
    assert clean(film(*HINDI, ENGLISH[0], *HINDI)).notes == ()
    spoken = film(*HINDI, *ENGLISH)
    own = [Segment(**{**vars(part), "language": "en"}) for part in spoken.segments[2:]]
    marked = Transcript(language="hi", segments=(*spoken.segments[:2], *own))
    assert clean(marked).notes == ()
    assert clean(film(*HINDI, *ENGLISH), other_language=False).notes == ()
    assert not any(marks_in(tmp_path))


def test_a_translation_with_a_stretch_left_in_its_source_says_which_cues(subtitle, tmp_path):
    made = film(*ENGLISH, *HINDI, *ENGLISH, language="en", translated_from="hi")
    result = subtitle(made)
    report = json.loads((tmp_path / "Film.en.qc.json").read_bytes())
    (stretch,) = report["foreign"]
    (rule,) = (rule for rule in report["rules"] if rule["rule"] == "language")
    assert (stretch["language"], stretch["instead_of"]) == ("hi", "en")
    assert (stretch["start_ms"], stretch["end_ms"] // 1_000) == (18_000, 29)
    cues = [cue["cue"] for cue in rule["cues"]]
    assert cues == list(range(stretch["first_cue"], stretch["last_cue"] + 1))
    assert not report["ok"]
    assert f"{len(cues)} cues in another language" in result.quality
    times = "from 00:00:18 to 00:00:29"
    assert result.notes == (f"cues {cues[0]} to {cues[-1]}, {times}, are in Hindi, not in English",)


def test_what_the_translator_doubts_and_what_was_heard_are_not_told_again(subtitle, tmp_path):
    made = film(*ENGLISH, *HINDI, *ENGLISH, language="en", translated_from="hi")
    doubted = [
        Segment(**{**vars(part), "marks": (UNTRANSLATED,) if part.text in HINDI else ()})
        for part in made.segments
    ]
    result = subtitle(Transcript(language="en", segments=tuple(doubted), translated_from="hi"))
    assert (result.notes, "another language" in result.quality) == ((), False)
    assert subtitle(film(*ENGLISH, *HINDI, language="en")).notes == ()


def test_a_file_is_held_to_its_language_and_without_one_it_is_told(tmp_path):
    judge = real_judge()
    file = tmp_path / "Film.srt"
    file.write_text(
        "".join(
            f"{number}\n00:00:{number * 4:02d},000 --> 00:00:{number * 4 + 3:02d},000\n{text}\n\n"
            for number, text in enumerate((*HINDI, *ENGLISH), 1)
        )
    )
    hindi = examine(file, language="hi", judge=judge)
    (stretch,) = hindi.foreign
    assert (stretch.first_cue, stretch.last_cue, stretch.first_line, stretch.last_line) == (3, 5, 11, 19)
    assert (hindi.ok, hindi.language_by, hindi.in_latin) == (False, "option", 0)
    found = examine(file, judge=judge)
    assert (found.language, found.language_by) == ("en", "text")
    assert [stretch.language for stretch in found.foreign] == ["hi"]
    unasked = examine(file)
    assert (unasked.language, unasked.language_by, unasked.foreign) == ("und", "", ())


def test_a_file_of_hindi_in_latin_letters_is_not_judged(tmp_path):
    file = tmp_path / "Film.hi.srt"
    file.write_text(
        "".join(
            f"{number}\n00:00:{number * 6:02d},000 --> 00:00:{number * 6 + 5:02d},000\n{text}\n\n"
            for number, text in enumerate(hindi_in_latin(), 1)
        )
    )
    report = examine(file, judge=real_judge())
    assert (report.foreign, report.in_latin, report.language_by) == ((), len(hindi_in_latin()), "name")


def test_without_the_model_or_the_library_nothing_is_judged(clean, tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO")
    assert judge_of(NoModels()) is None
    monkeypatch.setattr(language_model, "has_library", lambda: False)
    assert clean(film(*HINDI, *ENGLISH)).notes == ()
    assert not any(marks_in(tmp_path))
    said = [record.message for record in caplog.records]
    assert [line.partition(": ")[0] for line in said] == ["the language of the text is not checked"] * 2
    assert "cpw models fetch lid-176" in said[0]


def test_a_file_that_is_no_model_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "lid.176.ftz").write_bytes(b"no model")
    with pytest.raises(InputError, match=r"is not a model of fastText"):
        judge_at(tmp_path)


@pytest.mark.parametrize("language", FLORES)
def test_blocks_of_what_people_translated_are_told_right(figure: Figure, language):
    data("mt/flores200.eng.devtest")
    right, count = share_right(flores(language), language, real_judge())
    figure(f"blocks of FLORES in {language}: {right / count:.2%} of {count} told right")
    assert right >= (1 - WRONG_SHARE) * count


@pytest.mark.parametrize(("source", "target"), [("hi", "en"), ("en", "hi"), ("pt", "en"), ("ur", "hi")])
def test_what_of_a_translation_was_left_in_the_source_is_found(figure: Figure, source, target):
    data("mt/flores200.eng.devtest")
    assert sum(is_left for _, is_left in left_in_source(source, target)) > 500
    right, count = share_of_left(source, target, real_judge())
    figure(f"blocks of {target} with stretches in {source}: {right / count:.2%} of {count} marked right")
    assert right >= (1 - WRONG_SHARE) * count


def test_the_film_in_german_is_in_german():
    right, count = share_right(film_de(), "de", real_judge())
    assert right == count > 0
