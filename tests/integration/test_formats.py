"""Subtitle files in ten scripts as the real ffmpeg reads them, and as its libass shows them.

ffmpeg writes TTML but reads none, in any build: it has an encoder and a muxer for it, no decoder. What it
makes of the same cues is compared with ours instead.
"""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pysubs2
import pytest
import regex

from protocol.timeline import Cue
from tests.little_films import PICTURE
from tests.ten_scripts import TEN_SCRIPTS, cues_of, words_of
from workers.engines.common.bilingual import pair
from workers.engines.common.ffmpeg import file_url, find_ffmpeg
from workers.engines.common.formats import to_srt, to_vtt
from workers.engines.common.formats_ass import to_ass
from workers.engines.common.formats_ttml import to_ttml

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
    clean = [regex.sub("<[^>]*>|[\u202a-\u202e\u2060]", "", each.plaintext) for each in events]
    return [(each.start, each.end, text) for each, text in zip(events, clean, strict=True)]


def expected(cues, rounded: int = 1) -> list[tuple[int, int, str]]:
    def at(time: int) -> int:
        return (time + rounded // 2) // rounded * rounded

    return [(at(each.start_ms), at(each.end_ms), "\n".join(each.lines)) for each in cues]


@pytest.mark.parametrize("language", TEN_SCRIPTS)
def test_ffmpeg_reads_every_format_in_every_script(tmp_path, language):
    cues, words = cues_of(language), words_of(language)
    for suffix, text, rounded in (
        ("srt", to_srt(cues), 1),
        ("vtt", to_vtt(cues), 1),
        ("ass", to_ass(cues, language), 10),
        ("ass", to_ass(cues, language, words=words, karaoke=True), 10),
    ):
        read = quietly("-i", written(tmp_path, suffix, text), "-f", "srt", "-")
        assert as_text(read) == expected(cues, rounded), suffix


@pytest.mark.parametrize("language", ["hi", "ur", "ja"])
def test_ffmpeg_reads_a_bilingual_file(tmp_path, language):
    cues = pair(cues_of("en"), cues_of(language))
    read = quietly("-i", written(tmp_path, "ass", to_ass(cues, "en")), "-f", "srt", "-")
    assert as_text(read) == expected(cues, 10)


@pytest.mark.parametrize("language", TEN_SCRIPTS)
def test_our_ttml_says_what_ffmpegs_own_says(tmp_path, language):
    def said(text: str) -> list[tuple[str, str, str]]:
        shown = ET.fromstring(text.encode()).iter(f"{TT}p")
        return [(each.attrib["begin"], each.attrib["end"], "".join(each.itertext())) for each in shown]

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


def shown(folder: Path, text: str, at_s: float) -> bytes:
    """The picture (grey, a byte a pixel) that libass makes of an ASS file at a moment."""
    written(folder, "ass", text)
    command = [
        *(find_ffmpeg(), "-nostdin", "-loglevel", "error", "-f", "lavfi"),
        *("-i", f"color=c=black:s={WIDTH}x{HEIGHT}:r=10:d={at_s + 1}", "-vf", "ass=film.ass"),
        *("-ss", str(at_s), "-frames:v", "1", "-pix_fmt", "gray", "-f", "rawvideo", "-"),
    ]
    # In the folder, as a filter's argument has escapes of its own. Fonts missing here do not count.
    picture = subprocess.run(command, capture_output=True, check=True, cwd=folder).stdout
    assert len(picture) == WIDTH * HEIGHT
    return picture


def lit(picture: bytes) -> list[int]:
    return [place for place, each in enumerate(picture) if each > 40]


@pytest.mark.parametrize("language", TEN_SCRIPTS)
def test_libass_shows_karaoke_in_the_places_of_the_plain_text(tmp_path, language):
    cues, words = cues_of(language), words_of(language)
    options = {"picture": (WIDTH, HEIGHT), "installed": {"DejaVu Sans"}}
    plain = to_ass(cues, language, **options)
    sung = to_ass(cues, language, words=words, karaoke=True, **options)
    end = cues[0].end_ms / 1_000 - 0.3
    one, two = shown(tmp_path, plain, end), shown(tmp_path, sung, end)
    # Each word is drawn by itself: edges differ by a share of a pixel. In a wrong order it is 1.5.
    assert sum(abs(left - right) for left, right in zip(one, two, strict=True)) < 0.2 * sum(one)
    begin = shown(tmp_path, sung, 1.1)
    assert sum(begin) < sum(shown(tmp_path, plain, 1.1))


def test_libass_shows_text_at_the_bottom_in_the_middle(tmp_path):
    places = lit(shown(tmp_path, to_ass(cues_of("en"), "en", picture=(WIDTH, HEIGHT)), 1.5))
    columns = [place % WIDTH for place in places]
    assert min(place // WIDTH for place in places) > HEIGHT * 3 // 4
    assert abs(min(columns) + max(columns) - WIDTH) < WIDTH // 40


@pytest.mark.parametrize("text", [r"{\b1}x", "{x}", r"a\Nb", r"a\hb", r"\{x}"])
def test_libass_shows_what_was_said_and_takes_it_for_no_markup(tmp_path, text):
    def width(line: str) -> int:
        cue = Cue(start_ms=0, end_ms=3_000, lines=(line,))
        places = lit(shown(tmp_path, to_ass([cue], picture=(WIDTH, HEIGHT)), 0.5))
        assert min(place // WIDTH for place in places) > HEIGHT * 4 // 5, "one line"
        return max(place % WIDTH for place in places) - min(place % WIDTH for place in places)

    mark = min(text.index(each) for each in "\\{" if each in text)
    assert width(f"o{text}o") > width(f"o{text[:mark]}{text[mark + 1 :]}o")
