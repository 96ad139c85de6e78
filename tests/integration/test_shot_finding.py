"""Shot changes as the real ffmpeg finds them, on films that it makes and on those beside the project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from protocol.artefacts import describe_file, write_json
from protocol.errors import CancelledError, InputError
from protocol.schema import to_plain
from protocol.stages.subtitle import SubtitleRequest
from protocol.timeline import Segment, Transcript, Word
from tests.data import script
from tests.little_films import BEEP, PICTURE, Scratch, demux, real
from workers.engines.common.cues.checking.quality import check
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.film.probe import probe
from workers.engines.common.film.shot_finding import shots_in
from workers.engines.common.subtitle import CueSubtitle
from workers.engines.common.tracks import cut_track

pytestmark = pytest.mark.integration

_SOURCES = ("testsrc=s=64x64:r=24", "color=black:s=64x64:r=24", "color=white:s=64x64:r=24")
SHOTS = (24, 60, 78, 120, 150)
"""Frames at 24 a second at which the made film cuts; it lasts 168."""
SHOTS_MS = tuple(shot * 1_000 // 24 for shot in SHOTS)
SOUND = ("-f", "lavfi", "-i", "sine=d=7:f=440")
CODECS = ("-c:v", "mpeg4", "-q:v", "3", "-c:a", "mp2")


def cuts() -> tuple[str, ...]:
    """The input of a film whose pictures change at `SHOTS`."""
    frames = [stop - start for start, stop in zip((0, *SHOTS), (*SHOTS, 168), strict=True)]
    parts = [
        f"{_SOURCES[place % len(_SOURCES)]},trim=end_frame={count}[s{place}]"
        for place, count in enumerate(frames)
    ]
    names = "".join(f"[s{place}]" for place in range(len(frames)))
    return "-f", "lavfi", "-i", f"{';'.join(parts)};{names}concat=n={len(frames)}"


def found(scratch, film: Path, **options) -> tuple[int, ...]:
    return demux(scratch, film, shot_changes=True, **options).shot_changes_ms


def near(times) -> list:
    """A container's clock may be in milliseconds, and times are rounded down."""
    return [pytest.approx(time, abs=1) for time in times]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_every_hard_cut_is_found_at_its_first_frame(scratch, make, suffix):
    assert list(found(scratch, make(f"cuts.{suffix}", *cuts(), *SOUND, *CODECS))) == near(SHOTS_MS)
    assert [path.name for path in scratch.root.iterdir()] == ["audio.wav"]


def test_shots_are_looked_for_only_where_that_is_asked_for(scratch, make):
    film = make("cuts.mkv", *cuts(), *SOUND, *CODECS)
    assert demux(scratch, film).shot_changes_ms == ()


def test_a_picture_that_moves_or_fades_has_no_shot_changes(scratch, make):
    moving = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=24:d=5,fade=in:0:24,fade=out:96:24")
    assert found(scratch, make("moving.mp4", *moving, *SOUND, *CODECS)) == ()


def test_shots_of_a_clip_are_on_the_films_clock(scratch, make):
    film = make("cuts.mkv", *cuts(), *SOUND, *CODECS)
    assert list(found(scratch, film, start_ms=2_000, end_ms=5_500)) == near(SHOTS_MS[1:4])
    assert list(found(scratch, film, start_ms=2_601)) == near(SHOTS_MS[2:])


def test_a_picture_that_starts_late_changes_its_shots_late(scratch, make):
    late = make("late.mkv", "-itsoffset", "1.5", *cuts(), *SOUND, *CODECS)
    assert list(found(scratch, late)) == near(shot_ms + 1_500 for shot_ms in SHOTS_MS)
    assert list(found(scratch, late, start_ms=3_000)) == near(shot_ms + 1_500 for shot_ms in SHOTS_MS[1:])


