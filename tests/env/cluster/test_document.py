"""`docs/cluster.md` is followed from nothing: its commands as they stand, on two machines that are one."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envspecs.cluster.settings import parse_shares
from envspecs.http.settings import http_settings
from protocol.endpoints import http_address_file
from tests.cluster_house import ClusterHouse, free_port, mentions
from tests.conftest import Figure
from tests.data import ROOT
from tests.house import until
from tests.walkthrough import blocks_of

pytestmark = [
    pytest.mark.env("common", "cluster"),
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(300),
]

DOCUMENT = ROOT / "docs" / "cluster.md"
HEAD = "192.168.1.10"
_SCP = """#!/bin/sh
# The copy that scp makes of a file of the machine "head"; here both are one machine.
exec cp -p "{home}/${{2#*:cpw/}}" "$3"
"""


def commands(part: str) -> list[tuple[str, str]]:
    """Return the commands of a part, each with the machine that it is for."""
    found = []
    for block in blocks_of(DOCUMENT, "##"):
        if block.part == part and block.kind == "sh":
            machine, *lines = block.text.splitlines()
            found += [(machine.removeprefix("# "), line) for line in lines]
    return found


class Machine:
    """One of the two, with a shell whose variables last, as those of a person's do."""

    def __init__(self, house: ClusterHouse, changes: dict[str, str]) -> None:
        self.house = house
        self.changes = changes
        """What stands in the document, and what it is here."""
        self.bin = house.home.parent / "bin"
        self.bin.mkdir()
        python = house.home / "venv" / "common" / "bin" / "python"
        self.add_program("cpw", f'#!/bin/sh\nexec "{python}" -I -m clients.cli "$@"\n')
        self.variables = house.environ | {"PATH": f"{self.bin}:{os.environ['PATH']}"}
        for name in ("CPW_HTTP", "CPW_OUT"):
            self.variables.pop(name)
        (house.home / "cluster").symlink_to(ROOT / "cluster")

    def add_program(self, name: str, text: str) -> None:
        """Put a program on the path."""
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def do(self, line: str) -> str:
        """Run a line of the document, and return what it said on stdout and stderr."""
        for written, here in self.changes.items():
            line = line.replace(written, here)
        if line.startswith("export "):
            self.variables |= dict(word.split("=", 1) for word in line.split()[1:])
            return ""
        done = subprocess.run(
            ["/bin/sh", "-c", line], cwd=self.house.home, env=self.variables, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr


class Pair:
    """The head, and a node."""

    def __init__(self, head: Machine, node: Machine, share: Path) -> None:
        self.head, self.node, self.share = head, node, share

    def follow(self, part: str) -> dict[str, str]:
        """Do what a part says, and return what each command said."""
        machines = {"on the head": self.head, "on each node": self.node}
        return {line: machines[machine].do(line) for machine, line in commands(part)}

    def says(self, text: str) -> Callable[[], bool]:
        """Return a look whether the head's health has a text."""
        return lambda: text in self.health()

    def health(self) -> str:
        """Return what `cpw health` on the head says, healthy or not."""
        return self.head.do("cpw health || true")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Return two machines on which nothing runs."""
    folder = tmp_path_factory.mktemp("document")
    share = folder / "nas"
    share.mkdir()
    (folder / "mounted").symlink_to(share)
    port = free_port()
    server = free_port(port + 1)
    common = {
        f"{HEAD}:8765": f"127.0.0.1:{server}",
        f"join {HEAD}": f"join 127.0.0.1:{port} --address 127.0.0.2 --name node",
        f"--address {HEAD}": f"--address 127.0.0.1 --port {port} --name head",
        f"{HEAD}:cpw": "head:cpw",
        HEAD: "127.0.0.1",
        "/mnt/nas": str(share),
        "/Volumes/nas": str(folder / "mounted"),
    }
    with ClusterHouse(folder / "head") as head, ClusterHouse(folder / "node") as node:
        found = Pair(Machine(head, common), Machine(node, common), share)
        found.node.add_program("scp", _SCP.format(home=head.home))
        yield found


def test_what_the_document_has_set_is_taken_with_its_own_addresses() -> None:
    lines = [line for part in ("Start", "Files") for _, line in commands(part) if line.startswith("export ")]
    said = dict(word.split("=", 1) for line in lines for word in line.split()[1:])
    settings = http_settings(said)
    assert settings is not None
    assert (settings.host, settings.hosts) == (HEAD, (HEAD,))
    assert parse_shares(said["CPW_SHARES"])[0].here == "/Volumes/nas"


def test_start(pair: Pair, figure: Figure) -> None:
    said = pair.follow("Start")
    figure(f"docs/cluster.md, Start: {len(said)} commands")
    (start,) = (text for line, text in said.items() if line.startswith("cpw cluster start"))
    assert f"the token: {pair.head.house.token}" in start
    assert "listens on all interfaces" in start
    (join,) = (text for line, text in said.items() if line.startswith("cpw cluster join"))
    assert "this machine, node, is a node of the cluster" in join
    assert not (pair.node.house.home / "token").exists()
    assert pair.node.house.token.stat().st_mode & 0o777 == 0o600
    for machine in (pair.head, pair.node):
        table = machine.do("cpw cluster status")
        assert "head" in table
        assert table.count("alive") == 2
    until(pair.says("node: present since"), 60, "the head's health has the node")
    until(pair.says("fetches files from here"), 60, "it reaches the head's server")
    server = http_address_file(pair.head.house.runtime).read_text().strip()
    assert server == f"http://{pair.head.changes[f'{HEAD}:8765']}"


def test_which_machine_does_what_is_shown(pair: Pair) -> None:
    films = pair.head.house.home / "films"
    films.mkdir()
    for number in range(12):
        (films / f"Film {number}.mkv").write_bytes(b"film %d" % number)
    pair.head.do("cpw submit films -w transcribe")
    jobs = json.loads(pair.head.do("cpw status -n 12 --json"))["jobs"]
    shown = [pair.head.do(f"cpw status {job['job']}") for job in jobs]
    assert len(shown) == 12
    assert any("on node" in text for text in shown)
    assert not all("on node" in text for text in shown)


def test_files_in_a_share(pair: Pair) -> None:
    assert f"shares {pair.share}" not in pair.health()
    pair.follow("Files")
    until(pair.says(f"shares {pair.share}"), 60, "the share is proved")
    assert [path.name for path in pair.share.iterdir()] == [], "what proved it is removed"
    pair.node.do("cpw down")
    pair.node.do(f"export CPW_SHARES={pair.share}={pair.node.house.home}")
    pair.node.do("cpw up")
    until(pair.says("Not the same folder on head and node"), 60, "another folder is no share")
    assert "fetches files from here" in pair.health(), "it works without the share"


def test_end(pair: Pair) -> None:
    before = pair.head.house.child("common")
    said = pair.follow("End")
    assert "has left the cluster" in said["cpw cluster leave"]
    assert not mentions(str(pair.node.house.runtime)), "the node is stopped"
    assert "the cluster has ended" in said["cpw cluster stop"]
    assert pair.head.house.child("common") == before, "the head goes on without an interruption"
    until(lambda: pair.health().startswith("healthy"), 20, "nothing is said of a node that left")
    pair.node.variables.pop("CPW_SHARES")
    pair.node.do("cpw up")
    assert "coordinator" in pair.node.house.supervisor_state()["children"], "a machine of its own again"
