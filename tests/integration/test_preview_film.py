"""What a preview page is given to play: real films, real ffmpeg."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import wave
from pathlib import Path

import av
import pytest

from protocol.subtitles.preview import PreviewMedia
from tests.data import ROOT
from tests.job_folders import CUES, make_film, write_job
from tests.rss import Watch
from workers.engines.common.preview import film as preview_film
from workers.engines.common.preview.page import preview

pytestmark = pytest.mark.integration

H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast")
TRACKS = {"en": CUES}


class Previewed:
    def __init__(self, root):
        self.root = root
        self.told = []

    def media(self, film, **changes):
        folder = write_job(self.root / "job", film, TRACKS, **changes)
        media = preview(folder, tell=self.told.append).media
        assert media is not None
        return media


@pytest.fixture
def previewed(tmp_path):
    return Previewed(tmp_path)


def described(path):
    """Return codec and size of the picture, codec, channels and first sound of the first audio stream."""
    with av.open(str(path)) as film:
        picture, sound = film.streams.video[0], film.streams.audio[0]
        return (
            (picture.codec_context.name, picture.codec_context.pix_fmt, picture.height),
            (sound.codec_context.name, sound.codec_context.layout.nb_channels, float(sound.start_time or 0)),
        )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", (*H264, "-c:a", "aac")),
        ("a.M4V", (*H264, "-c:a", "mp3", "-f", "mp4")),
        ("a.webm", ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus")),
        ('it\'s "100%": new?.mp4', (*H264, "-an")),
        ("a.mp3", ("-vn", "-c:a", "libmp3lame")),
    ],
)
def test_a_film_that_browsers_play_is_played_as_it_is(previewed, tmp_path, name, options):
    film = make_film(tmp_path / name, *options, seconds=2)
    assert previewed.media(film) == PreviewMedia(file=str(film), kind="film")
    assert previewed.told == []
    assert not list((tmp_path / "job" / "preview").glob("*.mp4"))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.avi", ("-c:v", "mpeg4", "-c:a", "ac3")),
        ("vp9.mkv", ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus")),
        (
            "ten_bits.mp4",
            ("-c:v", "libx264", "-pix_fmt", "yuv420p10le", "-preset", "ultrafast", "-c:a", "aac"),
        ),
        ("h264.avi", (*H264, "-c:a", "mp3")),
    ],
)
def test_a_film_that_they_do_not_is_copied_small(previewed, tmp_path, name, options):
    film = make_film(tmp_path / name, *options, "-s", "1280x718", seconds=3)
    copy = tmp_path / "job" / "preview" / "Film.mp4"
    assert previewed.media(film) == PreviewMedia(file=str(copy), kind="copy")
    assert described(copy) == (("h264", "yuv420p", 480), ("aac", 2, 0.0))
    assert previewed.told[0] == "copying the film for the browser (Film.mp4): 0 %"
    assert [path.name for path in copy.parent.iterdir() if path.suffix != ".html"] == ["Film.mp4"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mkv", (*H264, "-c:a", "aac")),
        ("ac3.mp4", (*H264, "-c:a", "ac3")),
        ("named_so.mp4", (*H264, "-c:a", "aac", "-f", "matroska")),
        ("no name at all", (*H264, "-c:a", "aac", "-f", "mp4")),
    ],
)
def test_a_picture_that_is_right_is_kept_in_the_copy_unless_it_is_very_large(
    previewed, tmp_path, monkeypatch, name, options
):
    film = make_film(tmp_path / name, *options, "-s", "1280x718", seconds=3)
    copy = previewed.media(film).file
    assert described(copy) == (("h264", "yuv420p", 718), ("aac", 2, 0.0))
    Path(copy).unlink()
    monkeypatch.setattr(preview_film, "KEPT_BYTES", 1_000)
    assert described(previewed.media(film).file)[0] == ("h264", "yuv420p", 480)


def test_a_film_without_a_picture_is_copied_as_sound(previewed, tmp_path):
    film = make_film(tmp_path / "a.wma", "-vn", "-c:a", "wmav2", seconds=2)
    with av.open(previewed.media(film).file) as read:
        assert [stream.type for stream in read.streams] == ["audio"]


def test_a_copy_can_be_sought_in_and_begins_to_play_before_it_is_read_whole(previewed, tmp_path):
    film = make_film(tmp_path / "a.avi", "-c:v", "mpeg4", "-g", "1000", "-c:a", "aac")
    copy = previewed.media(film).file
    with av.open(copy) as read:
        keys = [float(packet.pts * packet.time_base) for packet in read.demux(video=0) if packet.is_keyframe]
    assert len(keys) >= 5
    assert max(later - earlier for earlier, later in itertools.pairwise(keys)) <= 2.05
    whole = Path(copy).read_bytes()
    assert 0 < whole.find(b"moov") < whole.find(b"mdat")


def test_a_copy_is_made_once_and_anew_for_a_film_that_has_changed(previewed, tmp_path):
    film = make_film(tmp_path / "a.mkv", *H264, "-an", seconds=1)
    copy = previewed.media(film).file
    previewed.told.clear()
    assert previewed.media(film).file == copy
    assert previewed.told == []
    make_film(film, *H264, "-an", seconds=2)
    previewed.media(film)
    assert previewed.told
    with av.open(copy) as read:
        assert read.duration / av.time_base == pytest.approx(2, abs=0.1)


def test_the_copy_has_the_sound_that_was_listened_to(previewed, tmp_path):
    two = (*H264, "-c:a", "aac", "-map", "0:v", "-map", "1:a", "-map", "1:a", "-filter:a:1", "volume=0")
    film = make_film(tmp_path / "two.mp4", *two, seconds=2)
    assert previewed.media(film, audio_track=0).kind == "film"
    found = previewed.media(film, audio_track=1)
    assert found.kind == "copy"
    with av.open(found.file) as read:
        assert len(read.streams.audio) == 1
        loudest = max(abs(frame.to_ndarray()).max() for frame in read.decode(audio=0))
    assert loudest < 0.001


def test_sound_that_begins_late_is_late_in_the_copy_too(previewed, tmp_path):
    late = (*H264, "-c:a", "aac", "-af", "asetpts=PTS+1.5/TB")
    film = make_film(tmp_path / "late.mkv", *late, seconds=3)
    copy = previewed.media(film).file
    assert described(copy)[1] == ("aac", 2, 0.0)
    with av.open(copy) as read:
        for frame in read.decode(audio=0):
            if abs(frame.to_ndarray()).max() > 0.01:
                break
    assert frame.time == pytest.approx(1.5, abs=0.06)


def test_without_the_film_the_one_with_its_subtitles_is_played(previewed, tmp_path):
    muxed = tmp_path / "job" / "12_mux" / "Film_subtitled.mp4"
    muxed.parent.mkdir(parents=True)
    make_film(muxed, *H264, "-c:a", "aac", seconds=1)
    assert previewed.media(tmp_path / "gone.mp4", muxed=muxed) == PreviewMedia(file=str(muxed), kind="muxed")


def test_a_film_that_was_spoilt_leaves_the_sound_that_was_taken_out_of_it(previewed, tmp_path):
    film = tmp_path / "a.mp4"
    film.write_bytes(b"no film any more")
    assert previewed.media(film).kind == "sound"


def write_minutes(path: Path, minutes: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        for _ in range(minutes):
            file.writeframesraw(b"\x10\x27\xf0\xd8" * (60 * 8_000))
    return path


@pytest.mark.alone
def test_three_hours_are_measured_in_little_memory_and_in_the_time_their_length_says(tmp_path, figure):
    short, long = (write_minutes(tmp_path / f"{minutes}.wav", minutes) for minutes in (18, 180))
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.growth import growth\n"
        "from workers.engines.common.preview.waveform import peaks\n"
        "short, long = map(Path, sys.argv[1:])\n"
        "print(len(peaks(long)), growth(peaks, short, long))\n"
    )
    command = [sys.executable, "-c", program, short, long]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process, Watch(process.pid) as watch:
        count, times = (float(part) for part in process.communicate()[0].split())
    long.unlink()
    megabytes = watch.highest / 1e6
    figure(
        f"waveform: three hours, {megabytes:.0f} MB, {count:.0f} values; "
        f"10 times the sound takes {times:.1f} times as long (limit 25)"
    )
    assert count == 216_000
    assert times < 25
    assert 0 < megabytes < 100


@pytest.mark.env("common")
def test_the_command_needs_neither_a_locale_nor_a_terminal(tmp_path):
    film = make_film(tmp_path / "चलचित्र #1.mkv", *H264, "-an", seconds=1)
    folder = write_job(tmp_path / "job", film, TRACKS, title="चलचित्र #1")
    done = subprocess.run(
        [ROOT / "venv" / "common" / "bin" / "cpw", "preview", folder, "--json"],
        cwd=tmp_path, env={"PATH": os.environ["PATH"], "LC_ALL": "C"}, capture_output=True, check=True,
    )  # fmt: skip
    document = json.loads(done.stdout)
    assert document["page"] == str(folder / "preview" / "चलचित्र #1.html")
    assert Path(document["page"]).is_file()
    assert (document["media"]["kind"], document["opened"]) == ("copy", False)
    assert b"copying the film for the browser" in done.stderr
