from __future__ import annotations

import json

import pytest

from protocol.artefacts import describe_file, write_json
from protocol.errors import InputError, UsageError
from protocol.schema import from_plain, to_plain
from protocol.stages.subtitle import SubtitleRequest
from protocol.timeline import Segment, Transcript, Word
from tests.little_films import Scratch
from workers.engines.common.subtitle import CueSubtitle
from workers.engines.common.tracks import shift, with_words

SPEECH = Transcript(
    language="hi",
    language_probability=0.98,
    segments=(
        Segment(
            start_ms=1_000,
            end_ms=3_000,
            text="नमस्ते दुनिया।",
            words=(
                Word(text="नमस्ते", start_ms=1_000, end_ms=2_000, probability=0.9, timed_by="wav2vec2"),
                Word(text="दुनिया।", start_ms=2_000, end_ms=3_000, probability=0.8, timed_by="wav2vec2"),
            ),
        ),
        Segment(start_ms=6_000, end_ms=8_000, text="फिर मिलेंगे"),
    ),
)


@pytest.fixture
def ask(tmp_path):
    def run(transcript=SPEECH, **changes):
        write_json(tmp_path / "transcript.json", to_plain(transcript))
        asked = {"title": "Film", "media_duration_ms": 60_000, **changes}
        artefact = describe_file(tmp_path / "transcript.json", "transcript.json")
        return CueSubtitle().run(SubtitleRequest(transcript=artefact, **asked), Scratch(tmp_path))

    return run


def test_files_come_in_the_order_asked_for_and_carry_title_and_language(ask):
    result = ask(formats=("vtt", "json", "srt", "txt"))
    assert [file.path for file in result.files] == [
        "Film.hi.vtt",
        "Film.hi.json",
        "Film.hi.srt",
        "Film.hi.txt",
    ]
    assert result.language == "hi"
    assert result.cue_count == 2
    assert result.first_cues[0] == "00:00:01.000 --> 00:00:03.000  नमस्ते दुनिया।"


def test_styled_formats_are_written_when_they_are_asked_for(ask, tmp_path):
    ask(formats=("ass", "ttml", "tsv"), karaoke=True)
    assert "\\k100}नमस्ते" in (tmp_path / "Film.hi.ass").read_text()
    assert 'xml:lang="hi"' in (tmp_path / "Film.hi.ttml").read_text()
    assert (tmp_path / "Film.hi.tsv").read_text().splitlines()[1] == "1000\t3000\tनमस्ते दुनिया।"


def test_files_are_utf8_without_a_byte_order_mark(ask, tmp_path):
    ask()
    assert (tmp_path / "Film.hi.srt").read_bytes().startswith(b"1\n00:00:01,000 --> ")
    assert (tmp_path / "Film.hi.vtt").read_bytes().startswith(b"WEBVTT\n")


def test_the_offset_is_added_to_cues_and_words(ask, tmp_path):
    result = ask(offset_ms=10_000, formats=("srt", "json"))
    assert result.first_cues[0].startswith("00:00:11.000")
    written = from_plain(Transcript, json.loads((tmp_path / "Film.hi.json").read_text()))
    assert written == shift(with_words(SPEECH), 10_000)
    assert written.language_probability == 0.98
    assert written.words()[0].probability == 0.9


def test_text_is_one_sentence_a_line(ask, tmp_path):
    ask(formats=("txt",))
    assert (tmp_path / "Film.hi.txt").read_text() == "नमस्ते दुनिया।\nफिर मिलेंगे\n"


def test_a_segment_without_words_keeps_its_text(ask):
    first, second = with_words(SPEECH).segments[1].words
    assert (first.text, first.start_ms, second.end_ms) == ("फिर", 6_000, 8_000)
    assert first.end_ms == second.start_ms
    assert first.timed_by == "interpolated"


