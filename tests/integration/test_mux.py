"""mux with the real ffmpeg, on little films that it makes and on the films beside the project."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import av
import pytest

from protocol.errors import CancelledError, UsageError
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
from workers.engines.common.film.mux import FfmpegMux
from workers.engines.common.film.probe import probe

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
    assert [stream.is_default for stream in muxed.streams[2:]] == [True, False]
    with av.open(str(path)) as container:
        assert container.streams[2].metadata["handler_name"] == "Hindi"
    assert sorted(path.name for path in scratch.root.iterdir()) == ["Film_subtitled.mp4", "en.srt", "hi.srt"]


def test_pictures_and_sound_are_copied_bit_for_bit(scratch, little):
    result = mux(scratch, little, "hi")

    def packets(path: Path, index: int) -> list[bytes]:
        with av.open(str(path)) as container:
            return [bytes(packet) for packet in container.demux(index) if packet.size]

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
    assert [stream[:2] for stream in streams(path)] == [
        ("video", "mpeg4"),
        ("audio", "ac3"),
        ("subtitle", "subrip"),
        ("subtitle", "subrip"),
        ("attachment", ""),
    ]
    with av.open(str(path)) as container:
        assert container.metadata["title"] == "Sholay"
        assert [chapter["metadata"]["title"] for chapter in container.chapters()] == ["One"]
        assert [subtitle.language for subtitle in container.streams.subtitles] == ["fre", "tam"]
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
    assert "data" in [stream[0] for stream in streams(film)]
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
    assert [stream[1] for stream in streams(scratch.root / result.film.path)] == [
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
    assert [stream[2] for stream in streams(scratch.root / result.film.path)[2:]] == ["eng"]


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


# flags


def test_a_flag_is_set_where_a_person_asks_for_it(scratch, little):
    path = scratch.root / mux(scratch, little, "hi", "en", default="English", forced=("en", "hin")).film.path
    assert flags(path) == {"hin": {"forced"}, "eng": {"default", "forced"}}


@pytest.mark.parametrize(
    ("name", "codec", "written"),
    # mkvtoolnix and RFC 9559 want the bibliographic codes, ISO/IEC 14496-12 the terminological ones.
    [("film.mp4", "aac", ["fra", "deu", "zho", "eng"]), ("film.mkv", "ac3", ["fre", "ger", "chi", "eng"])],
)
def test_a_language_is_written_as_the_container_wants_it(scratch, make, name, codec, written):
    film = make(name, *PICTURE, *BEEP, "-c:v", "mpeg4", "-c:a", codec)
    path = scratch.root / mux(scratch, film, "fr", "de", "zh", "en").film.path
    assert [stream[2] for stream in streams(path)[2:]] == written


def test_a_forced_track_of_an_mp4_is_forced_for_players_of_apple(scratch, little):
    data = (scratch.root / mux(scratch, little, "hi", "en", forced=("en",)).film.path).read_bytes()
    entries = [data[at + 12 : at + 16].hex() for at in _all(data, b"tx3g" + bytes(6) + b"\0\1")]
    assert entries == ["00000000", "c0000000"]


def _all(data: bytes, wanted: bytes) -> list[int]:
    return [match.start() for match in re.finditer(re.escape(wanted), data)]


@pytest.mark.parametrize("codecs", [("film.mp4", "aac"), ("film.mkv", "ac3")])
def test_none_of_the_tracks_is_shown_from_the_start_where_none_is_to_be(scratch, make, codecs):
    film = make(codecs[0], *PICTURE, *BEEP, "-c:v", "mpeg4", "-c:a", codecs[1])
    path = scratch.root / mux(scratch, film, "hi", "en", default="none", forced=("en",)).film.path
    assert flags(path) == {"hin": set(), "eng": {"forced"}}
    assert cue_times(path, 3) == [0.5, 2.0]
    assert [stream.is_default for stream in probe(path).streams[:2]] == [
        stream.is_default for stream in probe(film).streams
    ]


def test_a_cover_does_not_hide_which_track_is_not_to_be_shown(scratch, make):
    cover = make("cover.jpg", *PICTURE, "-frames:v", "1", "-pix_fmt", "yuvj420p")
    film = make(
        "cover.mp4", "-i", str(cover), *PICTURE, *BEEP, "-map", "0", "-map", "1", "-map", "2",
        "-c:v:0", "copy", "-disposition:v:0", "attached_pic", "-c:v:1", "mpeg4", "-c:a", "aac",
    )  # fmt: skip
    path = scratch.root / mux(scratch, film, "hi", default="none").film.path
    assert flags(path) == {"hin": set()}
    assert [stream.is_cover for stream in probe(path).streams].count(True) == 1


def test_a_language_that_no_track_is_in_is_refused_by_name(scratch, little):
    for option in ({"default": "ta"}, {"forced": ("en", "ta")}, {"burn": "ta"}):
        with pytest.raises(UsageError, match=f"mux.{next(iter(option))} names 'ta'") as caught:
            mux(scratch, little, "hi", "en", **option)
        assert "hi, en" in caught.value.remedy
    assert not scratch.seen


def test_where_nothing_is_said_no_language_is_wrong(scratch, little):
    assert mux(scratch, little, default="ta", forced=("ta",)).track_languages == ()


def bitmaps() -> bytes:
    """Return a Blu-ray's subtitles (PGS): a white bar from 0.5 s to 1.5 s, and one from 2 s to 2.5 s."""

    def part(at_ms: int, kind: int, body: bytes = b"") -> bytes:
        return b"PG" + struct.pack(">IIBH", at_ms * 90, 0, kind, len(body)) + body

    def head(at_ms: int, *things: bytes) -> bytes:
        state = 128 if things else 0
        screen = struct.pack(">HHBHBBBB", 64, 64, 16, 0, state, 0, 0, len(things))
        window = struct.pack(">BBHHHH", 1, 0, 16, 50, 32, 8)
        return part(at_ms, 0x16, screen + b"".join(things)) + part(at_ms, 0x17, window)

    bar = b"\x00\xa0\x01\x00\x00" * 8
    thing = struct.pack(">HBB", 0, 0, 0xC0) + (len(bar) + 4).to_bytes(3, "big") + struct.pack(">HH", 32, 8)
    return b"".join(
        head(start, struct.pack(">HBBHH", 0, 0, 0, 16, 50))
        + part(start, 0x14, bytes([0, 0, 1, 235, 128, 128, 255]))
        + part(start, 0x15, thing + bar)
        + part(start, 0x80)
        + head(end)
        + part(end, 0x80)
        for start, end in ((500, 1_500), (2_000, 2_500))
    )


