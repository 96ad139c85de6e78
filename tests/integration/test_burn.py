"""Subtitles drawn into the picture by the real ffmpeg and libass on little films, in DejaVu's fonts alone."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import av
import pytest

from protocol.errors import CancelledError, InputError, MissingError, UsageError
from protocol.stages.mux import MuxRequest
from protocol.timeline import Cue
from tests.little_films import BEEP, SRT, mux, streams, track
from workers.engines.common.film.burn import burn, burned_name
from workers.engines.common.film.libass import choose_fonts, families_with, undrawable
from workers.engines.common.film.mux import FfmpegMux
from workers.engines.common.film.probe import probe

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("fonts")]

ODD = 'it\'s [odd], 100%: "x";\n=\\y'
CUE_MS = (1_000, 2_000)
INSIDE_S, OUTSIDE_S = 1.5, 2.5
URDU = "اردو میں سلام"
"""Letters that DejaVu has; it lacks U+06C1, U+06D2 and U+06D4, which most of Urdu needs."""
DARK = ",lutyuv=y=val/3"


def source(size: str, options: str = "") -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"testsrc=d=3:s={size}:r=12{DARK}{options}")


H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "12")


@pytest.fixture
def dark(make):
    return make("dark.mp4", *source("640x360"), *BEEP, *H264, "-c:a", "aac")


def cues(*lines: str) -> list[Cue]:
    return [Cue(start_ms=CUE_MS[0], end_ms=CUE_MS[1], lines=lines)]


def burned(scratch, film: Path, *lines: str, language: str = "en") -> Path:
    path = scratch.root / burned_name("Film", language)
    burn(probe(film), cues(*lines), language, path, scratch)
    return path


def luma(path: Path, at_s: float) -> list[bytes]:
    """Return the rows of the frame at that time, upright."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= at_s - 0.001:
                plane = frame.reformat(format="gray").planes[0]
                data = bytes(plane)
                return [data[row * plane.line_size :][: frame.width] for row in range(frame.height)]
    raise AssertionError


def difference(one: list[bytes], other: list[bytes]) -> float:
    """Return the mean difference of two pictures' points, of 255."""
    pairs = [(a, b) for left, right in zip(one, other, strict=True) for a, b in zip(left, right, strict=True)]
    return sum(abs(a - b) for a, b in pairs) / len(pairs)


def ink(rows: list[bytes], least: int = 150) -> list[tuple[int, int]]:
    """Return (column, row) of the points as bright as letters; the source has none."""
    return [
        (column, row)
        for row, line in enumerate(rows)
        for column, brightness in enumerate(line)
        if brightness > least
    ]


def spread(points: list[tuple[int, int]]) -> int:
    columns = [column for column, _ in points]
    return max(columns) - min(columns)


@pytest.mark.parametrize(("language", "line"), [("en", "Hello, world"), ("ur", URDU)])
def test_letters_are_seen_while_a_cue_lasts_and_never_else(scratch, dark, line, language):
    path = burned(scratch, dark, line, language=language)
    assert path.name == f"Film_burned.{language}.mp4"
    before, after = luma(dark, INSIDE_S), luma(path, INSIDE_S)
    assert not ink(before)
    letters = ink(after)
    assert len(letters) > 150
    assert min(row for _, row in letters) > 360 * 3 // 4
    assert difference(before[300:], after[300:]) > 1
    assert difference(before[:240], after[:240]) < 0.2
    for moment in (0.5, OUTSIDE_S):
        assert difference(luma(dark, moment), luma(path, moment)) < 0.2
        assert not ink(luma(path, moment))


def test_the_first_word_from_right_to_left_stands_at_the_right(scratch, dark):
    letters = ink(luma(burned(scratch, dark, "لا ببببببببب", language="ur"), INSIDE_S))
    top = min(row for _, row in letters)
    (tallest, *_) = sorted(column for column, row in letters if row <= top + 1)
    assert tallest > 320
    letters = ink(luma(burned(scratch, dark, "ll nnnnnnnnn"), INSIDE_S))
    top = min(row for _, row in letters)
    assert min(column for column, row in letters if row <= top + 1) < 320