@pytest.mark.parametrize("late", [0, 1.5])
def test_a_container_that_starts_later_than_zero_starts_at_zero(scratch, make, late):
    options = ("-c:v", "mpeg2video", "-q:v", "3", "-c:a", "mp2", "-muxdelay", "2")
    film = make("x.ts", "-itsoffset", str(late), *cuts(), *SOUND, *options)
    starts = next(stream.starts_ms for stream in probe(film).streams if stream.kind == "video")
    assert starts == pytest.approx(late * 1_000, abs=100)
    assert list(found(scratch, film)) == near(shot_ms + starts for shot_ms in SHOTS_MS)
    assert list(found(scratch, film, start_ms=3_500)) == near(
        shot_ms + starts for shot_ms in SHOTS_MS if shot_ms + starts > 3_500
    )


def test_a_picture_that_changes_its_size_keeps_the_shots_before(scratch, make):
    options = ("-c:v", "mpeg2video", "-q:v", "3", "-c:a", "mp2")
    wide, tall = (make(f"{size}.ts", *cuts(), *SOUND, "-s", size, *options) for size in ("128x64", "96x192"))
    both = wide.with_name("both.ts")
    both.write_bytes(wide.read_bytes() + tall.read_bytes())
    late = found(scratch, tall)
    shots = found(scratch, both)
    assert list(shots[: len(SHOTS)]) == list(found(scratch, wide))
    assert [shot - shots[-1] for shot in shots[-len(SHOTS) :]] == near(shot_ms - late[-1] for shot_ms in late)


def test_a_film_without_a_picture_has_no_shots(scratch, make):
    cover = make("cover.png", *PICTURE, "-frames:v", "1")
    song = make(
        "song.mp3", *BEEP, "-i", f"file:{cover}", "-map", "0", "-map", "1",
        "-c:v", "png", "-disposition:v", "attached_pic",
    )  # fmt: skip
    assert found(scratch, song) == ()
    assert found(scratch, make("only.wav", *BEEP)) == ()


def test_names_of_any_characters_are_names(tmp_path, make):
    odd = 'it\'s 100% "odd": [a],b;c=d\\e\nf'
    root = tmp_path / odd
    root.mkdir()
    film = make("cuts.mkv", *cuts(), *SOUND, *CODECS)
    film = film.rename(film.with_name(f"{odd}.mkv"))
    assert list(found(Scratch(root), film)) == near(SHOTS_MS)


def test_a_picture_that_no_one_can_decode_is_told(scratch, make):
    film = make("odd.avi", *PICTURE, *BEEP, "-c:v", "mpeg4", "-c:a", "pcm_s16le")
    film.write_bytes(film.read_bytes().replace(b"FMP4", b"XXXX"))
    assert demux(scratch, film).facts.has_video
    with pytest.raises(InputError, match=r"ffmpeg could not look for shot changes in .*odd\.avi"):
        found(scratch, film)


def test_the_search_tells_how_far_it_is_and_can_be_cancelled(make, tmp_path):
    film = make("cuts.mkv", *cuts(), *SOUND, *CODECS)
    scratch = Scratch(tmp_path)
    demux(scratch, film)
    without = len(scratch.seen)
    scratch = Scratch(tmp_path)
    found(scratch, film)
    assert scratch.seen[-1] == pytest.approx(1, abs=0.05)
    assert len(scratch.seen) > without
    with pytest.raises(CancelledError):
        found(Scratch(tmp_path, cancel_after=len(scratch.seen) - 1), film)


def test_an_echo_of_a_cut_and_a_frame_without_a_time_do_not_count():
    lines = (
        *("frame:1    pts:NOPTS   pts_time:NOPTS", "lavfi.scd.score=90.0"),
        *("frame:2    pts:-40000  pts_time:-0.04", "lavfi.scd.score=90.0"),
        *("frame:9    pts:7200041667 pts_time:7200.04", "lavfi.scd.score=9.5"),
        *("frame:10   pts:7200083333 pts_time:7200.08", "lavfi.scd.score=30.25"),
        *("frame:11   pts:7200125000 pts_time:7200.12", "lavfi.scd.score=12.0"),
        *("frame:19   pts:7200458333 pts_time:7200.46", "lavfi.scd.score=9.5"),
    )
    assert shots_in(lines) == (7_200_083, 7_200_458)
    assert shots_in(lines, 1_000) == (7_201_083, 7_201_458)
    assert shots_in(()) == ()


