from __future__ import annotations

from pathlib import Path

import pytest

from clients.settings import parse_settings
from protocol.artefacts import Artefact
from protocol.errors import UsageError
from protocol.schema import from_plain, to_plain
from protocol.stages.mux import MuxRequest, SubtitleTrack
from workers.engines.common.film.containers import MATROSKA, MP4, copied_streams
from workers.engines.common.film.mux import choose_tracks, hidden_places
from workers.engines.common.film.probe import Film, Stream

LINE = "1\n00:00:01,000 --> 00:00:02,000\nx\n\n"


@pytest.fixture
def chosen(tmp_path):
    def choose(spoken: dict[str, str], **options) -> dict[str, str]:
        files = []
        for language, text in spoken.items():
            files.append(tmp_path / f"{language}.srt")
            files[-1].write_text(text)
        tracks = tuple(
            SubtitleTrack(file=Artefact(path=file.name, size=1, sha256=""), language=file.stem)
            for file in files
        )
        request = MuxRequest(media="/film.mkv", tracks=tracks, title="Film", **options)
        return {
            track.language: "d" * track.is_default + "f" * track.is_forced
            for track in choose_tracks(request, files)
        }

    return choose


def test_the_first_track_is_shown_where_nobody_says_otherwise(chosen):
    assert chosen({"en": LINE, "hi": LINE}) == {"en": "d", "hi": ""}
    assert chosen({"en": "", "hi": LINE}) == {"hi": "d"}


def test_a_language_is_known_by_its_code_and_by_its_name(chosen):
    spoken = {"en": LINE, "hi": LINE, "und": LINE}
    assert chosen(spoken, default="Hindi", forced=("eng", "und")) == {"en": "f", "hi": "d", "und": "f"}
    assert chosen(spoken, default="none") == {"en": "", "hi": "", "und": ""}


def test_a_track_without_a_cue_gives_its_flag_to_no_other(chosen):
    assert chosen({"en": LINE, "hi": ""}, default="hi") == {"en": ""}


def test_a_language_without_a_track_is_refused(chosen):
    with pytest.raises(UsageError, match=r"mux\.default names 'ta'") as caught:
        chosen({"en": LINE}, default="ta")
    assert caught.value.remedy == "There are: en, none."
    with pytest.raises(UsageError, match=r"mux\.forced names 'none'"):
        chosen({"en": LINE}, forced=("none",))


def test_what_is_written_after_set_reaches_the_request():
    settings = parse_settings(["mux.default=none", "mux.forced=en, hi"])["mux"]
    plain = to_plain(MuxRequest(media="/f", tracks=(), title="F", burn="hi"))
    request = from_plain(MuxRequest, {**plain, **settings})
    assert (request.default, request.forced, request.burn) == ("none", ("en", "hi"), "hi")


def test_a_request_of_before_these_options_is_valid():
    request = from_plain(MuxRequest, {"media": "/f", "tracks": [], "title": "F"})
    assert (request.default, request.forced, request.burn) == ("first", (), None)


def stream(index: int, kind: str, codec: str = "", *, default: bool = False, cover: bool = False) -> Stream:
    return Stream(index=index, kind=kind, codec=codec, is_default=default, is_cover=cover)


def test_a_cover_is_none_of_an_mp4s_tracks():
    kept = (stream(0, "video", cover=True), stream(1, "video"), stream(2, "subtitle"))
    assert hidden_places(kept, ()) == (1,)
    assert hidden_places((*kept, stream(3, "subtitle", default=True)), ()) == ()


def test_what_no_matroska_holds_stays_behind():
    streams = (stream(0, "video", "mpeg4"), stream(1, "subtitle", "xsub"), stream(2, "data"))
    film = Film(path=Path("/f"), facts=None, streams=streams)
    assert [copied_stream.index for copied_stream in copied_streams(film, MATROSKA)] == [0]
    assert [copied_stream.index for copied_stream in copied_streams(film, MP4)] == [0, 1]
