"""demux with the real ffmpeg, on little films that it makes and on the films beside the project."""

from __future__ import annotations

import os
import re
import stat
import sys
from pathlib import Path

import av
import pytest

from protocol.artefacts import describe_film
from protocol.errors import BugError, CancelledError, DiskFullError, InputError
from tests.little_films import (
    BEEP,
    PICTURE,
    Scratch,
    demux,
    first_sound_ms,
    loud_at,
    mux,
    real,
    samples,
    streams,
)
from workers.engines.common.film import ffmpeg as program
from workers.engines.common.film.probe import probe, readable_ms

pytestmark = pytest.mark.integration


# demux


def test_sound_becomes_sixteen_kilohertz_mono(scratch, little):
    result = demux(scratch, little)
    assert result.audio.path == "audio.wav"
    assert abs(len(samples(scratch.root / "audio.wav")) - 48_000) < 500
    assert abs(result.audio_duration_ms - 3_000) < 40
    assert result.facts.has_video
    assert result.facts.frames_per_second == 24
    assert scratch.seen[-1] == pytest.approx(1, abs=0.05)


def test_the_same_film_gives_the_same_bytes(scratch, little):
    assert demux(scratch, little).audio == demux(scratch, little).audio


def test_the_result_tells_which_file_was_read(scratch, little):
    assert demux(scratch, little).film == describe_film(little)


@pytest.mark.parametrize(
    "name",
    [
        'it\'s "quoted".mp4',
        "two\nlines.mp4",
        "शोले 映画 🎬.mp4",
        "-y.mp4",
        "http:example.mp4",
        "concat:a|b.mp4",
        "%d %03d.mp4",
        "$(touch x); `id`.mp4",
        " spaces .mp4",
        "[0:a],volume=0.mp4",
        "plain name without a suffix",
    ],
)
def test_whatever_a_name_holds_it_is_a_name(scratch, little, name):
    media = little.rename(little.with_name(name))
    assert abs(demux(scratch, media).audio_duration_ms - 3_000) < 40
    film = mux(scratch, media, "hi", title=name)
    assert streams(scratch.root / film.film.path)[-1] == ("subtitle", "mov_text", "hin")
    assert "\n" not in film.film.path


def test_a_name_that_is_not_utf8_is_refused_in_words_that_can_travel(scratch, little):
    media = little.rename(os.fsdecode(os.fsencode(little.parent) + b"/caf\xe9.mp4"))
    assert "caf\\udce9.mp4 has a name that is not UTF-8" in refusal(scratch, media)


def test_late_sound_is_padded_with_silence(scratch, make):
    late = make("late.mkv", *PICTURE, "-itsoffset", "1.5", *BEEP, "-c:v", "mpeg4", "-c:a", "pcm_s16le")
    result = demux(scratch, late)
    assert result.facts.audio_tracks[0].starts_ms == 1_500
    assert first_sound_ms(scratch.root / "audio.wav") == pytest.approx(1_500, abs=5)


def test_sound_before_the_picture_starts_the_clock(scratch, make):
    early = make("early.mkv", "-itsoffset", "1", *PICTURE, *BEEP, "-c:v", "mpeg4", "-c:a", "pcm_s16le")
    demux(scratch, early)
    assert first_sound_ms(scratch.root / "audio.wav") == pytest.approx(0, abs=5)


@pytest.mark.parametrize("late", [0, 1.5])
def test_a_container_that_starts_later_than_zero_starts_at_zero(scratch, make, late):
    offset = ("-itsoffset", str(late)) if late else ()
    stream = make("x.ts", *PICTURE, *offset, *BEEP, "-c:v", "mpeg2video", "-c:a", "mp2", "-muxdelay", "2")
    assert av.open(str(stream)).start_time > 1_000_000
    result = demux(scratch, stream)
    assert result.facts.audio_tracks[0].starts_ms == pytest.approx(late * 1_000, abs=80)
    expected = result.facts.audio_tracks[0].starts_ms
    assert first_sound_ms(scratch.root / "audio.wav") == pytest.approx(expected, abs=40)
    demux(scratch, stream, start_ms=1_000, end_ms=2_900)
    assert first_sound_ms(scratch.root / "audio.wav") == pytest.approx(max(0, expected - 1_000), abs=40)