def test_letters_of_one_word_are_joined(scratch, dark):
    joined = ink(luma(burned(scratch, dark, "ببببببب", language="ur"), INSIDE_S))
    apart = ink(luma(burned(scratch, dark, "\u200c".join("ببببببب"), language="ur"), INSIDE_S))
    assert spread(joined) < 0.75 * spread(apart)


@pytest.mark.parametrize(
    ("language", "line", "font", "package"),
    [
        ("hi", "नमस्ते", "Noto Sans Devanagari", "fonts-noto-core"),
        ("ur", "یہ اردو ہے", "Noto Naskh Arabic", "fonts-noto-core"),
        ("ja", "こんにちは", "Noto Sans CJK JP", "fonts-noto-cjk"),
    ],
)
def test_letters_without_a_font_are_never_burned(scratch, dark, language, line, font, package):
    with pytest.raises(MissingError, match="No installed font") as caught:
        burned(scratch, dark, "Hello", line, language=language)
    assert f"Install {font} " in caught.value.remedy
    assert package in caught.value.remedy
    assert not scratch.seen
    assert not list(scratch.root.iterdir())


def test_a_machine_without_fonts_says_so(scratch, dark, fonts, tmp_path):
    fonts(tmp_path / "none")
    with pytest.raises(MissingError, match="none has H d e l o and more") as caught:
        burned(scratch, dark, "Hello, world")
    assert "Noto Sans " in caught.value.remedy


def test_libass_names_each_character_that_no_font_has():
    found = undrawable(cues("a क्\u200dष ♪ \U0001fae0 {b}\\N", "漢"), "hi", {})
    assert found == {"क", "्", "ष", "\U0001fae0", "漢"}
    # More than the lines of ffmpeg's that are kept elsewhere.
    many = "".join(map(chr, range(0x4E00, 0x4E80)))
    assert undrawable(cues(many), "zh", {}) == set(many)


@pytest.mark.skipif(shutil.which("fc-list") is None, reason="there is no fc-list of fontconfig to choose by")
def test_a_font_is_chosen_that_has_every_letter():
    assert choose_fonts(cues("Hello", URDU)) == {"LATIN": "DejaVu Sans", "ARABIC": "DejaVu Sans"}
    assert choose_fonts(cues("یہ")) == {}
    assert "DejaVu Serif" in families_with("aβж")
    assert "DejaVu Serif" not in families_with("س")


def test_without_fontconfigs_program_libass_chooses(scratch, dark, monkeypatch, tmp_path):
    from workers.engines.common.film.ffmpeg import find_ffmpeg

    monkeypatch.setenv("CPW_FFMPEG", find_ffmpeg())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert families_with("a") == frozenset()
    assert ink(luma(burned(scratch, dark, "Hello"), INSIDE_S))
    with pytest.raises(MissingError):
        burned(scratch, dark, "नमस्ते", language="hi")


def test_a_picture_of_a_thing_without_a_font_is_left_out(scratch, dark):
    with_one = burned(scratch, dark, "Hello \U0001fae0", "\U0001fae0").read_bytes()
    assert with_one == burned(scratch, dark, "Hello").read_bytes()


def test_an_ffmpeg_that_cannot_draw_is_told_apart_from_a_bad_film(scratch, dark, monkeypatch, tmp_path):
    fake = tmp_path / "ffmpeg"
    fake.write_text('#!/bin/sh\necho "No such filter: ass" >&2\nexit 8\n')
    fake.chmod(0o755)
    monkeypatch.setenv("CPW_FFMPEG", str(fake))
    with pytest.raises(MissingError, match=r"cannot draw subtitles: No such filter: ass\."):
        burned(scratch, dark, "Hello")


def test_any_name_will_do_for_the_film_its_folder_and_the_temporary_one(scratch, make, monkeypatch, tmp_path):
    for name in (ODD, f"tmp {ODD}"):
        (tmp_path / name).mkdir()
    film = make(f"{ODD}/{ODD}.mkv", *source("640x360"), *H264)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / f"tmp {ODD}"))
    target = tmp_path / ODD / burned_name(ODD, "en")
    burn(probe(film), cues("Hello"), "en", target, scratch)
    assert ink(luma(target, INSIDE_S))
    assert sorted(path.name for path in target.parent.iterdir()) == sorted((target.name, film.name))
    assert not list((tmp_path / f"tmp {ODD}").iterdir())


