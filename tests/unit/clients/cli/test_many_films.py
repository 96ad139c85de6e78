"""Many films in one command: what is named of them, also where a person stops it or none becomes a job."""

from __future__ import annotations

import json
from pathlib import Path

from protocol.errors import InputError
from tests.unit.clients.cli.test_main import Shell, shell

__all__ = ["shell"]


def test_ctrl_c_between_two_films_names_every_job_that_was_made(shell: Shell, tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.mkv").touch()
    shell.coordinator.interrupt_after = 2
    code, out, err = shell.run("submit", *(f"{number}.mkv" for number in range(5)), "-w", "transcribe")
    assert code == 130
    assert out.splitlines() == [
        "0.mkv: submitted as job-20261122-ann-0001",
        "1.mkv: submitted as job-20261122-ann-0002",
    ]
    assert "interrupted: 2 of 5 films submitted" in err
    code, out, _ = shell.run("submit", "4.mkv", "-w", "transcribe", "--json")
    assert (code, json.loads(out)["jobs"]) == (130, [])


def test_where_every_film_is_refused_nothing_is_asked_of_jobs(shell: Shell) -> None:
    shell.coordinator.refusal = InputError("It is gone.")
    code, out, _ = shell.run("submit", "refused.mp4", "-w", "transcribe", "--json", "--detach")
    (job,) = json.loads(out)["jobs"]
    assert (code, job["state"], shell.coordinator.looks) == (1, "failed", 0)