@pytest.fixture
def rich(make, tmp_path):
    """Return how to make a film that has two of everything its container can hold."""
    (tmp_path / "own.srt").write_text(SRT)
    (tmp_path / "own.sup").write_bytes(bitmaps())
    (tmp_path / "font.ttf").write_bytes(b"font")
    (tmp_path / "chapters.txt").write_text(
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=3000\ntitle=Two\n"
    )

    def film(name: str, text: str, bitmap: tuple[str, ...], *more: str) -> Path:
        return make(
            name, *PICTURE, *BEEP, *(argument for own in ("own.srt", "own.sup", "chapters.txt")
            for argument in ("-i", str(tmp_path / own))), "-map_chapters", "4",
            *(argument for number in "011223" for argument in ("-map", number)),
            "-c:v", "mpeg4", "-c:a", "aac", "-c:s:0", text, "-c:s:1", text, *bitmap,
            "-metadata:s:a:0", "language=hin", "-metadata:s:a:1", "language=eng",
            "-metadata:s:s:0", "language=fre", "-metadata:s:s:1", "language=ger",
            "-metadata:s:s:2", "language=spa",
            "-disposition:a:0", "default+original", "-disposition:a:1", "visual_impaired",
            "-disposition:s:0", "default+forced", "-disposition:s:1", "hearing_impaired",
            "-disposition:s:2", "default", *more,
        )  # fmt: skip

    return film


