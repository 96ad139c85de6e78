"""What the program that fetches films may reach."""

from __future__ import annotations

import socket

import pytest

from workers.engines.ytdlp.guard import (
    READ_ONLY,
    Guard,
    RefusedAddressError,
    RefusedProgramError,
    check_program,
    is_public,
    public_lookup,
)

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.2.7",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:0a00:0001::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_everybodys_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [*PUBLIC, "64:ff9b::808:808", "2002:808:808::1"])
def test_an_address_of_the_world_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("text", ["", "localhost", "2130706433", "0x7f000001", "127.1", "/run/socket"])
def test_what_is_no_written_out_address_is_not_public(text: str) -> None:
    assert not is_public(text)


@pytest.mark.parametrize(
    "written",
    ["127.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0", "::1", b"127.0.0.1"],
)
def test_every_way_to_write_this_machine_is_refused_by_the_look_up(written: str) -> None:
    refused: list[str] = []
    with pytest.raises(RefusedAddressError):
        public_lookup(socket.getaddrinfo, refused)(written, 80)
    assert refused == [written.decode() if isinstance(written, bytes) else written]


def known(*addresses: str):
    """Return a look-up that finds these for every name."""

    def lookup(host, port, *words, **named):
        assert words == (0, socket.SOCK_STREAM)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return lookup


def test_a_name_that_stands_for_a_private_address_is_refused() -> None:
    refused: list[str] = []
    with pytest.raises(RefusedAddressError, match=r"films\.example"):
        public_lookup(known("192.168.0.7"), refused)("films.example", 443, 0, socket.SOCK_STREAM)
    assert refused == ["films.example"]


def test_one_private_address_among_public_ones_is_enough() -> None:
    with pytest.raises(RefusedAddressError):
        public_lookup(known("8.8.8.8", "10.0.0.1"), [])("two.example", 443, 0, socket.SOCK_STREAM)


def test_a_public_name_is_answered_as_it_was() -> None:
    real, refused = known("8.8.8.8"), []
    found = public_lookup(real, refused)("films.example", 443, 0, socket.SOCK_STREAM)
    assert found == real("films.example", 443, 0, socket.SOCK_STREAM)
    assert refused == []


@pytest.mark.parametrize(
    "address",
    [("127.0.0.1", 80), ("localhost", 80), ("::1", 80, 0, 0), ("2130706433", 80), "/run/some.socket"],
)
@pytest.mark.parametrize("event", ["socket.connect", "socket.sendto", "socket.sendmsg"])
def test_a_connection_that_came_past_the_look_up_is_refused(event: str, address: object) -> None:
    guard = Guard()
    with pytest.raises(RefusedAddressError):
        guard.check(event, (None, address), allow_local=False)
    assert len(guard.refused) == 1
    guard.check(event, (None, address), allow_local=True)


def test_a_connection_to_the_world_is_made() -> None:
    guard = Guard()
    guard.check("socket.connect", (None, ("8.8.8.8", 443)), allow_local=False)
    assert guard.refused == []


@pytest.mark.parametrize(
    "words", [["/bin/sh", "-c", "id"], ["curl", "x"], ["aria2c"], "ffmpeg -i x", ["/x/ffmpegevil"]]
)
def test_other_programs_are_not_started(words: object) -> None:
    with pytest.raises(RefusedProgramError):
        check_program(words[0] if isinstance(words, list) else words, words)


@pytest.mark.parametrize("address", ["http://10.0.0.1/x.m3u8", "rtmp://x/y", "concat://x", "concat:/a|/b"])
def test_ffmpeg_opens_no_address(address: str) -> None:
    with pytest.raises(RefusedProgramError, match="address"):
        check_program("ffmpeg", ["ffmpeg", *READ_ONLY, "-i", address, "file:out.mp4"])


@pytest.mark.parametrize(
    "words", [["ffmpeg", "-filter_complex", "movie=/a.png", "file:o.mp4"], ["deno", "run", "-A", "x.js"]]
)
def test_a_filter_or_a_leave_that_opens_more_is_refused(words: list[str]) -> None:
    with pytest.raises(RefusedProgramError):
        check_program(words[0], words)


def test_ffmpeg_opens_no_file_without_being_told_what_it_may() -> None:
    told = [*READ_ONLY, "-i", "file:a.mp4"]
    with pytest.raises(RefusedProgramError, match="whatever a file names"):
        check_program("ffmpeg", ["ffmpeg", "-i", "file:a.mp4", "file:out.mp4"])
    with pytest.raises(RefusedProgramError, match="whatever a file names"):
        check_program("ffmpeg", ["ffmpeg", *told, "-i", "file:b.mp4", "file:out.mp4"])


def test_ffmpeg_and_the_sandbox_are_started() -> None:
    inputs = [word for name in "ab" for word in (*READ_ONLY, "-i", f"file:/films/{name}.mp4")]
    check_program("/usr/bin/ffmpeg", ["/usr/bin/ffmpeg", "-y", *inputs, "file:/films/c.mp4"])
    check_program("/usr/bin/ffmpeg", ["/usr/bin/ffmpeg", "-bsfs"])
    check_program(b"/x/bin/deno", ["/x/bin/deno", "run", "-"])


@pytest.mark.parametrize("event", ["os.system", "os.exec", "os.fork", "os.spawn"])
def test_no_program_is_started_in_another_way(event: str) -> None:
    with pytest.raises(RefusedProgramError):
        Guard().check(event, (b"id",), allow_local=True)