def test_a_silent_film_gets_valid_files_without_cues(ask, tmp_path):
    result = ask(Transcript(language="und", segments=()), formats=("srt", "vtt", "txt", "json"))
    assert result.cue_count == 0
    assert result.first_cues == ()
    assert (tmp_path / "Film.und.srt").read_bytes() == b""
    assert (tmp_path / "Film.und.vtt").read_bytes() == b"WEBVTT\n\n"
    assert (tmp_path / "Film.und.txt").read_bytes() == b""
    assert json.loads((tmp_path / "Film.und.json").read_text())["segments"] == []


def test_a_title_cannot_lead_out_of_the_folder(ask, tmp_path):
    (srt, _) = ask(title="../../x").files
    assert srt.path == "x.hi.srt"
    assert (tmp_path / "x.hi.srt").is_file()


def test_a_format_asked_for_twice_is_written_once(ask):
    assert len(ask(formats=("srt", "srt")).files) == 1


def test_an_unknown_format_is_refused_by_name(ask):
    with pytest.raises(UsageError, match="'docx' is not a subtitle format"):
        ask(formats=("srt", "docx"))


@pytest.mark.parametrize("content", ["{", '{"language": 3, "segments": []}', "\udcff"])
def test_a_broken_transcript_is_named(tmp_path, content):
    path = tmp_path / "transcript.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    request = SubtitleRequest(
        transcript=describe_file(path, "transcript.json"), title="Film", media_duration_ms=1_000
    )
    with pytest.raises(InputError, match=r"transcript\.json is not a transcript"):
        CueSubtitle().run(request, Scratch(tmp_path))


def test_a_rule_that_no_cue_can_keep_is_refused_by_name(ask):
    with pytest.raises(UsageError, match=r"subtitle\.max_lines is 0, but must be 1 or more"):
        ask(max_lines=0)


def test_what_was_cleaned_away_stands_in_the_quality_report_on_the_films_clock(ask, tmp_path):
    found = {"rule": "loops", "reason": "said 20 times", "start_ms": 100, "end_ms": 900, "text": "Oh my god."}
    write_json(tmp_path / "cleaning.json", {"version": 1, "removed": [found], "kept": []})
    ask(cleaning=describe_file(tmp_path / "cleaning.json", "cleaning.json"), offset_ms=2_000)
    report = json.loads((tmp_path / "Film.hi.qc.json").read_text())
    assert report["removed"] == [{**found, "start_ms": 2_100, "end_ms": 2_900}]


@pytest.mark.parametrize("content", ["{", '{"removed": 3}', '{"removed": [{"rule": "loops"}]}'])
def test_a_broken_report_of_cleaning_is_named(ask, tmp_path, content):
    (tmp_path / "cleaning.json").write_text(content)
    with pytest.raises(InputError, match=r"cleaning\.json does not say what was removed"):
        ask(cleaning=describe_file(tmp_path / "cleaning.json", "cleaning.json"))


def test_another_script_has_its_own_name_and_its_own_reading_speed(ask, tmp_path):
    result = ask(script="Latn", formats=("srt", "ttml"))
    assert [file.path for file in result.files] == ["Film.hi-Latn.srt", "Film.hi-Latn.ttml"]
    assert result.language == "hi-Latn"
    assert result.first_cues == (
        "00:00:01.000 --> 00:00:03.000  Namaste duniya.",
        "00:00:06.000 --> 00:00:08.000  Phir milenge",
    )
    assert 'xml:lang="hi-Latn"' in (tmp_path / "Film.hi-Latn.ttml").read_text()
    report = json.loads((tmp_path / "Film.hi-Latn.qc.json").read_text())
    assert report["language"] == "hi-Latn"


def test_hindi_in_arabic_script_runs_from_right_to_left(ask, tmp_path):
    ask(script="Arab", formats=("srt",))
    assert "\u202bنمستے دنیا" in (tmp_path / "Film.hi-Arab.srt").read_text()


def test_a_film_without_speech_has_no_script(ask):
    assert ask(Transcript(language="und", segments=()), script="Latn").language == "und"
