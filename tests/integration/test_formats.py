"""Subtitle files in ten scripts as other programs read them, and as ffmpeg's libass shows them.

ffmpeg writes TTML but reads none, in any build: it has an encoder and a muxer for it, no demuxer. What it
makes of the same cues is compared with ours instead. TSV, TXT and JSON are no subtitle formats to it, nor to
pysubs2: these three, and TTML, are read by readers of their own kinds.
"""

from __future__ import annotations

import csv
import html
import io
import json
import os
import shutil
import subprocess
import unicodedata
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from pathlib import Path

import pysubs2
import pytest
import regex

from protocol.artefacts import describe_file, write_json
from protocol.schema import from_plain, to_plain
from protocol.stages.subtitle import SubtitleRequest
from protocol.subtitles.formats import WRITTEN_FORMATS
from protocol.timeline import Cue, Segment, Transcript
from tests.data import ROOT
from tests.little_films import PICTURE, Scratch
from tests.ten_scripts import TEN_SCRIPTS, cues_of, words_of
from workers.engines.common.cues.bilingual import pair
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.film.ffmpeg import file_url, find_ffmpeg
from workers.engines.common.formats.ass import FONTS, to_ass
from workers.engines.common.formats.srt_vtt import to_srt, to_vtt
from workers.engines.common.formats.ttml import to_ttml
from workers.engines.common.subtitle import CueSubtitle
from workers.engines.common.tracks import Track

pytestmark = pytest.mark.integration

WIDTH, HEIGHT = 640, 360
TT = "{http://www.w3.org/ns/ttml}"


def written(folder: Path, suffix: str, text: str) -> str:
    path = folder / f"film.{suffix}"
    path.write_text(text, encoding="utf-8")
    return file_url(path)


def quietly(*options: str) -> bytes:
    """What ffmpeg writes to its output, having warned of nothing."""
    command = [find_ffmpeg(), "-nostdin", "-hide_banner", "-loglevel", "warning", "-y", *options]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.stderr.decode() == ""
    assert done.returncode == 0
    return done.stdout


def as_text(srt: bytes) -> list[tuple[int, int, str]]:
    """Times and lines of a SubRip file, without markup and without invisible marks."""
    events = pysubs2.SSAFile.from_string(srt.decode(), format_="srt")
    clean = [regex.sub("<[^>]*>|[\u202a-\u202e\u2060]", "", event.plaintext) for event in events]
    return [(event.start, event.end, text) for event, text in zip(events, clean, strict=True)]


