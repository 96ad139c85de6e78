"""demux's second sound, for the stage separate, with the real ffmpeg: as long as the first, on its clock."""

from __future__ import annotations

import array
from pathlib import Path

import av
import pytest

from protocol.errors import CancelledError, DiskFullError, InputError
from tests.little_films import BEEP, PICTURE, Scratch, demux, first_sound_ms, real, samples
from workers.engines.common.film import ffmpeg as program
from workers.engines.common.film.sound import full_band

pytestmark = pytest.mark.integration

_CLICK = "aevalsrc=if(between(t\\,1\\,1.01)\\,0.8\\,0):d=3:s=48000"


def stereo(path: Path) -> tuple[array.array[int], array.array[int]]:
    """Return the left and the right samples of a FLAC file of the form that separate reads."""
    left, right = array.array("h"), array.array("h")
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert (container.format.name, stream.codec_context.name) == ("flac", "flac")
        assert (stream.rate, stream.channels, stream.format.name) == (44_100, 2, "s16")
        for frame in container.decode(stream):
            both = array.array("h", bytes(frame.planes[0])[: 4 * frame.samples])
            left.extend(both[::2])
            right.extend(both[1::2])
    return left, right


def both_lengths(scratch) -> tuple[float, float]:
    """Return how long the 16 kHz sound and the full one are, in samples at 16 kHz."""
    return len(samples(scratch.root / "audio.wav")), len(stereo(scratch.root / full_band.NAME)[0]) / 2.75625


def assert_same_clock(scratch, film, **options) -> float:
    """Take both sounds out; return where the first thing is heard in the full one, in ms."""
    result = demux(scratch, film, full_band=True, **options)
    assert result.full_band.path == full_band.NAME
    wav, flac = both_lengths(scratch)
    assert flac == pytest.approx(wav, abs=1.1)
    assert flac / 16 == pytest.approx(result.audio_duration_ms, abs=1)
    left, _ = stereo(scratch.root / full_band.NAME)
    onset = next(place for place, sample in enumerate(left) if abs(sample) > 500) / 44.1
    assert onset == pytest.approx(first_sound_ms(scratch.root / "audio.wav"), abs=0.5)
    return onset


def test_nobody_gets_it_unasked(scratch, little):
    assert demux(scratch, little).full_band is None
    assert [path.name for path in scratch.root.iterdir()] == ["audio.wav"]


def test_both_sounds_come_out_of_one_run_and_the_first_is_what_it_was(scratch, little, monkeypatch):
    alone = demux(scratch, little).audio
    runs = []
    run = program.run
    monkeypatch.setattr(program, "run", lambda *given, **named: runs.append(given) or run(*given, **named))
    result = demux(scratch, little, full_band=True)
    assert result.audio == alone
    assert len(runs) == 1
    assert demux(scratch, little, full_band=True).full_band == result.full_band


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000])
def test_both_sounds_are_as_long_whatever_the_films_rate(scratch, make, rate):
    assert_same_clock(scratch, make("x.wav", "-f", "lavfi", "-i", f"sine=d=3.1234:r={rate}"))


@pytest.mark.parametrize("late_s", [0, 1.5])
@pytest.mark.parametrize("name", ["x.mkv", "x.ts", "x.mp4"])
def test_a_late_films_full_sound_is_late_too(scratch, make, name, late_s):
    offset = ("-itsoffset", str(late_s)) if late_s else ()
    codec = {"x.mkv": "pcm_s16le", "x.ts": "mp2", "x.mp4": "aac"}[name]
    picture = "mpeg2video" if name == "x.ts" else "mpeg4"
    film = make(name, *PICTURE, *offset, "-f", "lavfi", "-i", _CLICK, "-c:v", picture, "-c:a", codec)
    expected = 1_000 + late_s * 1_000
    assert assert_same_clock(scratch, film) == pytest.approx(expected, abs=80)
    clipped = assert_same_clock(scratch, film, start_ms=800, end_ms=2_900)
    assert clipped == pytest.approx(expected - 800, abs=80)


