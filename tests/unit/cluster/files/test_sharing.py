"""Which paths of the head a node can read, and which files a request names."""

from __future__ import annotations

from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from cluster.files.sharing import called_here, named_artefacts, without_film_facts
from protocol.artefacts import Artefact
from protocol.schema import to_plain
from protocol.stages import STAGES
from protocol.stages.mux import MuxRequest, SubtitleTrack

NAS = {"/mnt/nas": "/Volumes/nas"}
PARTS = st.lists(st.sampled_from(["mnt", "nas", "nas2", "a", "b", "Film (1).mkv", "..", "."]), max_size=6)
SHARES = st.dictionaries(
    PARTS.map(lambda parts: "/" + "/".join(parts)),
    PARTS.map(lambda parts: "/here/" + "/".join(parts)),
    max_size=4,
)


def test_a_path_in_a_share_is_called_as_the_node_calls_it() -> None:
    assert called_here("/mnt/nas", NAS) == "/Volumes/nas"
    assert called_here("/mnt/nas/films/a.mkv", NAS) == "/Volumes/nas/films/a.mkv"
    assert called_here("/mnt/nas/films/", {"/mnt/nas/": "/n/"}) == "/n/films"


def test_whole_parts_of_paths_count() -> None:
    assert called_here("/mnt/nas2/a.mkv", NAS) is None
    assert called_here("/mnt", NAS) is None
    assert called_here("mnt/nas/a.mkv", NAS) is None


def test_the_innermost_share_counts_in_whatever_order_they_are_named() -> None:
    inner = {"/mnt/nas/films": "/films"}
    for shares in (NAS | inner, inner | NAS):
        assert called_here("/mnt/nas/films/a.mkv", shares) == "/films/a.mkv"
        assert called_here("/mnt/nas/out/1", shares) == "/Volumes/nas/out/1"


def test_a_path_that_goes_up_lies_in_no_share() -> None:
    assert called_here("/mnt/nas/../../etc/shadow", NAS) is None
    assert called_here("/mnt/nas/a", {"/mnt/nas": "/n/../etc"}) is None
    assert called_here("/etc/shadow", {"": "/"}) is None


@given(PARTS, SHARES)
def test_nothing_outside_of_shares_is_touched(parts: list[str], shares: dict[str, str]) -> None:
    path = "/" + "/".join(parts)
    found = called_here(path, shares)
    inside = {head: here for head, here in shares.items() if PurePosixPath(path).is_relative_to(head)}
    if found is None:
        assert all(".." in path + head + here for head, here in inside.items())
        return
    rests = [PurePosixPath(here) / PurePosixPath(path).relative_to(head) for head, here in inside.items()]
    assert PurePosixPath(found) in rests
    assert ".." not in found


def test_every_artefact_of_a_request_is_found_at_any_depth() -> None:
    one, two = (Artefact(path=f"11_subtitle/{name}", size=1, sha256="0" * 64) for name in "ab")
    tracks = tuple(SubtitleTrack(file=file, language="en") for file in (one, two))
    request = to_plain(MuxRequest(media="/film.mkv", tracks=tracks, title="a"))
    assert list(named_artefacts(request)) == [one, two]


def test_what_only_looks_like_an_artefact_is_none() -> None:
    film = {"path": "/film.mkv", "size": 1, "device": 1, "inode": 1, "modified_ns": 1}
    assert list(named_artefacts({"film": film, "part": {"path": "a", "size": 1}, "text": "path"})) == []


def test_a_film_is_named_by_media_in_every_stage_that_reads_one() -> None:
    named = {stage.name for stage in STAGES.values() if stage.takes("media")}
    assert named == {"demux", "mux"}


def test_what_this_nodes_disk_says_of_a_film_does_not_reach_the_head() -> None:
    film = {"path": "/n/film.mkv", "size": 1, "device": 1, "inode": 1, "modified_ns": 1}
    artefact = {"path": "12_mux/film.mkv", "size": 1, "sha256": "0" * 64}
    assert without_film_facts({"film": film, "notes": []}) == {"film": None, "notes": []}
    assert without_film_facts({"film": artefact}) == {"film": artefact}
