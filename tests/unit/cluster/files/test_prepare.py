"""A call's files are on its node before it begins: shared, linked, or fetched from the head's real server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.files.node_files import NodeFiles
from protocol.artefacts import Artefact
from protocol.cluster.messages import Door
from protocol.errors import DiskFullError, InputError, TransientError
from protocol.schema import to_plain
from tests.cluster_calls import call_of, ends_when_some_came, identity_of, made_by
from tests.cluster_head import PlayedHead
from tests.unit.cluster.files.conftest import MakeNode

SOUND = os.urandom(3_000_000)
ASR = identity_of("asr")


@pytest.fixture
def audio(head: PlayedHead) -> Artefact:
    head.add_job(asr=1, align=1)
    return head.add_file("01_demux/audio.wav", SOUND)


def asr(audio: Artefact) -> dict[str, object]:
    return {"audio": to_plain(audio), "model": "whisper-base"}


def test_in_a_share_paths_are_rewritten_and_nothing_is_asked_for(
    head: PlayedHead, make_node: MakeNode, tmp_path: Path
) -> None:
    node = make_node(**{"/mnt/nas": str(tmp_path / "nas")})
    film = "/mnt/nas/films/a.mkv"
    call = call_of("demux", {"media": film, "audio_track": "0"}, job_folder="/mnt/nas/out/1")
    found = node.prepare(identity_of("demux"), call)
    assert found == replace(
        call,
        job_directory=f"{tmp_path}/nas/out/1",
        request={"media": f"{tmp_path}/nas/films/a.mkv", "audio_track": "0"},
    )
    assert node.publish(identity_of("demux"), found, made_by(found, audio_wav=b"x")).artefacts
    node.forget(identity_of("demux"))
    assert (tmp_path / "nas/out/1/.scratch/demux-1/audio.wav").exists()
    assert head.asked == []


def test_without_a_share_a_call_gets_a_folder_of_the_nodes_own_and_all_that_it_names(
    head: PlayedHead, node: NodeFiles, audio: Artefact, tmp_path: Path
) -> None:
    found = node.prepare(ASR, call_of("asr", {"deep": [{"er": [to_plain(audio)]}], "n": 1}))
    folder = Path(found.job_directory)
    assert folder == tmp_path / "big-box" / "jobs" / "job-1"
    assert (folder / "01_demux" / "audio.wav").read_bytes() == SOUND
    assert found == replace(call_of("asr", found.request), job_directory=str(folder))


def test_a_share_that_the_head_has_not_confirmed_is_none(
    head: PlayedHead, make_node: MakeNode, tmp_path: Path
) -> None:
    node = make_node(**{"/mnt/nas": str(tmp_path / "nas"), "/mnt/other": str(tmp_path / "other")})
    node.use_door(head.door(), ("/mnt/other", "/never/offered"))
    found = node.prepare(ASR, call_of("asr", {}, job_folder="/mnt/nas/out/1"))
    assert found.job_directory == str(tmp_path / "big-box" / "jobs" / "job-1")
    for folder in ("/never/offered/1", "/mnt/other/1"):
        found = node.prepare(ASR, call_of("asr", {}, job_folder=folder))
        assert found.job_directory.startswith(str(tmp_path / "other")) == (folder == "/mnt/other/1")


def test_a_film_in_no_share_is_refused_with_a_sentence(node: NodeFiles) -> None:
    call = call_of("demux", {"media": "/srv/films/a.mkv"})
    with pytest.raises(TransientError, match=r"big-box cannot read /srv/films/a\.mkv: .* share"):
        node.prepare(identity_of("demux"), call)


def test_ten_gigabytes_of_film_never_travel(
    head: PlayedHead, node: NodeFiles, make_node: MakeNode, tmp_path: Path
) -> None:
    """A film beside the job is no artefact; and one that is shared is read where it lies."""
    head.add_job(demux=1)
    film = tmp_path / "films" / "film.mkv"
    film.parent.mkdir()
    with film.open("wb") as file:
        file.truncate(10 * 10**9)
    call = call_of("demux", {"media": str(film)})
    with pytest.raises(TransientError):
        node.prepare(identity_of("demux"), call)
    node = make_node(**{str(film.parent): str(film.parent)})
    found = node.prepare(identity_of("demux"), call)
    node.publish(identity_of("demux"), found, made_by(found, audio_wav=b"sound"))
    assert found.request["media"] == str(film)
    assert head.sent_bytes < 10_000


def test_a_films_audio_goes_once_to_a_node_whatever_asks_for_it(
    head: PlayedHead, make_node: MakeNode, audio: Artefact
) -> None:
    node, other = make_node(), make_node(name="other-box")
    identities = [identity_of("asr", number) for number in range(1, 9)]
    with ThreadPoolExecutor(8) as pool:
        calls = list(
            pool.map(
                lambda identity: node.prepare(identity, call_of("asr", asr(audio), attempt=identity.attempt)),
                identities,
            )
        )
    assert all((Path(call.job_directory) / audio.path).read_bytes() == SOUND for call in calls)
    node.prepare(identity_of("align"), call_of("align", asr(audio)))
    assert head.gets("audio.wav") == [""]
    other.prepare(ASR, call_of("asr", asr(audio)))
    assert head.gets("audio.wav") == ["", ""]


def test_a_file_in_another_job_of_the_same_bytes_is_not_fetched_again(
    head: PlayedHead, node: NodeFiles, audio: Artefact
) -> None:
    node.prepare(ASR, call_of("asr", asr(audio)))
    head.add_job("job-2", asr=1)
    found = node.prepare(identity_of("asr", job="job-2"), call_of("asr", asr(audio)))
    assert (Path(found.job_directory) / audio.path).read_bytes() == SOUND
    assert len(head.gets("audio.wav")) == 1


def test_what_broke_off_goes_on_where_it_was(head: PlayedHead, node: NodeFiles, audio: Artefact) -> None:
    head.breaks_off_after = [1_500_000, 0, 700_000]
    found = node.prepare(ASR, call_of("asr", asr(audio)))
    assert (Path(found.job_directory) / audio.path).read_bytes() == SOUND
    first, second, third, fourth = head.gets("audio.wav")
    begins = [int(asked.removeprefix("bytes=").removesuffix("-")) for asked in (second, third, fourth)]
    assert first == ""
    assert 0 < begins[0] == begins[1] < begins[2] < len(SOUND)


def test_what_an_earlier_process_of_the_relay_brought_is_gone_on_with(
    head: PlayedHead, make_node: MakeNode, audio: Artefact, tmp_path: Path
) -> None:
    first = make_node()
    head.breaks_off_after = [2_000_000]
    part = tmp_path / "big-box" / "files" / f"{audio.sha256}.part"
    head.when_broken = lambda: ends_when_some_came(first, part)
    with pytest.raises(TransientError, match="ends"):
        first.prepare(ASR, call_of("asr", asr(audio)))
    found = make_node().prepare(ASR, call_of("asr", asr(audio)))
    assert (Path(found.job_directory) / audio.path).read_bytes() == SOUND
    assert head.gets("audio.wav")[1] > "bytes=1"


@pytest.mark.parametrize("times", [1, 2])
def test_a_byte_that_changed_on_the_way_is_found_and_the_file_fetched_again(
    head: PlayedHead, node: NodeFiles, audio: Artefact, times: int
) -> None:
    head.spoils = times
    found = node.prepare(ASR, call_of("asr", asr(audio)))
    assert (Path(found.job_directory) / audio.path).read_bytes() == SOUND
    assert len(head.gets("audio.wav")) == 1 + times


def test_a_file_that_is_wrong_three_times_fails_the_attempt_and_is_not_kept(
    head: PlayedHead, node: NodeFiles, audio: Artefact, tmp_path: Path
) -> None:
    head.spoils = 3
    with pytest.raises(TransientError, match=r"audio\.wav came to the node big-box with wrong bytes"):
        node.prepare(ASR, call_of("asr", asr(audio)))
    assert not list((tmp_path / "big-box" / "jobs").rglob("audio.wav"))
    node.prepare(ASR, call_of("asr", asr(audio)))


def test_a_file_that_has_changed_on_the_head_is_not_sent_at_all(
    head: PlayedHead, node: NodeFiles, audio: Artefact
) -> None:
    before = head.sent_bytes
    head.add_file(audio.path, SOUND[::-1])
    with pytest.raises(TransientError, match="wrong bytes"):
        node.prepare(ASR, call_of("asr", asr(audio)))
    assert head.sent_bytes - before < 10_000


def test_a_file_that_the_head_does_not_have_is_an_error_of_the_input(
    head: PlayedHead, node: NodeFiles, audio: Artefact
) -> None:
    (head.home / "out" / "job-1" / audio.path).unlink()
    with pytest.raises(InputError, match=r"The head has no 01_demux/audio\.wav for the node big-box"):
        node.prepare(ASR, call_of("asr", asr(audio)))


def test_an_empty_file_and_a_name_of_other_letters_come_too(head: PlayedHead, node: NodeFiles) -> None:
    head.add_job(asr=1)
    files = [head.add_file("a b/शोले #1 100%?.srt", b"x"), head.add_file("06_asr/empty.srt", b"")]
    found = node.prepare(ASR, call_of("asr", {"files": to_plain(files)}))
    assert [(Path(found.job_directory) / file.path).read_bytes() for file in files] == [b"x", b""]


def test_a_file_that_was_written_again_takes_the_place_of_the_one_before(
    head: PlayedHead, node: NodeFiles
) -> None:
    head.add_job(subtitle=1)
    for attempt, text in ((1, b"one"), (2, b"two")):
        file = head.add_file("corrections.json", text)
        identity = identity_of("subtitle", attempt)
        found = node.prepare(identity, call_of("subtitle", {"c": to_plain(file)}, attempt=attempt))
        assert (Path(found.job_directory) / "corrections.json").read_bytes() == text


@pytest.mark.parametrize("path", ["../../../x", "/etc/passwd", "a/../../../../x", "\0", ""])
def test_a_path_that_leads_out_of_the_job_folder_is_refused(
    head: PlayedHead, node: NodeFiles, audio: Artefact, path: str, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match="leads out"):
        node.prepare(ASR, call_of("asr", asr(replace(audio, path=path))))
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {
        path for path in before if path.is_file()
    }


@pytest.mark.parametrize("job", ["..", "a/b", ".hidden", "", "a\0"])
def test_a_job_whose_name_is_no_folders_is_refused(node: NodeFiles, job: str) -> None:
    with pytest.raises(InputError, match="cannot be called"):
        node.prepare(identity_of("asr", job=job), call_of("asr", {}))


def test_a_hash_that_is_none_is_refused(node: NodeFiles, audio: Artefact) -> None:
    with pytest.raises(InputError, match="has no sha256"):
        node.prepare(ASR, call_of("asr", asr(replace(audio, sha256="../../x"))))


def test_a_node_that_is_told_no_address_says_so(node: NodeFiles, audio: Artefact) -> None:
    node.use_door(Door(), ())
    with pytest.raises(TransientError, match="not told how to reach"):
        node.prepare(ASR, call_of("asr", asr(audio)))


def test_a_head_that_is_away_is_waited_for(head: PlayedHead, node: NodeFiles, audio: Artefact) -> None:
    """Its server is started again by the supervisor; until then its port refuses."""
    door = head.door()
    with head.server_away() as come_back, ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(node.prepare, ASR, call_of("asr", asr(audio)))
        assert not under_way.done()
        come_back()
        found = under_way.result(30)
    assert head.door() == door
    assert (Path(found.job_directory) / audio.path).read_bytes() == SOUND


def test_a_node_without_room_says_so_and_holds_the_job(make_node: MakeNode, audio: Artefact) -> None:
    node = make_node(spare_bytes=10**15)
    with pytest.raises(DiskFullError, match=r"has no room for 01_demux/audio\.wav"):
        node.prepare(ASR, call_of("asr", asr(audio)))


def test_the_relays_end_ends_a_wait(node: NodeFiles, audio: Artefact) -> None:
    node.use_door(Door(url="http://127.0.0.1:9", key="x"), ())
    threading.Timer(0.1, node.close).start()
    with pytest.raises(TransientError, match="big-box ends"):
        node.prepare(ASR, call_of("asr", asr(audio)))


def test_the_cache_keeps_within_its_bound_and_leaves_what_a_running_call_needs(
    head: PlayedHead, make_node: MakeNode, tmp_path: Path
) -> None:
    node = make_node(most_bytes=5_000_000)
    running = identity_of("asr", job="job-0")
    for number in range(8):
        head.add_job(f"job-{number}", asr=1)
        file = head.add_file("01_demux/audio.wav", os.urandom(1_000_000), f"job-{number}")
        identity = identity_of("asr", job=f"job-{number}")
        call = node.prepare(identity, call_of("asr", asr(file)))
        if identity == running:
            needed = Path(call.job_directory) / file.path
        else:
            node.forget(identity)
    assert needed.stat().st_size == 1_000_000
    kept = list((tmp_path / "big-box" / "files").iterdir())
    assert sum(path.stat().st_size for path in kept) <= 5_000_000
    assert len(kept) >= 3
    assert (tmp_path / "big-box" / "jobs" / "job-7").exists()
    assert not (tmp_path / "big-box" / "jobs" / "job-1").exists()


def test_a_call_that_an_earlier_process_prepared_keeps_its_files(
    head: PlayedHead, make_node: MakeNode, audio: Artefact
) -> None:
    found = make_node().prepare(ASR, call_of("asr", asr(audio)))
    later = make_node(most_bytes=1)
    later.forget(identity_of("asr", job="job-2"))
    assert (Path(found.job_directory) / audio.path).read_bytes() == SOUND
    later.forget(ASR)
    assert not Path(found.job_directory).exists()


def test_forgetting_a_call_removes_its_scratch_folder_and_no_other(node: NodeFiles, audio: Artefact) -> None:
    calls = {attempt: identity_of("asr", attempt) for attempt in (1, 2)}
    for attempt, identity in calls.items():
        made_by(node.prepare(identity, call_of("asr", asr(audio), attempt=attempt)), a_json=b"{}")
    folder = Path(node.prepare(calls[2], call_of("asr", asr(audio), attempt=2)).job_directory)
    node.forget(calls[1])
    assert [path.name for path in (folder / ".scratch").iterdir()] == ["asr-2"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a disk of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_fills_up_on_the_way_is_a_sentence_and_the_rest_is_fetched_when_there_is_room(
    head: PlayedHead, small_disk: Path, audio: Artefact
) -> None:
    # What is free is not looked at first: another fills the disk meanwhile.
    node = NodeFiles("big-box", small_disk / "n", small_disk / "m", {}, 10**9, spare_bytes=-(10**9))
    node.use_door(head.door(), ())
    with pytest.raises(DiskFullError, match=r"No space is left on the disk of the node"):
        node.prepare(ASR, call_of("asr", asr(audio)))
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    found = node.prepare(ASR, call_of("asr", asr(audio)))
    assert (Path(found.job_directory) / audio.path).read_bytes() == SOUND
    assert head.gets("audio.wav")[1] > "bytes=1"


def test_files_of_a_disk_without_links_are_copied(
    node: NodeFiles, audio: Artefact, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    found = node.prepare(ASR, call_of("asr", asr(audio)))
    path = Path(found.job_directory) / audio.path
    assert path.read_bytes() == SOUND
    assert path.stat().st_nlink == 1


def test_a_key_of_before_is_refused_with_a_sentence_that_has_no_key(
    head: PlayedHead, node: NodeFiles, audio: Artefact
) -> None:
    node.use_door(replace(head.door(), key="a key of before"), ())
    with pytest.raises(TransientError) as refused:
        node.prepare(ASR, call_of("asr", asr(audio)))
    assert re.search(r"refused .* \(401\)", refused.value.message)
    assert "of before" not in refused.value.message + refused.value.remedy


def test_nothing_half_is_left_where_the_head_says_no(
    head: PlayedHead, node: NodeFiles, audio: Artefact, tmp_path: Path
) -> None:
    shutil.rmtree(head.home / "out" / "job-1" / "01_demux")
    with pytest.raises(InputError):
        node.prepare(ASR, call_of("asr", asr(audio)))
    assert not list((tmp_path / "big-box" / "jobs").rglob("*.json"))