def test_a_hole_in_the_sound_is_as_long_in_both(scratch, make):
    cut = ("-af", "aselect=not(between(t\\,1\\,2))")
    film = make("hole.mkv", *PICTURE, *BEEP, "-c:v", "mpeg4", "-c:a", "pcm_s16le", *cut)
    assert_same_clock(scratch, film)
    left, _ = stereo(scratch.root / full_band.NAME)
    loud = [max(map(abs, left[at : at + 4_410])) > 500 for at in (22_050, 66_150, 110_250)]
    assert loud == [True, False, True]


@pytest.mark.parametrize(("channels", "layout"), [(1, "mono"), (2, "stereo"), (6, "5.1")])
def test_it_is_stereo_whatever_the_film_has(scratch, make, channels, layout):
    tones = "|".join(f"0.2*sin({200 * (number + 1)}*2*PI*t)" for number in range(channels))
    film = make("x.wav", "-f", "lavfi", "-i", f"aevalsrc={tones}:d=1:s=48000:c={layout}")
    assert_same_clock(scratch, film)
    left, right = stereo(scratch.root / full_band.NAME)
    assert min(max(map(abs, left)), max(map(abs, right))) > 1_000
    assert (left == right) == (channels == 1)


@pytest.mark.parametrize(("start_ms", "end_ms"), [(500, 2_500), (2_000, 2_500), (2_000, None)])
def test_a_clip_past_the_sounds_end_is_silence_in_both(scratch, make, start_ms, end_ms):
    short = make("short.mkv", *PICTURE, "-f", "lavfi", "-i", "sine=d=1", "-c:v", "mpeg4", "-c:a", "pcm_s16le")
    result = demux(scratch, short, full_band=True, start_ms=start_ms, end_ms=end_ms)
    wav, flac = both_lengths(scratch)
    assert flac == pytest.approx(wav, abs=0.5)
    assert wav == result.audio_duration_ms * 16
    left, right = stereo(scratch.root / full_band.NAME)
    # Of the clip that starts in the sound half a second is heard.
    for side in (left, right):
        assert (max(map(abs, side[:20_000])) > 500) == (start_ms == 500)
        assert set(side[23_000:]) <= {0}
    assert sorted(path.name for path in scratch.root.iterdir()) == ["audio.wav", full_band.NAME]


def test_what_is_no_film_leaves_neither(scratch, make, tmp_path, monkeypatch):
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 64)
    with pytest.raises(InputError):
        demux(scratch, tmp_path / "noise.mp4", full_band=True)
    assert not list(scratch.root.iterdir())


def test_lengthening_it_can_be_cancelled(scratch, make):
    film = make("little.wav", *BEEP)
    demux(scratch, film, full_band=True)
    scratch.cancel_after = len(scratch.seen)
    with pytest.raises(CancelledError):
        full_band.fit(scratch.root / full_band.NAME, 5.0, scratch)
    assert len(stereo(scratch.root / full_band.NAME)[0]) == 3 * 44_100


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_told_apart_for_it_too(scratch, little):
    (scratch.root / full_band.NAME).symlink_to("/dev/full")
    with pytest.raises(DiskFullError, match=r"No space is left on the disk where .*audio_full\.flac"):
        demux(scratch, little, full_band=True)


@pytest.mark.parametrize("name", ["film_en.mp4", "film_en_audio_starts_4s_late.mkv"])
def test_a_real_films_two_sounds_are_one(tmp_path, name):
    scratch = Scratch(tmp_path)
    demux(scratch, real(name), full_band=True)
    wav, flac = both_lengths(scratch)
    assert flac == pytest.approx(wav, abs=1.1)
    narrow = samples(tmp_path / "audio.wav")
    left, right = stereo(tmp_path / full_band.NAME)

    def difference(shift: int, start: int = 160_000) -> int:
        found = 0
        for place in range(start, start + 3_000):
            at = round(place * 2.75625) + shift
            found += abs(6 * narrow[place] - sum(left[at - 1 : at + 2]) - sum(right[at - 1 : at + 2]))
        return found

    assert abs(min(range(-100, 101), key=difference)) <= 1
    assert difference(0) < difference(30) / 2