def test_a_film_filmed_upright_stays_upright(scratch, make, dark):
    turned = make("turned.mp4", "-display_rotation", "90", "-i", str(dark), "-c", "copy")
    path = burned(scratch, turned, "Hello")
    rows = luma(path, INSIDE_S)
    assert (len(rows[0]), len(rows)) == (360, 640)
    letters = ink(rows)
    assert min(row for _, row in letters) > 640 * 3 // 4
    tall = make("tall.mkv", *source("360x640"), *H264)
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).rotation == 0
    as_tall = ink(luma(burned(scratch, tall, "Hello"), INSIDE_S))
    assert spread(letters) == pytest.approx(spread(as_tall), abs=2)


def test_letters_keep_their_shape_where_the_films_points_are_not_square(scratch, make, dark):
    narrow = make("narrow.mkv", *source("320x360", ",setsar=2"), *H264)
    path = burned(scratch, narrow, "Hello, world")
    squeezed = spread(ink(luma(path, INSIDE_S)))
    square = spread(ink(luma(burned(scratch, dark, "Hello, world"), INSIDE_S)))
    assert squeezed == pytest.approx(square / 2, abs=2)
    with av.open(str(make("again.mkv", "-i", str(narrow), "-c", "copy"))) as container:
        assert container.streams.video[0].sample_aspect_ratio == 2


def test_an_odd_last_row_and_column_go(scratch, make):
    film = make("odd.mkv", *source("641x361"), "-c:v", "ffv1")
    rows = luma(burned(scratch, film, "Hello"), INSIDE_S)
    assert (len(rows[0]), len(rows)) == (640, 360)
    before = [line[:640] for line in luma(film, OUTSIDE_S)[:360]]
    assert difference(before, luma(scratch.root / "Film_burned.en.mp4", OUTSIDE_S)) < 0.5


def test_a_picture_of_high_range_becomes_one_of_standard_range(scratch, make):
    high = "color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
    film = make(
        "hdr.mkv", *source("640x360", f",setparams={high}"), "-pix_fmt", "yuv420p10le",
        "-c:v", "libx265", "-x265-params", "log-level=none",
    )  # fmt: skip
    path = burned(scratch, film, "Hello")
    assert ink(luma(path, INSIDE_S))
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        assert (frame.format.name, frame.color_trc, frame.colorspace) == ("yuv420p", 1, 1)


def test_what_a_film_has_besides_is_kept_and_its_own_subtitles_are_not(scratch, make, tmp_path):
    (tmp_path / "own.srt").write_text(SRT)
    (tmp_path / "chapters.txt").write_text(
        ";FFMETADATA1\ntitle=Sholay\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n"
    )
    film = make(
        "full.mkv", *source("640x360"), *BEEP, "-i", str(tmp_path / "own.srt"),
        "-i", str(tmp_path / "chapters.txt"), "-map", "0", "-map", "1", "-map", "1", "-map", "2",
        "-map_metadata", "3", "-map_chapters", "3", *H264,
        "-c:a:0", "aac", "-c:a:1", "libvorbis", "-c:s", "srt",
        "-metadata:s:a:0", "language=hin", "-metadata:s:a:1", "language=eng", "-disposition:a:1", "comment",
    )  # fmt: skip
    path = burned(scratch, film, "Hello")
    assert streams(path)[:3] == [("video", "h264", "und"), ("audio", "aac", "hin"), ("audio", "aac", "eng")]
    # The titles of chapters, for players of mp4.
    assert [stream[0] for stream in streams(path)[3:]] == ["data"]
    with av.open(str(path)) as container:
        assert container.metadata["title"] == "Sholay"
        assert [chapter["metadata"]["title"] for chapter in container.chapters()] == ["One"]
        assert container.streams.audio[1].disposition & av.stream.Disposition.comment
    assert packets(path, 1) == packets(film, 1)
    assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat")
    assert probe(path).facts.duration_ms == pytest.approx(3_000, abs=50)


def packets(path: Path, index: int) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(index) if packet.size]


def test_cues_are_on_the_films_clock_where_the_picture_starts_late(scratch, make, dark):
    late = make(
        "late.mkv", *BEEP, "-itsoffset", "0.75", "-i", str(dark), "-map", "0", "-map", "1:v", "-c:v", "copy"
    )
    path = burned(scratch, late, "Hello")
    assert [bool(ink(luma(path, second))) for second in (0.9, 1.1, 1.9, 2.1)] == [False, True, True, False]