def test_a_hole_in_the_sound_is_silence_and_moves_nothing(scratch, make):
    holed = make(
        "hole.mkv",
        *PICTURE,
        *BEEP,
        "-c:v",
        "mpeg4",
        "-c:a",
        "pcm_s16le",
        "-af",
        "aselect=not(between(t\\,1\\,2))",
    )
    result = demux(scratch, holed)
    wav = scratch.root / "audio.wav"
    assert abs(result.audio_duration_ms - 3_000) < 80
    assert [loud_at(wav, at) for at in (500, 1_500, 2_500)] == [True, False, True]


def test_a_clip_is_cut_on_the_films_clock(scratch, make):
    half = make(
        "half.mp4", *PICTURE, *BEEP, "-af", "volume=0:enable='lt(t,2)'", "-c:v", "mpeg4", "-c:a", "aac"
    )
    result = demux(scratch, half, start_ms=1_500, end_ms=2_750)
    assert (result.clip_start_ms, result.audio_duration_ms) == (1_500, 1_250)
    assert first_sound_ms(scratch.root / "audio.wav") == pytest.approx(500, abs=30)


def test_a_clip_after_the_sounds_end_is_silence(scratch, make):
    short = make("short.mkv", *PICTURE, "-f", "lavfi", "-i", "sine=d=1", "-c:v", "mpeg4", "-c:a", "pcm_s16le")
    assert demux(scratch, short, start_ms=2_000, end_ms=2_500).audio_duration_ms == 500
    assert set(samples(scratch.root / "audio.wav")) == {0}


def test_a_track_is_chosen_by_default_flag_language_and_number(scratch, make):
    two = make(
        "two.mkv", *PICTURE, *BEEP, "-f", "lavfi", "-i", "anullsrc=d=3:r=16000",
        "-map", "0", "-map", "1", "-map", "2", "-c:v", "mpeg4", "-c:a", "pcm_s16le", "-t", "3",
        "-metadata:s:a:0", "language=ger", "-metadata:s:a:1", "language=hin",
        "-disposition:a:0", "0", "-disposition:a:1", "default",
    )  # fmt: skip
    wav = scratch.root / "audio.wav"
    assert demux(scratch, two).audio_track == 1
    assert not loud_at(wav, 1_000)
    assert demux(scratch, two, audio_track="de").audio_track == 0
    assert loud_at(wav, 1_000)
    assert demux(scratch, two, audio_track="1").audio_track == 1
    with pytest.raises(InputError, match=r"it has 0 \(de, pcm_s16le\), 1 \(hi, pcm_s16le\)"):
        demux(scratch, two, audio_track="ta")


@pytest.mark.parametrize("suffix", ["mp3", "wav", "flac"])
def test_sound_without_a_picture_is_a_film_too(scratch, make, suffix):
    result = demux(scratch, make(f"only.{suffix}", *BEEP))
    assert not result.facts.has_video
    assert abs(result.audio_duration_ms - 3_000) < 80


def test_a_cover_is_no_video_and_stays_a_cover(scratch, make):
    cover = make("cover.png", *PICTURE, "-frames:v", "1")
    song = make(
        "song.mp3", *BEEP, "-i", f"file:{cover}", "-map", "0", "-map", "1",
        "-c:v", "png", "-disposition:v", "attached_pic",
    )  # fmt: skip
    assert not demux(scratch, song).facts.has_video
    result = mux(scratch, song, "hi")
    muxed = probe(scratch.root / result.film.path)
    assert [stream.kind for stream in muxed.streams if not stream.is_cover] == ["audio", "subtitle"]
    assert [stream.codec for stream in muxed.streams if stream.is_cover] == ["png"]


