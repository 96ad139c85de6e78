"""Figures are judged by their ratio, and a bench replaces its own in the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.figures import Machine, Sheet, judged, number, read_record

HERE = Machine(cores=2, processor="a processor", memory_gb=8.0)


def sheet(folder: Path, command: str, machine: Machine = HERE) -> Sheet:
    return Sheet(command, folder / "below" / "bench.json", machine)


def names(folder: Path) -> list[str]:
    record = read_record(folder / "below" / "bench.json")
    assert record is not None
    return [figure.name for figure in record.figures]


def test_medians_are_compared_and_the_spread_is_that_of_the_pairs() -> None:
    ratio, spread = judged([2.0, 4.0, 9.0], [2.0, 1.0, 3.0])
    assert ratio == 2.0
    assert spread == (1.0, 4.0)


def test_rounds_without_a_partner_are_compared_with_the_peers_median() -> None:
    assert judged([2.0, 6.0], [1.0, 2.0, 3.0]) == (2.0, (1.0, 3.0))


def test_without_a_peer_ours_alone_is_judged(tmp_path: Path) -> None:
    made = sheet(tmp_path, "make bench-idle")
    assert made.add("idle", [0.2], limit=0.3, unit="%").ok
    assert not made.add("busy", [0.4], limit=0.3, unit="%").ok
    assert made.add("shown", [400.0], unit="MB").ok
    assert made.close() == 1


def test_nothing_against_nothing_is_even_and_something_against_nothing_is_over() -> None:
    assert judged([0.0], [0.0])[0] == 1.0
    assert (judged([0.1], [0.0])[0] or 0) > 1e9


def test_a_ratio_over_its_limit_fails_and_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = sheet(tmp_path, "make bench-film")
    assert made.add("film", [3.0], [2.0], limit=1.5).ok
    assert not made.add("film twice", [3.1], [2.0], limit=1.5).ok
    assert made.close() == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "film: 3.00 s, the peer 2.00 s, ratio 1.50 (1.50 to 1.50; limit 1.50)"
    assert said[1].endswith("OVER THE LIMIT")


def test_a_bench_replaces_its_own_figures_in_their_place_and_no_others(tmp_path: Path) -> None:
    for command, figures in (("one", ["a", "b"]), ("two", ["c"]), ("one", ["b", "d"])):
        made = sheet(tmp_path, command)
        for name in figures:
            made.add(name, [1.0], [2.0], limit=1.0)
        assert made.close() == 0
    assert names(tmp_path) == ["b", "d", "c"]


def test_figures_of_another_machine_are_dropped(tmp_path: Path) -> None:
    made = sheet(tmp_path, "one")
    made.add("a", [1.0])
    made.close()
    other = sheet(tmp_path, "two", Machine(cores=4, processor="another", memory_gb=8.0))
    other.add("b", [1.0])
    other.close()
    assert names(tmp_path) == ["b"]


def test_the_file_says_machine_command_date_and_commit(tmp_path: Path) -> None:
    made = sheet(tmp_path, "make bench-film")
    made.add("film", [2.0, 3.0, 4.0], [6.0], limit=0.7)
    made.close()
    told = json.loads((tmp_path / "below" / "bench.json").read_text())
    assert told["machine"] == {"cores": 2, "processor": "a processor", "memory_gb": 8.0, "gpus": []}
    (figure,) = told["figures"]
    assert figure.pop("date")
    assert "commit" in figure
    assert figure["command"] == "make bench-film"
    assert (figure["ours"], figure["peer"], figure["ratio"], figure["ok"]) == (3.0, 6.0, 0.5, True)
    assert figure["spread"] == pytest.approx([1 / 3, 2 / 3])


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1024.0, "1024"), (12.345, "12.3"), (1.2345, "1.23"), (0.5, "0.50"), (0.0277, "0.028"), (0.0, "0.000")],
)
def test_numbers_are_short(value: float, shown: str) -> None:
    assert number(value) == shown