@pytest.fixture
def rich_mkv(rich, tmp_path):
    font = ("-attach", str(tmp_path / "font.ttf"), "-metadata:s:t", "mimetype=application/x-truetype-font")
    return rich("rich.mkv", "srt", ("-c:s:2", "copy"), *font)


@pytest.fixture
def rich_mp4(rich):
    # A DVD's picture has an end; a Blu-ray's lasts until the next, which no packet of an mp4 can.
    return rich("rich.mp4", "mov_text", ("-c:s:2", "dvdsub", "-bsf:s:2", "setts=duration=500*(1/1000)/TB"))


def flags(path: Path, kind: str = "subtitle") -> dict[str, set[str]]:
    """Return the flags of each stream by its language; those that only repeat another are left out."""
    with av.open(str(path)) as container:
        return {
            stream.language or "und": {
                flag.name
                for flag in av.stream.Disposition
                if flag.name and flag & stream.disposition and flag.name not in ("captions", "descriptions")
            }
            for stream in container.streams
            if stream.type == kind
        }


def chapters(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return [chapter["metadata"]["title"] for chapter in container.chapters()]


@pytest.mark.parametrize("film", ["rich_mkv", "rich_mp4"])
@pytest.mark.parametrize("shown", ["hi", "none"])
def test_all_that_a_film_has_survives_with_its_flags(scratch, request, film, shown):
    source = request.getfixturevalue(film)
    path = scratch.root / mux(scratch, source, "hi", default=shown).film.path
    assert path.suffix == source.suffix
    own = [stream for stream in streams(source) if stream[0] not in ("attachment", "data")]
    kept = streams(path)
    assert kept[: len(own)] == own
    assert kept[len(own)][2] == "hin"
    assert [stream for stream in kept if stream[0] == "attachment"] == [
        stream for stream in streams(source) if stream[0] == "attachment"
    ]
    assert chapters(path) == ["One", "Two"]
    assert flags(path, "audio") == flags(source, "audio")
    before = flags(source)
    assert before == {
        "fre": {"default", "forced"}, "ger": {"hearing_impaired"}, "spa": {"default"},
    }  # fmt: skip
    gone = {"default"} if shown == "hi" else set()
    assert flags(path) == {
        **{language: flag_set - gone for language, flag_set in before.items()}, "hin": gone
    }  # fmt: skip
    for place, stream in enumerate(own):
        if stream[0] == "subtitle":
            assert cue_times(path, place) == cue_times(source, place)


def test_no_flag_is_set_that_nobody_set(scratch, make, tmp_path):
    (tmp_path / "own.srt").write_text(SRT)
    own = str(tmp_path / "own.srt")
    film = make(
        "quiet.mkv", *PICTURE, *BEEP, "-i", own, "-i", own,
        *(argument for number in "0123" for argument in ("-map", number)),
        "-c:v", "mpeg4", "-c:a", "aac", "-metadata:s:s:0", "language=fre", "-metadata:s:s:1", "language=ger",
        "-disposition:s", "0",
    )  # fmt: skip
    assert flags(scratch.root / mux(scratch, film).film.path) == {"fre": set(), "ger": set()}


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_title_and_year_become_the_films_where_it_says_none_of_its_own(scratch, make, suffix):
    def tags(*said: str) -> dict[str, str]:
        film = make(f"film.{suffix}", *PICTURE, *BEEP, "-c:v", "mpeg4", "-c:a", "aac", *said)
        result = mux(scratch, film, "hi", title="Sholay", year=1975)
        with av.open(str(scratch.root / result.film.path)) as container:
            return {name.casefold(): value for name, value in container.metadata.items()}

    found = tags()
    assert (found["title"], found["date"]) == ("Sholay", "1975")
    found = tags("-metadata", "title=Embers", "-metadata", "date=1976")
    assert (found["title"], found["date"]) == ("Embers", "1976")