def expected(cues, rounded: int = 1) -> list[tuple[int, int, str]]:
    def at(time: int) -> int:
        return (time + rounded // 2) // rounded * rounded

    return [(at(cue.start_ms), at(cue.end_ms), "\n".join(cue.lines)) for cue in cues]


def track_of(language: str, *, karaoke: bool = False) -> Track:
    """Two cues in a language and their words, as a subtitle step has them."""
    words = words_of(language)
    text = " ".join(TEN_SCRIPTS[language])
    segment = Segment(start_ms=words[0].start_ms, end_ms=words[-1].end_ms, text=text, words=words)
    return Track(
        transcript=Transcript(language=language, segments=(segment,)),
        cues=cues_of(language),
        rules=rules_for("netflix", language),
        profile="netflix",
        karaoke=karaoke,
    )


def pair_of(language: str) -> Track:
    """English above another language."""
    return replace(track_of("en"), cues=pair(cues_of("en"), cues_of(language)))


PLAYED = (("srt", False, 1), ("vtt", False, 1), ("ass", False, 10), ("ass", True, 10))
"""Formats that players read, with karaoke or without, and how exact their times are in ms."""


@pytest.mark.parametrize("language", TEN_SCRIPTS)
def test_ffmpeg_reads_every_format_in_every_script(tmp_path, language):
    for suffix, karaoke, rounded in PLAYED:
        text = track_of(language, karaoke=karaoke).write(suffix).decode()
        read = quietly("-i", written(tmp_path, suffix, text), "-f", "srt", "-")
        assert as_text(read) == expected(cues_of(language), rounded), suffix


@pytest.mark.parametrize("language", [script for script in TEN_SCRIPTS if script != "en"])
def test_ffmpeg_reads_a_bilingual_file(tmp_path, language):
    both = pair_of(language)
    for suffix, _, rounded in PLAYED[:3]:
        read = quietly("-i", written(tmp_path, suffix, both.write(suffix).decode()), "-f", "srt", "-")
        assert as_text(read) == expected(both.cues, rounded), suffix


def through_pysubs2(text: str, form: str) -> list[tuple[int, int, str]]:
    """Times and lines of a file as pysubs2 reads it; of WebVTT it leaves the escapes to its caller."""
    events = pysubs2.SSAFile.from_string(text, format_=form)
    texts = [html.unescape(event.plaintext) if form == "vtt" else event.plaintext for event in events]
    clean = [regex.sub("[\u202a-\u202e\u2060]", "", text) for text in texts]
    return [(event.start, event.end, line) for event, line in zip(events, clean, strict=True)]


@pytest.mark.parametrize("language", TEN_SCRIPTS)
def test_pysubs2_reads_every_format_in_every_script(language):
    for suffix, karaoke, rounded in (*PLAYED, ("ttml", False, 1)):
        for track in (track_of(language, karaoke=karaoke), pair_of(language)):
            text = track.write(suffix).decode()
            assert through_pysubs2(text, suffix) == expected(track.cues, rounded), suffix


@pytest.mark.parametrize("language", TEN_SCRIPTS)
def test_pysubs2_writes_what_it_read_and_nothing_is_lost(language):
    for suffix, karaoke, rounded in PLAYED:
        track = track_of(language, karaoke=karaoke)
        events = pysubs2.SSAFile.from_string(track.write(suffix).decode(), format_=suffix)
        again = through_pysubs2(events.to_string(suffix), suffix)
        assert again == expected(track.cues, rounded), suffix


@pytest.mark.parametrize("language", TEN_SCRIPTS)
def test_xml_csv_and_json_readers_read_what_is_no_players_format(language):
    track = track_of(language)
    for subtitle_track in (track, pair_of(language)):
        assert ttml_cues(subtitle_track.write("ttml")) == expected(subtitle_track.cues)
        rows = list(
            csv.reader(io.StringIO(subtitle_track.write("tsv").decode()), "excel-tab", quoting=csv.QUOTE_NONE)
        )
        assert rows[0] == ["start", "end", "text"]
        times = [(int(start), int(end)) for start, end, _ in rows[1:]]
        assert times == [(cue.start_ms, cue.end_ms) for cue in subtitle_track.cues]
        assert [bare(text) for *_, text in rows[1:]] == [
            bare("".join(cue.lines)) for cue in subtitle_track.cues
        ]
    document = json.loads(track.write("json"))
    assert from_plain(Transcript, document) == track.transcript
    assert from_plain(Cues, document).cues == track.cues
    assert bare(track.write("txt").decode()) == bare("".join(TEN_SCRIPTS[language]))


@dataclass(frozen=True, kw_only=True)
class Cues:
    cues: tuple[Cue, ...]


def bare(text: str) -> str:
    return "".join(text.split())


def ttml_cues(data: bytes) -> list[tuple[int, int, str]]:
    """Times and lines of a TTML document by its elements: `br` parts lines."""

    def milliseconds(clock: str) -> int:
        hours, minutes, seconds = clock.split(":")
        return int(hours) * 3_600_000 + int(minutes) * 60_000 + round(float(seconds) * 1_000)

    cues = []
    for paragraph in ET.fromstring(data).iter(f"{TT}p"):
        for line_end in paragraph.iter(f"{TT}br"):
            line_end.text = "\n"
        times = (milliseconds(paragraph.attrib["begin"]), milliseconds(paragraph.attrib["end"]))
        cues.append((*times, "".join(paragraph.itertext())))
    return cues


@pytest.mark.parametrize("language", TEN_SCRIPTS)
def test_our_ttml_says_what_ffmpegs_own_says(tmp_path, language):
    def said(text: str) -> list[tuple[str, str, str]]:
        shown = ET.fromstring(text.encode()).iter(f"{TT}p")
        return [
            (paragraph.attrib["begin"], paragraph.attrib["end"], "".join(paragraph.itertext()))
            for paragraph in shown
        ]

    cues = cues_of(language)
    theirs = quietly("-i", written(tmp_path, "srt", to_srt(cues)), "-c:s", "ttml", "-f", "ttml", "-")
    assert said(to_ttml(cues, language)) == said(theirs.decode())
    assert len(said(theirs.decode())) == len(cues)


@pytest.mark.parametrize("language", TEN_SCRIPTS)
def test_an_ass_track_goes_into_a_film(tmp_path, language):
    subtitles = written(tmp_path, "ass", to_ass(cues_of(language), language))
    film = file_url(tmp_path / "film.mkv")
    quietly(*PICTURE, "-i", subtitles, "-c:v", "mpeg4", "-c:s", "copy", film)
    assert as_text(quietly("-i", film, "-f", "srt", "-")) == expected(cues_of(language), 10)


# every subtitle file there is, in one sweep

SUFFIXES = frozenset({"srt", "vtt", "ass", "ssa", "sub", "smi", "sami", "mpl", "sbv", "lrc", "stl"})
"""Of subtitle formats that ffmpeg has a demuxer for, so that ffprobe opens them."""


def opener() -> str:
    """The path of ffprobe where there is one; none came with `imageio-ffmpeg`."""
    return os.environ.get("CPW_TEST_FFPROBE") or shutil.which("ffprobe") or ""


def said_of(path: Path) -> str:
    """What is complained of when the file is opened and read to its end: by ffprobe, else by our ffmpeg.

    ffmpeg has the same demuxers, and decodes what they read as well.
    """
    if probe := opener():
        command = [probe, "-v", "warning", "-show_packets", file_url(path)]
    else:
        command = [find_ffmpeg(), "-nostdin", "-v", "warning", "-i", file_url(path), "-f", "srt", "-"]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.stderr.decode() + (f"exit {done.returncode}" if done.returncode else "")


def test_every_subtitle_file_of_the_tests_opens_without_a_warning(tmp_path, figure):
    for language in TEN_SCRIPTS:
        for karaoke in (False, True):
            subtitle_step(tmp_path, language, karaoke=karaoke)
        for form in ("srt", "vtt", "ass"):
            (tmp_path / f"Film.en+{language}.{form}").write_bytes(pair_of(language).write(form))
    folders = (ROOT / "tests", tmp_path)
    files = [
        path for folder in folders for path in folder.rglob("*") if path.suffix[1:].casefold() in SUFFIXES
    ]
    complaints = {file.name: said for file in files if (said := said_of(file))}
    assert complaints == {}
    assert len(files) >= 70
    opened_by = "ffprobe" if opener() else "ffmpeg, as there is no ffprobe"
    figure(f"subtitle files of the tests opened without a warning: {len(files)} by {opened_by}")


def test_a_file_that_is_none_is_complained_of(tmp_path):
    broken = tmp_path / "broken.srt"
    # The last of a film in which nothing is said: no SubRip file without a cue is one to ffmpeg.
    for text in ("This is no subtitle.\n", "\n", to_srt(())):
        broken.write_text(text)
        assert said_of(broken), text


def subtitle_step(folder: Path, language: str, *, karaoke: bool) -> None:
    """Run the engine on a transcript, as a job does, in every format."""
    transcript = folder / "transcript.json"
    write_json(transcript, to_plain(track_of(language).transcript))
    request = SubtitleRequest(
        transcript=describe_file(transcript, transcript.name),
        title='It\'s 100% "Film": [karaoke]' if karaoke else "Film",
        media_duration_ms=60_000,
        formats=WRITTEN_FORMATS,
        karaoke=karaoke,
    )
    result = CueSubtitle().run(request, Scratch(folder))
    assert len(result.files) == len(WRITTEN_FORMATS)
    assert result.cue_count
    for file in result.files:
        data = (folder / file.path).read_bytes()
        assert not data.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in data
        assert unicodedata.is_normalized("NFC", data.decode())


# as libass shows them, in DejaVu's fonts: letters that they lack are boxes, as wide on every machine


def drawn(folder: Path, filtered: str, at_s: float) -> bytes:
    """The picture (grey, a byte a pixel) that ffmpeg's filter makes of black at a moment."""
    command = [
        *(find_ffmpeg(), "-nostdin", "-loglevel", "error", "-f", "lavfi"),
        *("-i", f"color=c=black:s={WIDTH}x{HEIGHT}:r=10:d={at_s + 1}", "-vf", filtered),
        *("-ss", str(at_s), "-frames:v", "1", "-pix_fmt", "gray", "-f", "rawvideo", "-"),
    ]
    # In the folder, as a filter's argument has escapes of its own.
    picture = subprocess.run(command, capture_output=True, check=True, cwd=folder).stdout
    assert len(picture) == WIDTH * HEIGHT
    return picture


def shown(folder: Path, text: str, at_s: float) -> bytes:
    """The picture that libass makes of an ASS file at a moment."""
    written(folder, "ass", text)
    return drawn(folder, "ass=film.ass", at_s)


def lit(picture: bytes) -> list[int]:
    return [place for place, brightness in enumerate(picture) if brightness > 40]


def moved(one: bytes, other: bytes) -> float:
    """How much of the light of one picture is elsewhere, or missing, in the other: 2 where all of it is."""
    return sum(abs(left - right) for left, right in zip(one, other, strict=True)) / sum(one)


@pytest.mark.usefixtures("fonts")
@pytest.mark.parametrize("language", TEN_SCRIPTS)
def test_libass_shows_karaoke_in_the_places_of_the_plain_text(tmp_path, language):
    cues, words = cues_of(language), words_of(language)
    options = {"picture": (WIDTH, HEIGHT), "fonts": dict.fromkeys(FONTS, "DejaVu Sans")}
    plain = to_ass(cues, language, **options)
    sung = to_ass(cues, language, words=words, karaoke=True, **options)
    end = cues[0].end_ms / 1_000 - 0.3
    # Each word is drawn by itself: edges differ by a share of a pixel. In a wrong order it is 1.5.
    assert moved(shown(tmp_path, plain, end), shown(tmp_path, sung, end)) < 0.2
    begin = shown(tmp_path, sung, 1.1)
    assert sum(begin) < sum(shown(tmp_path, plain, 1.1))


@pytest.mark.usefixtures("fonts")
def test_libass_shows_text_at_the_bottom_in_the_middle(tmp_path):
    places = lit(shown(tmp_path, to_ass(cues_of("en"), "en", picture=(WIDTH, HEIGHT)), 1.5))
    columns = [place % WIDTH for place in places]
    assert min(place // WIDTH for place in places) > HEIGHT * 3 // 4
    assert abs(min(columns) + max(columns) - WIDTH) < WIDTH // 40


@pytest.mark.usefixtures("fonts")
@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_libass_lays_a_line_with_a_latin_name_out_from_right_to_left(tmp_path, form):
    def picture(name: str, text: str, style: str = "") -> bytes:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return drawn(tmp_path, f"subtitles={name}:force_style='FontName=DejaVu Sans{style}'", 1.2)

    write = {"srt": to_srt, "vtt": to_vtt}[form]
    ours = picture(f"ours.{form}", write(cues_of("ur"), "ur"))
    # What the lines look like where the player is told to find their direction by itself, and where not.
    # Only in one font: told so, libass also joins letters of two fonts, which it does not do without.
    found = picture(f"bare.{form}", write(cues_of("ur")), ",Encoding=-1")
    assert moved(ours, found) < 0.05
    assert moved(ours, picture(f"bare.{form}", write(cues_of("ur")))) > 0.5


@pytest.mark.usefixtures("fonts")
@pytest.mark.parametrize("text", [r"{\b1}x", "{x}", r"a\Nb", r"a\hb", r"\{x}"])
def test_libass_shows_what_was_said_and_takes_it_for_no_markup(tmp_path, text):
    def width(line: str) -> int:
        cue = Cue(start_ms=0, end_ms=3_000, lines=(line,))
        places = lit(shown(tmp_path, to_ass([cue], picture=(WIDTH, HEIGHT)), 0.5))
        assert min(place // WIDTH for place in places) > HEIGHT * 4 // 5, "one line"
        return max(place % WIDTH for place in places) - min(place % WIDTH for place in places)

    mark = min(text.index(sign) for sign in "\\{" if sign in text)
    assert width(f"o{text}o") > width(f"o{text[:mark]}{text[mark + 1 :]}o")
