"""mux with the real ffmpeg, on little films that it makes and on the films beside the project."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from protocol.errors import CancelledError
from protocol.stages.mux import MuxRequest
from tests.little_films import (
    BEEP,
    PICTURE,
    SRT,
    cue_times,
    demux,
    mux,
    real,
    streams,
    track,
)
from workers.engines.common.mux import FfmpegMux
from workers.engines.common.probe import probe

pytestmark = pytest.mark.integration


# mux


def test_an_mp4_gets_mov_text_tracks_and_keeps_its_length(scratch, little):
    result = mux(scratch, little, "hi", "en")
    path = scratch.root / result.film.path
    assert result.film.path == "Film_subtitled.mp4"
    assert result.track_languages == ("hi", "en")
    assert streams(path)[2:] == [("subtitle", "mov_text", "hin"), ("subtitle", "mov_text", "eng")]
    assert cue_times(path, 2) == [0.5, 2.0]
    muxed, source = probe(path), probe(little)
    assert muxed.facts.duration_ms == source.facts.duration_ms
    assert [each.is_default for each in muxed.streams[2:]] == [True, False]
    with av.open(str(path)) as container:
        assert container.streams[2].metadata["handler_name"] == "Hindi"
    assert sorted(each.name for each in scratch.root.iterdir()) == ["Film_subtitled.mp4", "en.srt", "hi.srt"]


def test_pictures_and_sound_are_copied_bit_for_bit(scratch, little):
    result = mux(scratch, little, "hi")

    def packets(path: Path, index: int) -> list[bytes]:
        with av.open(str(path)) as container:
            return [bytes(each) for each in container.demux(index) if each.size]

    for index in (0, 1):
        assert packets(scratch.root / result.film.path, index) == packets(little, index)


def test_a_matroska_gets_subrip_tracks_and_keeps_all_it_had(scratch, make, tmp_path):
    (tmp_path / "own.srt").write_text(SRT)
    (tmp_path / "font.ttf").write_bytes(b"font")
    (tmp_path / "chapters.txt").write_text(
        ";FFMETADATA1\ntitle=Sholay\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n"
    )
    full = make(
        "full.mkv", *PICTURE, *BEEP, "-i", str(tmp_path / "own.srt"), "-i", str(tmp_path / "chapters.txt"),
        "-map", "0", "-map", "1", "-map", "2", "-map_metadata", "3", "-map_chapters", "3",
        "-metadata:s:s:0", "language=fre", "-disposition:s:0", "forced", "-c:v", "mpeg4", "-c:a", "ac3",
        "-c:s", "srt",
        "-attach", str(tmp_path / "font.ttf"), "-metadata:s:t", "mimetype=application/x-truetype-font",
    )  # fmt: skip
    result = mux(scratch, full, "ta")
    path = scratch.root / result.film.path
    assert result.film.path == "Film_subtitled.mkv"
    assert [each[:2] for each in streams(path)] == [
        ("video", "mpeg4"),
        ("audio", "ac3"),
        ("subtitle", "subrip"),
        ("subtitle", "subrip"),
        ("attachment", ""),
    ]
    with av.open(str(path)) as container:
        assert container.metadata["title"] == "Sholay"
        assert [each["metadata"]["title"] for each in container.chapters()] == ["One"]
        assert [each.language for each in container.streams.subtitles] == ["fre", "tam"]
        assert container.streams.subtitles[1].metadata["title"] == "Tamil"
    assert cue_times(path, 3) == [0.5, 2.0]


def test_cues_stay_on_the_clock_of_a_film_that_starts_late(scratch, make):
    stream = make("x.ts", *PICTURE, *BEEP, "-c:v", "mpeg2video", "-bf", "2", "-c:a", "mp2", "-muxdelay", "2")
    result = mux(scratch, stream, "hi")
    path = scratch.root / result.film.path
    assert cue_times(path, 2) == [0.5, 2.0]
    with av.open(str(path)) as container:
        assert abs(container.streams.video[0].start_time) <= 100


def test_a_timecode_stream_does_not_stop_it(scratch, make):
    film = make("tc.mov", *PICTURE, *BEEP, "-timecode", "01:00:00:00", "-c:v", "mpeg4", "-c:a", "aac")
    assert "data" in [each[0] for each in streams(film)]
    result = mux(scratch, film, "hi")
    assert result.film.path == "Film_subtitled.mp4"
    assert ("subtitle", "mov_text", "hin") in streams(scratch.root / result.film.path)


def test_a_mov_that_mp4_cannot_hold_becomes_matroska(scratch, make, tmp_path):
    (tmp_path / "own.srt").write_text(SRT)
    film = make(
        "pro.mov", *PICTURE, *BEEP, "-i", str(tmp_path / "own.srt"),
        "-c:v", "prores", "-c:a", "pcm_s16le", "-c:s", "mov_text",
    )  # fmt: skip
    result = mux(scratch, film, "hi")
    assert result.film.path == "Film_subtitled.mkv"
    assert [each[1] for each in streams(scratch.root / result.film.path)] == [
        "prores", "pcm_s16le", "subrip", "subrip",
    ]  # fmt: skip
    assert not (scratch.root / "Film_subtitled.mp4").exists()


def test_an_avi_without_presentation_times_becomes_matroska(scratch, make):
    film = make("old.avi", *PICTURE, *BEEP, "-c:v", "mpeg4", "-bf", "2", "-c:a", "mp2")
    assert mux(scratch, film, "hi").film.path == "Film_subtitled.mkv"


def test_tracks_without_a_cue_are_left_out(scratch, little):
    tracks = (track(scratch, "hi", ""), track(scratch, "en"))
    result = FfmpegMux().run(MuxRequest(media=str(little), tracks=tracks, title="Film"), scratch)
    assert result.track_languages == ("en",)
    assert [each[2] for each in streams(scratch.root / result.film.path)[2:]] == ["eng"]


def test_with_no_track_left_the_film_is_copied(scratch, little):
    request = MuxRequest(media=str(little), tracks=(track(scratch, "hi", ""),), title="Film")
    result = FfmpegMux().run(request, scratch)
    assert result.track_languages == ()
    assert len(streams(scratch.root / result.film.path)) == 2


def test_an_undetermined_language_is_tagged_so(scratch, make):
    film = make("film.mkv", *PICTURE, *BEEP, "-c:v", "mpeg4", "-c:a", "aac")
    assert streams(scratch.root / mux(scratch, film, "und").film.path)[2][2] in ("und", None)


def test_a_cancelled_mux_leaves_no_film(scratch, little):
    scratch.cancel_after = 0
    with pytest.raises(CancelledError):
        mux(scratch, little, "hi")


def test_every_stream_of_a_film_with_two_of_each_is_kept(scratch):
    film = real("nasa_13013.mp4")
    result = mux(scratch, film, "hi", "en")
    path = scratch.root / result.film.path
    assert streams(path)[:6] == streams(film)
    assert streams(path)[6:] == [("subtitle", "mov_text", "hin"), ("subtitle", "mov_text", "eng")]
    assert probe(path).facts.duration_ms == probe(film).facts.duration_ms
    assert cue_times(path, 2) == cue_times(film, 2)
    assert demux(scratch, film, audio_track="1").audio_track == 1
