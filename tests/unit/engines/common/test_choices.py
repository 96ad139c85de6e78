from __future__ import annotations

from pathlib import Path

import pytest

from protocol.errors import BugError, InputError, MissingError
from protocol.stages.demux import AudioTrack, MediaFacts
from workers.engines.common.film.containers import MATROSKA, MP4, choose_targets, copied_streams
from workers.engines.common.film.demux import choose_clip, is_cut_short
from workers.engines.common.film.ffmpeg import FfmpegExit, failure, file_url, find_ffmpeg
from workers.engines.common.film.mux import has_cues
from workers.engines.common.film.probe import Film, Stream
from workers.engines.common.film.sound.heard_track import Clip
from workers.engines.common.film.sound.track_choice import choose_track


def film(
    *languages: str, default: int | None = None, duration: int = 70_000, container: str = "matroska,webm"
):
    tracks = tuple(
        AudioTrack(number=number, codec="aac", language=language, channels=2, starts_ms=0)
        for number, language in enumerate(languages)
    )
    facts = MediaFacts(
        duration_ms=duration,
        container=container,
        has_video=True,
        frames_per_second=24.0,
        audio_tracks=tracks,
        subtitle_languages=(),
    )
    streams = tuple(
        stream("audio", index=number, is_default=number == default) for number in range(len(tracks))
    )
    return Film(path=Path("/films/a.mkv"), facts=facts, streams=streams)


def stream(kind: str, codec: str = "x", *, index: int = 0, is_default: bool = False, is_cover: bool = False):
    return Stream(index=index, kind=kind, codec=codec, is_default=is_default, is_cover=is_cover)


def test_without_a_request_the_default_track_is_taken_else_the_first():
    assert choose_track(film("en", "hi", default=1), None).number == 1
    assert choose_track(film("en", "hi"), None).number == 0


@pytest.mark.parametrize(
    ("words", "number"), [("0", 0), ("2", 2), ("hi", 1), ("hin", 1), ("Hindi", 1), ("ger", 2)]
)
def test_a_track_is_chosen_by_number_or_language(words, number):
    assert choose_track(film("en", "hi", "de"), words).number == number


def test_of_two_tracks_in_a_language_the_default_one_is_taken():
    assert choose_track(film("en", "hi", "hi", default=2), "hi").number == 2


@pytest.mark.parametrize("words", ["3", "ta", "klingon", "-1"])
def test_a_track_that_is_not_there_is_refused_with_the_list(words):
    with pytest.raises(InputError, match=r"it has 0 \(en, aac\), 1 \(hi, aac\)"):
        choose_track(film("en", "hi"), words)


def test_a_film_without_sound_is_refused():
    with pytest.raises(InputError, match="has no audio stream"):
        choose_track(film(), None)


def test_a_clip_may_be_open_at_either_end():
    assert choose_clip(film("en"), None, None) == Clip(start_ms=0, end_ms=None)
    assert choose_clip(film("en"), 1_000, 70_000) == Clip(start_ms=1_000, end_ms=70_000)
    assert choose_clip(film("en", duration=0), 90_000, 99_000) == Clip(start_ms=90_000, end_ms=99_000)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (-1, None, "starts at -0.001 s, before the film"),
        (5_000, 5_000, "ends at 5 s, not after its start at 5 s"),
        (70_000, None, "starts at 70 s, but the film ends at 70 s"),
        (0, 70_001, "ends at 70.001 s, but the film ends at 70 s"),
    ],
)
def test_a_clip_outside_the_film_is_refused(start, end, words):
    with pytest.raises(InputError, match=words):
        choose_clip(film("en"), start, end)


@pytest.mark.parametrize(
    ("promised", "read", "short"),
    [(70_000, 31_000, True), (70_000, 68_000, False), (70_000, 67_999, True), (1_000_000, 981_000, False)],
)
def test_two_seconds_or_two_percent_may_be_missing(promised, read, short):
    assert is_cut_short(promised, read) is short


def test_an_mp4_stays_an_mp4_and_all_else_becomes_matroska():
    assert choose_targets(film("en", container="mov,mp4,m4a,3gp,3g2,mj2")) == (MP4, MATROSKA)
    assert choose_targets(film("en", container="avi")) == (MATROSKA,)


def test_all_streams_but_data_and_what_the_container_refuses_are_copied():
    base = film()
    streams = (
        stream("video"),
        stream("data"),
        stream("video", "png", is_cover=True),
        stream("subtitle", "dvb_teletext"),
        stream("attachment"),
    )
    full = Film(path=base.path, facts=base.facts, streams=streams)
    assert copied_streams(full, MP4) == (streams[0], *streams[2:])
    assert copied_streams(full, MATROSKA) == (streams[0], streams[4])


@pytest.mark.parametrize(
    ("text", "found"), [("", False), ("\n", False), ("1\n00:00:01,000 --> 00:00:02,000\nx\n", True)]
)
def test_a_subrip_file_has_cues_where_it_has_times(tmp_path, text, found):
    path = tmp_path / "a.srt"
    path.write_text(text)
    assert has_cues(path) is found


def test_names_reach_ffmpeg_as_literal_absolute_paths():
    assert file_url(Path("/films/http: -x %d\n.mp4")) == "file:/films/http: -x %d\n.mp4"
    assert file_url(Path("-y")).startswith("file:/")


def test_a_failure_says_what_ffmpeg_said_last():
    outcome = FfmpegExit(returncode=1, tail=("noise", "Invalid data found", ""))
    error = failure(outcome, Path("/films/a.mkv"), "take the sound out of")
    assert isinstance(error, InputError)
    assert error.message == "ffmpeg could not take the sound out of /films/a.mkv: Invalid data found."


def test_an_ffmpeg_that_was_killed_is_no_fault_of_the_film():
    error = failure(FfmpegExit(returncode=-11, tail=()), Path("/films/a.mkv"), "take the sound out of")
    assert isinstance(error, BugError)
    assert "SIGSEGV" in error.message


def test_a_named_ffmpeg_wins_and_must_be_there(monkeypatch, tmp_path):
    monkeypatch.setenv("CPW_FFMPEG", "/bin/sh")
    assert find_ffmpeg() == "/bin/sh"
    monkeypatch.setenv("CPW_FFMPEG", str(tmp_path / "none"))
    with pytest.raises(MissingError, match="CPW_FFMPEG names"):
        find_ffmpeg()


def test_without_an_ffmpeg_on_the_path_the_bundled_one_is_used(monkeypatch, tmp_path):
    monkeypatch.delenv("CPW_FFMPEG", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "imageio_ffmpeg" in find_ffmpeg()