def test_a_recording_without_a_length_gets_the_length_of_its_sound(scratch, make):
    live = make("live.mkv", *PICTURE, *BEEP, "-c:v", "mpeg4", "-c:a", "aac", "-live", "1")
    assert abs(demux(scratch, live).facts.duration_ms - 3_000) < 80


# what is not a film


def refusal(scratch, media) -> str:
    with pytest.raises(InputError) as caught:
        demux(scratch, media)
    assert caught.value.remedy
    return caught.value.message


def test_what_is_not_a_film_is_refused_in_one_sentence(scratch, make, tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 64)
    (tmp_path / "text.txt").write_text("a letter\n" * 100)
    picture = make("still.png", *PICTURE, "-frames:v", "1")
    silent = make("silent.mp4", *PICTURE, "-c:v", "mpeg4")
    assert refusal(scratch, tmp_path / "none.mp4") == f"{tmp_path}/none.mp4 is not there."
    assert refusal(scratch, tmp_path) == f"{tmp_path} is a folder, not a film."
    assert refusal(scratch, tmp_path / "empty.mp4").endswith("empty.mp4 is empty (0 bytes).")
    assert "noise.mp4 is not a film: " in refusal(scratch, tmp_path / "noise.mp4")
    assert "text.txt is not a film: " in refusal(scratch, tmp_path / "text.txt")
    assert "still.png is not a film: " in refusal(scratch, picture)
    assert refusal(scratch, silent) == f"{silent} has no audio stream: there is nothing to hear."
    assert not list(scratch.root.iterdir())


def test_a_named_pipe_is_refused_without_waiting_for_it(scratch, tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    assert refusal(scratch, tmp_path / "pipe.mp4").endswith("pipe.mp4 is not a plain file.")


HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n"
CONCAT = "ffconcat version 1.0\nfile '{}'\n"
DASH = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT3S"><Period>
<AdaptationSet><Representation id="1" mimeType="video/mp4" bandwidth="1"><BaseURL>{}</BaseURL>
</Representation></AdaptationSet></Period></MPD>"""


@pytest.mark.parametrize("name", ["film.mp4", "film.m3u8", "film.mkv", "film.mpd", "film.ffconcat"])
@pytest.mark.parametrize("text", [HLS, CONCAT, DASH], ids=["hls", "concat", "dash"])
def test_a_list_of_other_files_is_refused_whatever_its_name(scratch, tmp_path, little, text, name):
    film = tmp_path / "lists" / name
    film.parent.mkdir()
    for other in (little, f"file:{little}", little.name, "http://127.0.0.1:9/a.ts"):
        film.write_text(text.format(other))
        assert refusal(scratch, film) == f"{film} is not a film but a list of other files."
    assert not list(scratch.root.iterdir())


def test_an_mp4_cut_off_before_its_index_is_named_so(scratch, little):
    os.truncate(little, little.stat().st_size // 2)
    assert refusal(scratch, little) == f"{little} was cut short: its index (moov) is missing."


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_film_cut_short_is_refused_with_both_lengths(scratch, make, suffix):
    options = ("-movflags", "+faststart") if suffix == "mp4" else ()
    long = make(
        f"long.{suffix}", "-f", "lavfi", "-i", "testsrc=d=20:s=64x64:r=8", "-f", "lavfi", "-i", "sine=d=20",
        "-c:v", "mpeg4", "-g", "8", "-c:a", "aac", *options,
    )  # fmt: skip
    os.truncate(long, long.stat().st_size // 2)
    read = readable_ms(long, lambda: None)
    assert 5_000 < read < 15_000
    said = refusal(scratch, long)
    assert re.search(
        r"was cut short: its header promises 20(\.\d+)? s, but only \d+(\.\d+)? s could be read", said
    )


def test_sound_that_ends_before_the_picture_is_not_cut_short(scratch, make):
    film = make(
        "short.mkv", "-f", "lavfi", "-i", "testsrc=d=9:s=64x64:r=8", "-f", "lavfi", "-i", "sine=d=2",
        "-c:v", "mpeg4", "-c:a", "aac",
    )  # fmt: skip
    assert abs(demux(scratch, film).audio_duration_ms - 2_000) < 80


# the process


def stand_in(monkeypatch, tmp_path, body: str) -> Path:
    """Put a program of our own in ffmpeg's place."""
    path = tmp_path / "ffmpeg"
    path.write_text(f"#!{sys.executable}\nimport os, signal, sys, time\n{body}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("CPW_FFMPEG", str(path))
    return path


def test_a_cancelled_call_ends_even_an_ffmpeg_that_will_not(monkeypatch, tmp_path, scratch, little):
    monkeypatch.setattr(program, "TERMINATE_GRACE_S", 0.2)
    pid_file = tmp_path / "pid"
    stand_in(
        monkeypatch,
        tmp_path,
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(pid_file)!r}, 'w').write(str(os.getpid()))\n"
        "while True:\n    print('out_time_us=1000000', flush=True)\n    time.sleep(0.05)\n",
    )
    scratch.cancel_after = 3
    with pytest.raises(CancelledError):
        demux(scratch, little)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


