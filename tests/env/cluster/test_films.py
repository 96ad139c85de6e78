"""Films through a head and two nodes with real environments, held to what one machine makes of them."""

from __future__ import annotations

import http.client
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.conftest import Figure
from tests.counting_proxy import CountingProxy
from tests.film_cluster import NODES, FilmCluster, Made, cut_films, film_cluster

pytestmark = [
    pytest.mark.env("common", "whisperx", "cluster"),
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(1_500),
]

BIG_BYTES = 10 * 2**30
READ_FILMS = ("demux", "mux")


@dataclass
class Films:
    """The films, and what came of them."""

    cluster: FilmCluster
    proxy: CountingProxy
    alone: dict[str, Made]
    """By one machine."""
    shared: dict[str, Made]
    """By three, where films and job folders lie in a share."""
    fetched: dict[str, Made]
    """By three, where the nodes reach neither: what they need comes from the head's HTTP server."""
    seconds: dict[str, float]


@pytest.fixture(scope="module", params=[3, pytest.param(8, marks=pytest.mark.long)])
def films(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Films]:
    """Return so many films, done three times; one of them has 10 GB, most of it a hole in the file."""
    with film_cluster(tmp_path_factory.mktemp("films")) as cluster:
        seconds: dict[str, float] = {}

        def timed(what: str, begun: float) -> None:
            seconds[what] = time.monotonic() - begun

        here = cut_films(cluster.head.home / "films", request.param)
        in_share = cut_films(cluster.share / "films", request.param)
        for folder in (here, in_share):
            with next(folder.rglob("*.mp4")).open("r+b") as film:
                film.truncate(BIG_BYTES)
        begun = time.monotonic()
        cluster.start()
        timed("start of one machine", begun)
        begun = time.monotonic()
        alone = cluster.submit(here, cluster.head.home / "alone")
        timed("one machine", begun)
        with CountingProxy(cluster.server_address()) as proxy:
            begun = time.monotonic()
            cluster.join(proxy.url)
            timed("two nodes join", begun)
            begun = time.monotonic()
            shared = cluster.submit(in_share, cluster.share / "out")
            timed("three machines with a share", begun)
            assert not proxy.fetched(".wav"), "what lies in a share is not fetched"
            proxy.spoils = ".wav"
            begun = time.monotonic()
            fetched = cluster.submit(here, cluster.head.home / "together")
            timed("three machines without one", begun)
            yield Films(cluster, proxy, alone, shared, fetched, seconds)


def unequal(one: Made, other: Made) -> list[str]:
    """Return the files that are not the same in both."""
    return sorted(
        name for name in one.files.keys() | other.files.keys() if one.files.get(name) != other.files.get(name)
    )


def test_whatever_machine_does_a_step_every_file_is_the_same(films: Films, figure: Figure) -> None:
    for what, seconds in films.seconds.items():
        figure(f"{len(films.alone)} films, {what}: {seconds:.1f} s")
    for made in (films.shared, films.fetched):
        assert made.keys() == films.alone.keys()
        found = {name: unequal(films.alone[name], other) for name, other in made.items()}
        assert found == {name: [] for name in made}
    names = {name.rpartition("/")[2] for name in next(iter(films.alone.values())).files}
    figure(f"equal byte for byte on one machine and on three: {', '.join(sorted(names))}")
    assert any(name.endswith(".srt") for name in names)
    assert any("transcript" in name for name in names)


def test_every_machine_does_a_part(films: Films, figure: Figure) -> None:
    for what, made in (("with a share", films.shared), ("without one", films.fetched)):
        done = Counter((node or "alpha", step) for film in made.values() for step, node in film.nodes.items())
        told = {
            machine: ", ".join(
                f"{count} {step}" for (by, step), count in sorted(done.items()) if by == machine
            )
            for machine in ("alpha", *NODES)
        }
        figure(f"{what}: " + "; ".join(f"{machine} did {steps}" for machine, steps in told.items()))
        # Short films that come one after the other may be done before each machine has had its turn.
        assert sum(map(bool, told.values())) >= (2 if len(made) < len(told) * 2 else len(told))
    assert {node for film in films.alone.values() for node in film.nodes.values()} == {""}


def test_each_machine_has_loaded_its_model_once(films: Films, figure: Figure) -> None:
    loads = films.cluster.loads()
    figure(f"models loaded: {loads}")
    assert loads.keys() == {"alpha", *NODES}
    for machine, models in loads.items():
        assert models, machine
        assert set(models.values()) == {1}, machine


def test_without_a_share_sound_goes_to_a_node_once_and_a_film_never(films: Films, figure: Figure) -> None:
    paths = Counter(one.path for one in films.proxy.fetched(".wav"))
    asked = {
        made.report.job: len({node for step, node in made.nodes.items() if node and step not in READ_FILMS})
        for made in films.fetched.values()
    }
    for made in films.fetched.values():
        assert not any(made.nodes.get(step) for step in READ_FILMS), "only the head reads films"
    sent = sum(one.sent_bytes for one in films.proxy.passed)
    figure(f"without a share: sound fetched {sorted(paths.values())} times; {sent / 1e6:.1f} MB in all")
    assert sent < 50e6
    # One time more, as a byte was changed on the way.
    assert 1 < paths.total() <= sum(asked.values()) + 1


def test_a_byte_that_changed_on_the_way_is_found_and_the_file_fetched_again(films: Films) -> None:
    assert films.proxy.spoils == "", "a byte was changed"
    said = "".join(node.said() for node in films.cluster.nodes.values())
    assert said.count("came with other bytes than were made: it is fetched again") == 1


def test_the_heads_server_gives_a_nodes_files_to_nobody_without_its_key(films: Films) -> None:
    path = films.proxy.fetched(".wav")[0].path
    for sent in ({}, {"Authorization": f"Bearer {'0' * 64}"}):
        line = http.client.HTTPConnection(urlsplit(films.proxy.url).netloc, timeout=30)
        line.request("GET", path, headers=sent)
        assert line.getresponse().status == 401
        line.close()
