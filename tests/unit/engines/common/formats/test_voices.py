"""Who speaks, in every format, as other programs read it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pysubs2
import pytest
import webvtt
from lxml import etree

from protocol.timeline import Segment, Speaker, Transcript, Word
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.formats.reading.files import read_cues
from workers.engines.common.formats.voices import PALETTE, colours_of
from workers.engines.common.tracks import Track, called, cut_track

NAME = "Gabbar & <Sambha>, Sons"
NAMES = {"1": NAME, "3": "Thakur"}
TTML = {"t": "http://www.w3.org/ns/ttml", "ttm": "http://www.w3.org/ns/ttml#metadata"}
ID = "{http://www.w3.org/XML/1998/namespace}id"
AGENT = "{http://www.w3.org/ns/ttml#metadata}agent"
TURNS = (
    ("1", 1_000, "How many men were there with you in the village?"),
    ("2", 6_000, "Two."),
    ("1", 6_420, "Two?"),
    ("3", 12_000, "They were two, and you were three, and still you came back to me."),
    ("", 20_000, "Somebody unknown says this at the end."),
)


def transcript(*turns: tuple[str, int, str], language: str = "en") -> Transcript:
    segments = []
    for speaker, start, text in turns:
        words = tuple(
            Word(text=part, start_ms=start + 200 * at, end_ms=start + 200 * at + 180, speaker=speaker)
            for at, part in enumerate(text.split())
        )
        segments.append(Segment(start_ms=start, end_ms=words[-1].end_ms, text=text, words=words))
    ids = sorted({speaker for speaker, _, _ in turns if speaker})
    speakers = tuple(Speaker(id=name, speech_ms=10_000 - int(name)) for name in ids)
    return Transcript(language=language, segments=tuple(segments), speakers=speakers)


def track(*turns: tuple[str, int, str], names: dict[str, str] = NAMES, profile: str = "netflix") -> Track:
    made = called(transcript(*(turns or TURNS)), names)
    rules = rules_for(profile, "en", names={speaker.id: speaker.name for speaker in made.speakers})
    return cut_track(made, rules, profile=profile, provenance={"title": "A film"})


def written(form: str, made: Track | None = None) -> str:
    return (made or track()).write(form).decode()


def test_webvtt_has_a_voice_for_each_line_and_webvtt_py_reads_it(tmp_path: Path) -> None:
    text = written("vtt")
    assert "<v Gabbar &amp; &lt;Sambha&gt;, Sons>How many men were there\nwith you in the village?\n" in text
    assert "<v Speaker 2>-Two.</v>\n<v Gabbar &amp; &lt;Sambha&gt;, Sons>-Two?</v>\n" in text
    captions = webvtt.from_string(written("vtt", track(names={"1": "Gabbar", "3": "Thakur"}))).captions
    assert [caption.voice for caption in captions] == ["Gabbar", "Speaker 2", "Thakur", None]
    assert [caption.text for caption in captions][1] == "-Two.\n-Two?"
    assert text.count("<v ") == 4, "the lines of one voice share a span"
    (tmp_path / "a.vtt").write_text(text)
    cues = read_cues(tmp_path / "a.vtt")
    assert [cue.speakers for cue in cues] == [(NAME, NAME), ("Speaker 2", NAME), ("Thakur", "Thakur"), ()]
    assert [cue.lines for cue in cues] == [cue.lines for cue in track().cues]


def test_pysubs2_reads_the_names_in_ass() -> None:
    file = pysubs2.SSAFile.from_string(written("ass"))
    assert [event.name for event in file] == [
        "Gabbar & <Sambha> Sons",
        "Speaker 2 / Gabbar & <Sambha> Sons",
        "Thakur",
        "",
    ]
    assert [event.plaintext for event in file][1] == "-Two.\n-Two?"
    assert set(file.styles) == {"Default"}


def test_each_speaker_has_a_style_with_a_colour_if_it_is_asked_for() -> None:
    file = pysubs2.SSAFile.from_string(written("ass", replace(track(), speaker_colours=True)))
    styles = {name: style.primarycolor for name, style in file.styles.items()}
    assert {name: (colour.r, colour.g, colour.b) for name, colour in styles.items()} == {
        "Default": PALETTE[0],
        "Gabbar & <Sambha> Sons": PALETTE[0],
        "Speaker 2": PALETTE[1],
        "Thakur": PALETTE[2],
    }
    assert [event.style for event in file] == ["Gabbar & <Sambha> Sons", "Speaker 2", "Thakur", "Default"]
    assert file[1].text == r"-Two.\N{\rGabbar & <Sambha> Sons}-Two?"


def test_a_speaker_who_is_called_as_a_style_is_does_not_take_its_place() -> None:
    made = replace(track(names={"1": "Default", "2": "Jai"}), speaker_colours=True)
    file = pysubs2.SSAFile.from_string(written("ass", made))
    assert [event.style for event in file] == ["Speaker Default", "Jai", "Speaker 3", "Default"]


def test_a_name_with_signs_of_markup_is_a_style_all_the_same() -> None:
    made = replace(track(names={"1": r"{\\i1}Gabbar, Jr."}), speaker_colours=True)
    file = pysubs2.SSAFile.from_string(written("ass", made))
    (name,) = {event.style for event in file if "Gabbar" in event.style}
    assert name in file.styles
    assert not {*"{}\\,"} & {*name}
    assert file[1].plaintext == "-Two.\n-Two?"


@pytest.mark.parametrize("name", [",", "{}", "a b", "Thakur", "default", "Jai (old)"])
def test_whatever_a_speaker_is_called_has_a_style_of_its_own(name: str) -> None:
    made = track(names={"1": name, "2": "a,b", "3": "Thakur,"})
    file = pysubs2.SSAFile.from_string(written("ass", replace(made, speaker_colours=True)))
    first, both, third, nobody = (event.style for event in file)
    assert len({first, both, third, "Default", ""}) == 5
    assert [file.styles[style].primarycolor for style in (first, both, third)] == [
        pysubs2.Color(*colour) for colour in PALETTE[:3]
    ]
    # What stands in brackets behind the mark would be taken for the style's name.
    assert file[1].text == rf"-Two.\N{{\r{first}}}-Two?"
    assert not {*"()"} & {*first}
    assert nobody == "Default"


def test_who_speaks_most_is_white_and_from_the_fifth_on_all_are() -> None:
    speakers = [Speaker(id=str(number), speech_ms=number) for number in range(1, 7)]
    colours = colours_of(speakers)
    assert [colours[f"Speaker {number}"] for number in (6, 5, 4, 3, 2, 1)] == [*PALETTE, *PALETTE[:1] * 2]


def test_ttml_has_an_agent_for_each_speaker_and_lines_refer_to_it() -> None:
    root = etree.fromstring(written("ttml").encode())
    people = root.findall("t:head/t:metadata/ttm:agent", TTML)
    names = {person.get(ID): person.find("ttm:name", TTML).text for person in people}
    assert list(names.values()) == [NAME, "Speaker 2", "Thakur"]
    assert {person.get("type") for person in people} == {"person"}
    shown = [
        [names[element.get(AGENT)] for element in paragraph.iter() if element.get(AGENT)]
        for paragraph in root.iter(f"{{{TTML['t']}}}p")
    ]
    assert shown == [[NAME], ["Speaker 2", NAME], ["Thakur"], []]
    # The agents stand before what refers to them, in the place that TTML has for them.
    assert [etree.QName(child).localname for child in root[0]] == ["metadata", "styling", "layout"]


def test_json_has_the_speaker_of_each_word_and_line_and_who_they_are() -> None:
    document = json.loads(written("json"))
    assert document["speakers"] == [
        {"id": "1", "name": NAME, "speech_ms": 9_999},
        {"id": "2", "name": "", "speech_ms": 9_998},
        {"id": "3", "name": "Thakur", "speech_ms": 9_997},
    ]
    assert [cue.get("speakers") for cue in document["cues"]] == [["1", "1"], ["2", "1"], ["3", "3"], None]
    assert document["segments"][1]["words"][0]["speaker"] == "2"


def test_rttm_has_a_line_for_each_turn() -> None:
    rows = [line.split(" ") for line in written("rttm").splitlines()]
    assert {(row[0], row[1], row[2], len(row)) for row in rows} == {("SPEAKER", "A_film", "1", 10)}
    assert [(row[7], float(row[3]), float(row[4])) for row in rows] == [
        ("Gabbar_&_<Sambha>,_Sons", 1.0, 1.98),
        ("Speaker_2", 6.0, 0.18),
        ("Gabbar_&_<Sambha>,_Sons", 6.42, 0.18),
        ("Thakur", 12.0, 2.78),
    ]


def test_a_pause_ends_a_turn_in_rttm() -> None:
    rows = written("rttm", track(("1", 1_000, "One."), ("1", 3_000, "Two."))).splitlines()
    assert [row.split(" ")[3] for row in rows] == ["1.000", "3.000"]


def test_rttm_has_every_word_in_the_order_of_time_and_no_turn_without_length() -> None:
    turns = (("1", 5_000, "This is said later."), ("2", 5_100, "And this."), ("1", 1_000, "First of all."))
    rows = [line.split(" ") for line in written("rttm", track(*turns)).splitlines()]
    assert [(row[7].split("_")[0], float(row[3]), float(row[4])) for row in rows] == [
        ("Gabbar", 1.0, 0.58),
        ("Gabbar", 5.0, 0.78),
        ("Speaker", 5.1, 0.38),
    ]
    made = track(("1", 1_000, "One."))
    (segment,) = made.transcript.segments
    still = replace(segment, words=tuple(replace(word, end_ms=word.start_ms) for word in segment.words))
    assert written("rttm", replace(made, transcript=replace(made.transcript, segments=(still,)))) == ""


def test_a_table_has_a_column_for_speakers_and_text_has_names_before_its_sentences() -> None:
    rows = list(csv.DictReader(io.StringIO(written("tsv")), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [row["speaker"] for row in rows] == [NAME, f"Speaker 2; {NAME}", "Thakur", ""]
    assert written("txt").splitlines()[1:3] == ["[Speaker 2]: Two.", f"[{NAME}]: Two?"]
    assert written("txt").splitlines()[-1] == "Somebody unknown says this at the end."


def test_subrip_has_hyphens_and_no_names_but_in_the_profile_sdh() -> None:
    assert "\n-Two.\n-Two?\n" in written("srt")
    assert "Thakur" not in written("srt")
    named = written("srt", track(names={"1": "Gabbar", "3": "Thakur"}, profile="sdh"))
    assert "\n-Two.\n-[Gabbar] Two?\n" in named
    assert "[Thakur] They were two" in named.replace("\n", " ")
    assert "Speaker" not in named


def test_who_has_one_name_is_one_speaker() -> None:
    made = called(transcript(*TURNS), {"1": "Gabbar", "2": "Gabbar"})
    assert [(speaker.id, speaker.speech_ms) for speaker in made.speakers] == [("1", 19_997), ("3", 9_997)]
    assert {word.speaker for word in made.words()} == {"1", "3", ""}
    assert "-" not in written("srt", track(names={"1": "Gabbar", "2": "Gabbar"})).replace("-->", "")


@pytest.mark.parametrize("form", ["srt", "vtt", "ass", "ttml", "tsv", "txt", "json", "rttm"])
def test_without_speakers_no_file_speaks_of_them(form: str) -> None:
    text = written(form, track(*(("", start, said) for _, start, said in TURNS)))
    assert "peaker" not in text.replace("SpeakerColour", "")
    assert "agent" not in text
    assert "hyphens" not in text
    assert "<v" not in text


def test_karaoke_lights_up_words_behind_hyphens_and_names() -> None:
    made = track(names={"1": "Gabbar", "3": "Thakur"}, profile="sdh")
    file = pysubs2.SSAFile.from_string(written("ass", replace(made, karaoke=True)))
    assert [event.text.count(r"\k") for event in file if event.name != ""] == [10, 2, 14]
    assert file[1].text.startswith("-{")
    assert r"-[Gabbar] {" in file[1].text
