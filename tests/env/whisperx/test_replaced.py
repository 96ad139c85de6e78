"""The real whisperx upgraded, broken on purpose and rolled back under a batch of real films.

In a home of its own: this checkout's environment is only read.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.errors import ExitCode
from tests.building_house import BuildingHouse
from tests.conftest import Figure
from tests.data import ROOT, data
from tests.house import REAL_COMMON_STAGES, REAL_SPEECH_STAGES, until

pytestmark = [pytest.mark.env("common", "whisperx"), pytest.mark.slow, pytest.mark.timeout(900)]

BROKEN = "import sys\nsys.modules['whisperx'] = None\n"
"""What an upgrade does whose library cannot be imported: the probe, which imports no library, goes well."""
START_S = 400.0


@pytest.fixture
def house(tmp_path: Path) -> Iterator[BuildingHouse]:
    """Return a running house with the real common and whisperx, and a worker that translates."""
    models = str(ROOT / "models")
    with BuildingHouse(
        tmp_path, common=REAL_COMMON_STAGES, speech=REAL_SPEECH_STAGES, CPW_MODELS=models
    ) as built:
        built.use_packages_of("common")
        built.use_packages_of("whisperx")
        built.add_environment("other", {"translate": "FakeTranslate"})
        built.start(timeout_s=START_S)
        yield built


def test_the_real_whisperx_is_upgraded_broken_and_rolled_back_under_a_batch(
    house: BuildingHouse, figure: Figure
) -> None:
    film = data("film/film_en.mp4").read_bytes()
    before = house.pids("common", "other", "whisperx")
    # What follows the film in the file belongs to no stream: three films, each to be heard by itself.
    batch = [house.submit(film + bytes([number]), workflow="transcribe") for number in range(3)]
    until(
        lambda: any(step.name == "asr" and step.state == "running" for step in house.job(batch[0]).steps), 60
    )

    house.break_next(BROKEN)
    house.cpw("envs", "upgrade", "whisperx", timeout_s=START_S)
    until(lambda: house.environment("whisperx").state == "unusable", START_S, "unusable")
    assert house.environment("whisperx").remedy == "cpw envs rollback whisperx"
    done_before = sum(house.job(job).state == "done" for job in batch)
    assert done_before < len(batch), "there is something left to do for the build that comes back"

    begun = time.monotonic()
    back = house.cpw("envs", "rollback", "whisperx", timeout_s=START_S)
    took_s = time.monotonic() - begun
    assert back.returncode == ExitCode.DONE, back.stdout + back.stderr
    reports = [house.ended(job, timeout_s=300) for job in batch]
    assert {report.state for report in reports} == {"done"}
    after = house.pids("common", "other", "whisperx")
    unchanged = [name for name, pid in before.items() if after[name] == pid]
    assert unchanged == ["supervisor", "coordinator", "common", "other"]
    with sqlite3.connect(house.home / "state" / "jobs.sqlite") as store:
        assert store.execute("SELECT max(attempt), sum(kills), sum(failures) FROM steps").fetchone() == (
            1,
            0,
            0,
        )
    store.close()
    figure(
        f"real whisperx broken by an upgrade and rolled back under {len(batch)} films ({done_before} done "
        f"before): {len(reports)} done, none blamed, {len(unchanged)} other processes unchanged; "
        f"{took_s:.0f} s from the command to a ready worker"
    )