def test_cues_are_on_the_films_clock_where_that_does_not_start_at_nought(scratch, make, dark):
    stream = make("x.ts", "-i", str(dark), "-c", "copy", "-muxdelay", "2")
    path = burned(scratch, stream, "Hello")
    assert [bool(ink(luma(path, second))) for second in (0.9, 1.1, 1.9, 2.1)] == [False, True, True, False]


def test_the_same_film_gives_the_same_bytes(scratch, dark):
    first = burned(scratch, dark, "Hello").read_bytes()
    assert burned(scratch, dark, "Hello").read_bytes() == first


def test_sound_with_or_without_a_cover_has_no_picture(scratch, make):
    sound = make("sound.m4a", *BEEP, "-c:a", "aac")
    cover = make(
        "cover.m4a", *BEEP, *source("64x64"), "-map", "0", "-map", "1", "-frames:v", "1",
        "-c:a", "aac", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-disposition:v:0", "attached_pic",
    )  # fmt: skip
    for film in (sound, cover):
        with pytest.raises(UsageError, match="no picture"):
            burned(scratch, film, "Hello")


def test_a_cover_is_not_the_picture(scratch, make, dark):
    cover = make("cover.jpg", *source("64x64"), "-frames:v", "1", "-pix_fmt", "yuvj420p")
    film = make(
        "covered.mp4", "-i", str(cover), "-i", str(dark), "-map", "0", "-map", "1",
        "-c", "copy", "-disposition:v:0", "attached_pic",
    )  # fmt: skip
    assert [stream.is_cover for stream in probe(film).streams].count(True) == 1
    rows = luma(burned(scratch, film, "Hello"), INSIDE_S)
    assert (len(rows[0]), len(rows)) == (640, 360)
    assert ink(rows)


def test_no_cue_is_nothing_to_burn(scratch, dark):
    with pytest.raises(UsageError, match="no Hindi subtitle"):
        burn(probe(dark), [], "hi", scratch.root / "x.mp4", scratch)


@pytest.mark.parametrize("after", [0, 3])
def test_nothing_is_left_of_a_film_that_was_cancelled(scratch, make, after):
    film = make("long.mkv", "-f", "lavfi", "-i", "testsrc2=d=20:s=640x360:r=24", "-c:v", "mpeg4")
    scratch.cancel_after = after
    with pytest.raises(CancelledError):
        burned(scratch, film, "Hello")
    assert not list(scratch.root.iterdir())


def test_nothing_is_left_of_a_film_that_breaks_off(scratch, make, monkeypatch, dark):
    film = probe(dark)
    target = scratch.root / "gone" / "x.mp4"
    with pytest.raises(InputError, match="could not draw subtitles into"):
        burn(film, cues("Hello"), "en", target, scratch)
    assert not list(scratch.root.iterdir())


def test_mux_burns_one_language_beside_the_tracks(scratch, dark):
    tracks = (track(scratch, "hi"), track(scratch, "en", SRT.replace("नमस्ते", "Hello")))
    request = MuxRequest(media=str(dark), tracks=tracks, title="Film", burn="English")
    result = FfmpegMux().run(request, scratch)
    assert result.film.path == "Film_subtitled.mp4"
    assert result.burned is not None
    assert result.burned.path == "Film_burned.en.mp4"
    assert streams(scratch.root / result.burned.path) == streams(dark)
    assert ink(luma(scratch.root / result.burned.path, 1.0))
    assert not ink(luma(scratch.root / result.burned.path, 1.7))
    assert scratch.seen == sorted(scratch.seen)
    assert scratch.seen[-1] == 1


def test_mux_looks_for_fonts_before_it_copies(scratch, dark):
    with pytest.raises(MissingError, match="Hindi"):
        mux(scratch, dark, "hi", "en", burn="hi")
    assert not scratch.seen
    assert not list(scratch.root.glob("*.mp4"))


def test_mux_burns_nothing_where_nothing_is_said(scratch, dark):
    assert mux(scratch, dark, burn="hi").burned is None
    request = MuxRequest(media=str(dark), tracks=(track(scratch, "hi", ""),), title="Film", burn="hi")
    assert FfmpegMux().run(request, scratch).burned is None
