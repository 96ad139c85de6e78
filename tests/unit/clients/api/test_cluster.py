"""The addresses for nodes of a cluster: who is let in, and what may be read and written there."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from envspecs.cluster.door_key import door_key_file
from protocol.jobs.voices import SPEAKERS, VOICES
from tests.cluster_head import PERSONS_KEY, PlayedHead

SOUND = bytes(range(256)) * 8
SHA256 = hashlib.sha256(SOUND).hexdigest()
DIGEST = {"Content-Digest": f"sha-256=:{base64.b64encode(hashlib.sha256(SOUND).digest()).decode()}:"}
FILE = "/api/cluster/jobs/job-1/files/01_demux/audio.wav"
PUT = "/api/cluster/jobs/job-1/steps/asr/1/files/a.json"
ADDRESSES = [
    ("GET", FILE),
    ("PUT", PUT),
    ("PUT", "/api/cluster/jobs/job-1/steps/asr/1/log"),
    ("GET", "/api/cluster/models"),
    ("GET", "/api/cluster/models/whisper-tiny"),
    ("GET", "/api/cluster/models/whisper-tiny/files/model.bin"),
    ("GET", "/api/cluster/nothing"),
]


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlayedHead]:
    with PlayedHead(tmp_path_factory.mktemp("head")) as played:
        yield played


@pytest.fixture
def head(listening: PlayedHead) -> PlayedHead:
    listening.begin_anew()
    listening.door()
    listening.add_job(asr=1)
    listening.add_file("01_demux/audio.wav", SOUND)
    return listening


def ask(
    head: PlayedHead, method: str, path: str, body: Any = None, key: str = "", **headers: str
) -> tuple[int, bytes, http.client.HTTPMessage]:
    """Ask as a node does, or with another key."""
    sent = {"Authorization": f"Bearer {key or head.door().key}"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    line = http.client.HTTPConnection(head.netloc, timeout=10)
    try:
        line.request(method, path, body, sent)
        answer = line.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        line.close()


def code(body: bytes) -> str:
    return str(json.loads(body)["error"]["code"])


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
@pytest.mark.parametrize("key", ["wrong", PERSONS_KEY, "x" * 10_000])
def test_only_the_nodes_key_opens_them(head: PlayedHead, method: str, path: str, key: str) -> None:
    status, body, _ = ask(head, method, path, b"", key)
    assert (status, code(body)) == (401, "invalid_api_key")
    assert head.door().key.encode() not in body


@pytest.mark.parametrize(
    "sent", [{}, {"Authorization": "Bearer"}, {"Authorization": "Basic OnBlcnNvbg=="}, {"Cookie": "a=b"}]
)
def test_without_a_key_nobody_is_let_in(head: PlayedHead, sent: dict[str, str]) -> None:
    line = http.client.HTTPConnection(head.netloc, timeout=10)
    line.request("GET", FILE, headers=sent)
    assert line.getresponse().status == 401
    line.close()


@pytest.mark.parametrize(
    "path", ["/", "/api/jobs", "/api/jobs/job-1/files/01_demux/audio.wav", "/health", "/v1/models"]
)
def test_the_nodes_key_opens_nothing_else(head: PlayedHead, path: str) -> None:
    assert ask(head, "GET", path)[0] == 401
    word = base64.b64encode(f"cpw:{head.door().key}".encode()).decode()
    assert ask(head, "GET", path, Authorization=f"Basic {word}")[0] == 401


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_where_there_is_no_cluster_there_is_nothing_at_them(head: PlayedHead, method: str, path: str) -> None:
    key = head.door().key
    door_key_file(head.home / "state").unlink()
    for sent in (key, PERSONS_KEY):
        status, body, _ = ask(head, method, path, b"", sent)
        assert (status, code(body)) == (404, "not_found")


def test_the_key_is_its_owners_alone_and_stays_the_same(head: PlayedHead) -> None:
    path = door_key_file(head.home / "state")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(base64.urlsafe_b64decode(head.door().key + "=")) == 32
    assert head.door() == head.door()


def test_a_node_asks_by_whatever_name_the_head_has_for_it(head: PlayedHead) -> None:
    assert ask(head, "GET", FILE, Host="192.168.1.5:8765")[0] == 200


def test_a_file_comes_with_ranges_if_it_is_the_one_that_is_meant(head: PlayedHead) -> None:
    status, body, headers = ask(head, "GET", FILE, If_Match=f'"{SHA256}"')
    assert (status, body, headers["ETag"]) == (200, SOUND, f'"{SHA256}"')
    status, body, headers = ask(head, "GET", FILE, If_Match=f'"{SHA256}"', Range="bytes=2000-")
    assert (status, body, headers["Content-Range"]) == (206, SOUND[2000:], "bytes 2000-2047/2048")
    status, body, _ = ask(head, "GET", FILE, If_Match='"another"', Range="bytes=2000-")
    assert (status, code(body)) == (412, "other_file")


def test_a_file_that_was_written_again_is_hashed_again(head: PlayedHead) -> None:
    assert ask(head, "GET", FILE, If_Match=f'"{SHA256}"')[0] == 200
    head.add_file("01_demux/audio.wav", SOUND[::-1])
    assert ask(head, "GET", FILE, If_Match=f'"{SHA256}"')[0] == 412


@pytest.mark.parametrize(
    "path",
    [
        "../job-2/secret",
        "..%2fjob-2%2fsecret",
        "%2fetc%2fpasswd",
        "01_demux/../../job-2/secret",
        "link",
        "folder/secret",
        ".scratch/asr-1/a.json",
        "01_demux",
        "nothing",
        VOICES,
        f"09_diarize/{SPEAKERS}",
        "%00",
        "%ff",
        "a" * 3_000,
    ],
)
def test_what_is_no_file_of_the_job_is_not_given(head: PlayedHead, path: str) -> None:
    head.add_job("job-2")
    head.add_file("secret", b"inner thoughts", "job-2")
    folder = head.home / "out" / "job-1"
    (folder / "link").symlink_to(folder.parent / "job-2" / "secret")
    (folder / "folder").symlink_to(folder.parent / "job-2")
    for name in (VOICES, f"09_diarize/{SPEAKERS}", ".scratch/asr-1/a.json"):
        head.add_file(name, b"inner thoughts")
    status, body, _ = ask(head, "GET", f"/api/cluster/jobs/job-1/files/{path}")
    assert status in (404, 422), body
    assert b"inner thoughts" not in body


def test_what_a_running_attempt_made_is_taken_into_its_scratch_folder(head: PlayedHead) -> None:
    status, body, _ = ask(head, "PUT", PUT, SOUND, **DIGEST)
    assert (status, json.loads(body)["sha256"]) == (201, SHA256)
    assert (head.home / "out" / "job-1" / ".scratch" / "asr-1" / "a.json").read_bytes() == SOUND


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ("job-1/steps/asr/2/files/a.json", 409),
        ("job-1/steps/asr/01/files/a.json", 409),
        ("job-1/steps/asr/-1/files/a.json", 409),
        ("job-1/steps/asr/" + "1" * 5_000 + "/files/a.json", 409),
        ("job-1/steps/align/1/files/a.json", 409),
        ("job-1/steps/..%2f..%2fasr/1/files/a.json", 404),
        ("job-9/steps/asr/1/files/a.json", 404),
        ("..%2fjob-1/steps/asr/1/files/a.json", 404),
        ("job-1/steps/asr/1/files/../../../x", 422),
        ("job-1/steps/asr/1/files/..%2f..%2f..%2fx", 422),
        ("job-1/steps/asr/1/files/%2ftmp%2fx", 422),
        ("job-1/steps/asr/1/files/a%00b", 422),
    ],
)
def test_a_file_is_taken_nowhere_else(head: PlayedHead, place: str, status: int) -> None:
    before = files_of(head.home / "out")
    assert ask(head, "PUT", f"/api/cluster/jobs/{place}", SOUND, **DIGEST)[0] == status
    assert files_of(head.home / "out") == before


def test_a_link_in_the_scratch_folder_leads_nowhere(head: PlayedHead) -> None:
    scratch = head.home / "out" / "job-1" / ".scratch" / "asr-1"
    scratch.mkdir(parents=True)
    (scratch / "out").symlink_to(head.home / "out")
    path = PUT.replace("a.json", "out/a.json")
    status, body, _ = ask(head, "PUT", path, SOUND, **DIGEST)
    assert (status, code(body)) == (422, "input")
    assert "a.json" not in files_of(head.home / "out")


def test_bytes_with_another_hash_are_not_kept(head: PlayedHead) -> None:
    status, body, _ = ask(head, "PUT", PUT, SOUND[::-1], **DIGEST)
    assert (status, code(body)) == (422, "wrong_bytes")
    assert files_of(head.home / "out" / "job-1" / ".scratch") == set()


@pytest.mark.parametrize(
    "said", ["", "sha-256", "sha-256=:x:", "md5=:AAAA:", "sha-256=:AAAA:", f"sha-256={SHA256}"]
)
def test_a_hash_must_be_said(head: PlayedHead, said: str) -> None:
    assert ask(head, "PUT", PUT, SOUND, Content_Digest=said)[0] == 400


def test_a_length_must_be_said(head: PlayedHead) -> None:
    assert ask(head, "PUT", PUT, iter([SOUND]), **DIGEST)[0] == 411


def test_what_is_longer_than_the_disk_has_room_for_is_refused_before_it_comes(head: PlayedHead) -> None:
    line = http.client.HTTPConnection(head.netloc, timeout=10)
    line.putrequest("PUT", PUT)
    headers = DIGEST | {"Content-Length": str(10**15), "Authorization": f"Bearer {head.door().key}"}
    for name, value in headers.items():
        line.putheader(name, value)
    line.endheaders()
    answer = line.getresponse()
    assert (answer.status, code(answer.read())) == (507, "disk_full")
    line.close()


def test_an_attempt_that_ends_while_its_file_comes_leaves_nothing(head: PlayedHead) -> None:
    def body() -> Iterator[bytes]:
        yield SOUND[:1000]
        head.add_job(asr=2)
        yield SOUND[1000:]

    status, answer, _ = ask(head, "PUT", PUT, body(), Content_Length=str(len(SOUND)), **DIGEST)
    assert (status, code(answer)) == (409, "stale")
    assert files_of(head.home / "out" / "job-1" / ".scratch") == set()


def test_the_models_of_the_store_are_listed_and_no_other_folder(head: PlayedHead) -> None:
    for name in ("whisper-tiny", ".whisper-old", "half"):
        folder = head.home / "models" / name
        folder.mkdir(parents=True)
        file = {"sha256": SHA256, "size": len(SOUND)}
        manifest = {"id": name, "source": "a test", "files": {"model.bin": file}}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        if name != "half":
            (folder / "model.bin").write_bytes(SOUND)
    found = json.loads(ask(head, "GET", "/api/cluster/models")[1])["models"]
    assert found == [{"id": "whisper-tiny", "size": len(SOUND)}]
    base = "/api/cluster/models"
    assert ask(head, "GET", f"{base}/whisper-tiny/files/model.bin", If_Match=f'"{SHA256}"')[1] == SOUND
    for path in (
        ".whisper-old",
        "half",
        "..",
        "whisper-tiny/files/manifest.json",
        "whisper-tiny/files/..%2f..%2fx",
        "..%2fmodels%2fwhisper-tiny",
    ):
        assert ask(head, "GET", f"{base}/{path}")[0] == 404
