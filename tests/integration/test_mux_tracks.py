"""mux of a film's own tracks: their languages, their covers, and those that no container takes."""

from __future__ import annotations

import av
import pytest

from tests.little_films import BEEP, PICTURE, SRT, mux
from workers.engines.common.film.mkv_languages import read_tags
from workers.engines.common.film.mp4_languages import read_extended
from workers.engines.common.film.probe import probe

pytestmark = pytest.mark.integration


def test_a_stream_that_no_container_takes_loses_no_film(scratch, make, tmp_path):
    """immich#30511: the second sound of a telephone's film is of a codec that nobody else knows."""
    two = ("-map", "0", "-map", "1", "-map", "1", "-c:v", "mpeg4", "-c:a:0", "aac", "-c:a:1", "pcm_s16le")
    media = make("two.mov", *PICTURE, *BEEP, *two)
    content = media.read_bytes()
    media.write_bytes(b"apac".join(content.rsplit(b"sowt", 1)))
    result = mux(scratch, media, "de", "en")
    assert result.film.path == "Film_subtitled.mp4"
    assert result.notes == ("audio stream 2 (codec unknown) is left out: no container takes it",)
    assert [stream.kind for stream in probe(scratch.root / result.film.path).streams] == [
        "video",
        "audio",
        "subtitle",
        "subtitle",
    ]
    assert not list(scratch.root.glob("one_stream*"))


def test_the_films_own_languages_stay_as_exact_as_they_were(scratch, make, tmp_path):
    """bazarr#2662: Brazilian and European Portuguese, and both scripts of Chinese, are told apart."""
    text = tmp_path / "own.srt"
    text.write_text(SRT, encoding="utf-8")
    tags = ["pt-BR", "zh-Hant", "por"]
    words = [word for place, tag in enumerate(tags) for word in (f"-metadata:s:s:{place}", f"language={tag}")]
    inputs = ("-i", str(text)) * 3
    maps = [word for number in range(5) for word in ("-map", str(number))]
    media = make("own.mkv", *PICTURE, *BEEP, *inputs, *maps, *words)
    content = media.read_bytes()
    # mkvmerge writes the tag in an element of its own, which ffmpeg does not read.
    media.write_bytes(content.replace(b"\x22\xb5\x9c\x87zh-Hant", b"\x22\xb5\x9d\x87zh-Hant"))
    assert probe(media).facts.subtitle_languages == ("pt", "zh", "pt")
    path = scratch.root / mux(scratch, media, "de", "en").film.path
    assert [tag for kind, tag in read_tags(path) if kind == "subtitle"] == ["pt-BR", "zh-Hant", "", "", ""]
    with av.open(str(path)) as film:
        assert [subtitle.language for subtitle in film.streams.subtitles][:3] == ["por", "chi", "por"]
    make("checked.mkv", "-err_detect", "crccheck+explode", "-i", str(path), "-map", "0", "-c", "copy")


def test_a_small_cover_stays_a_small_cover(scratch, make, tmp_path):
    small, large = (make(name, *PICTURE, "-frames:v", "1") for name in ("small.png", "large.png"))
    attached = []
    for place, (picture, name) in enumerate([(small, "small_cover.png"), (large, "poster.png")]):
        tags = (f"-metadata:s:t:{place}", "mimetype=image/png", f"-metadata:s:t:{place}", f"filename={name}")
        attached += ["-attach", str(picture), *tags]
    media = make("covers.mkv", *PICTURE, *BEEP, *attached)
    with av.open(str(scratch.root / mux(scratch, media, "de", "en").film.path)) as film:
        names = [name for stream in film.streams if (name := stream.metadata.get("filename"))]
    assert names == ["small_cover.png", "cover.png"]


def test_a_track_in_another_script_says_so_in_both_containers(scratch, make):
    tracks = ("hi", "hi-Latn")
    mkv = make("film.mkv", *PICTURE, *BEEP)
    path = scratch.root / mux(scratch, mkv, *tracks).film.path
    assert [tag for kind, tag in read_tags(path) if kind == "subtitle"] == ["", "hi-Latn"]
    with av.open(str(path)) as film:
        assert [(stream.language, stream.metadata["title"]) for stream in film.streams.subtitles] == [
            ("hin", "Hindi"),
            ("hin", "Hindi in Latin letters"),
        ]
    mp4 = make("film.mp4", *PICTURE, *BEEP)
    path = scratch.root / mux(scratch, mp4, *tracks).film.path
    assert read_extended(path) == ("", "", "", "hi-Latn")
    with av.open(str(path)) as film:
        assert [stream.language for stream in film.streams.subtitles] == ["hin", "hin"]
        assert sum(packet.size > 2 for packet in film.demux(film.streams.subtitles[1])) == 2