# from the film to the cue


def test_a_cue_of_a_clip_begins_with_the_shot_of_the_film(scratch, make):
    shot, before = SHOTS_MS[3], 4_000
    taken = demux(scratch, make("cuts.mkv", *cuts(), *SOUND, *CODECS), start_ms=before, shot_changes=True)
    start = shot - before - 200
    words = tuple(
        Word(text=word, start_ms=start + 300 * place, end_ms=start + 300 * place + 250)
        for place, word in enumerate(("It", "is", "said", "here."))
    )
    spoken = Transcript(
        language="en",
        segments=(Segment(start_ms=start, end_ms=start + 1_200, text="It is said here.", words=words),),
    )
    write_json(scratch.root / "transcript.json", to_plain(spoken))
    request = SubtitleRequest(
        transcript=describe_file(scratch.root / "transcript.json", "transcript.json"),
        title="Film",
        media_duration_ms=7_000,
        offset_ms=taken.clip_start_ms,
        frames_per_second=taken.facts.frames_per_second,
        formats=("json",),
        shot_changes_ms=taken.shot_changes_ms,
    )
    CueSubtitle().run(request, scratch)
    (cue,) = json.loads((scratch.root / "Film.en.json").read_text())["cues"]
    assert cue["start_ms"] in taken.shot_changes_ms
    assert cue["start_ms"] == pytest.approx(shot, abs=1)


# the films beside the project


def test_the_cuts_of_a_real_film_are_found(scratch):
    """Counted by eye: 24, in frames; two of low contrast stay unseen, and an explosion is taken for one."""
    seen = (
        *(52, 122, 158, 221, 309, 715, 788, 872, 901, 987, 1127, 1157, 1203, 1234, 1246, 1284, 1345),
        *(1378, 1430, 1525, 1571, 1618, 1650, 1689),
    )
    shots = found(scratch, real("film_en.mp4"))
    assert [frame for frame in seen if frame * 1_000 // 24 not in shots] == [987, 1650]
    assert [shot for shot in shots if shot not in {frame * 1_000 // 24 for frame in seen}] == [
        1665 * 1_000 // 24
    ]


def _lines(film: str) -> tuple[Segment, ...]:
    return tuple(Segment(start_ms=line.start_ms, end_ms=line.end_ms, text=line.text) for line in script(film))


@pytest.mark.parametrize("film", ["film_en", "film_hi"])
def test_cues_of_real_films_keep_clear_of_their_shots(scratch, figure, film):
    taken = demux(scratch, real(f"{film}.mp4"), shot_changes=True)
    language = film.removeprefix("film_")
    rules = rules_for(
        "netflix",
        language,
        frames_per_second=taken.facts.frames_per_second,
        media_duration_ms=taken.facts.duration_ms,
    )
    spoken = Transcript(language=language, segments=_lines(film))
    plain = cut_track(spoken, rules, profile="netflix")
    clear = cut_track(spoken, rules, profile="netflix", shots_ms=taken.shot_changes_ms)
    pairs = list(zip(plain.cues, clear.cues, strict=True))
    ins = sum(old.start_ms != new.start_ms for old, new in pairs)
    outs = sum(old.end_ms != new.end_ms for old, new in pairs)
    figure(
        f"shot changes of {film}: {len(taken.shot_changes_ms)} found; "
        f"of {len(pairs)} cues {ins} in-times and {outs} out-times moved"
    )
    assert ins + outs
    assert {violation.rule for violation in clear.violations()} <= {
        violation.rule for violation in check(plain.cues, rules)
    }