def test_a_call_can_be_cancelled_while_ffmpeg_says_nothing(monkeypatch, tmp_path, scratch, little):
    stand_in(monkeypatch, tmp_path, "time.sleep(600)\n")
    scratch.cancel_after = 2
    with pytest.raises(CancelledError):
        demux(scratch, little)


def test_a_flood_of_warnings_does_not_block(monkeypatch, tmp_path, scratch, little):
    stand_in(monkeypatch, tmp_path, "sys.stderr.write('noise\\n' * 200_000)\nsys.exit('the last word')\n")
    with pytest.raises(InputError, match=r"little\.mp4: the last word\."):
        demux(scratch, little)


def test_a_crash_of_ffmpeg_is_not_blamed_on_the_film(monkeypatch, tmp_path, scratch, little):
    stand_in(monkeypatch, tmp_path, "os.kill(os.getpid(), signal.SIGSEGV)\n")
    with pytest.raises(BugError, match="SIGSEGV"):
        demux(scratch, little)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_told_apart(scratch, little):
    (scratch.root / "audio.wav").symlink_to("/dev/full")
    with pytest.raises(DiskFullError, match=r"No space is left on the disk where .*audio\.wav is written"):
        demux(scratch, little)


# the films beside the project


def test_speech_of_the_late_film_moves_by_its_offset(tmp_path):
    """The mkv carries the AAC priming (1,024 samples at 44.1 kHz: 23.2 ms) that the mp4's edit list hides."""
    heard = {}
    for name in ("film_en.mp4", "film_en_audio_starts_4s_late.mkv"):
        root = tmp_path / name
        root.mkdir()
        result = demux(Scratch(root), real(name))
        heard[name] = samples(root / "audio.wav")
    assert result.facts.audio_tracks[0].starts_ms == 3_977
    plain, late = heard.values()
    start, length = 50_000, 2_000

    def difference(shift: int) -> int:
        return sum(abs(plain[at] - late[at + shift]) for at in range(start, start + length, 2))

    best = min(range(63_632 - 800, 63_632 + 800, 2), key=difference)
    assert best / 16 - 23.2 == pytest.approx(3_977, abs=1)
    assert set(late[:63_000]) == {0}


def test_a_real_film_cut_short_is_refused(scratch, tmp_path):
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(real("film_en_audio_starts_4s_late.mkv").read_bytes()[:1_500_000])
    assert "its header promises 74.472 s, but only " in refusal(scratch, cut)
