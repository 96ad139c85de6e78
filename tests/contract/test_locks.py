"""What stands in locks and specs: Ray is installed for a cluster, and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import envspecs
from envspecs.layout import CLUSTER, lock_path

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "envspecs" / "locks").glob("*.txt"))


def distributions(lock: Path) -> set[str]:
    """Return the names of what a lock installs."""
    return {name.lower() for name in re.findall(r"^([\w.-]+)==", lock.read_text(), re.MULTILINE)}


def test_every_environment_that_may_have_ray_is_looked_at() -> None:
    assert {spec.name for spec in envspecs.read_all() if lock_path(spec.name).exists()} <= {
        lock.stem for lock in LOCKS
    }
    assert "ray" in distributions(lock_path(CLUSTER))


@pytest.mark.parametrize("lock", [lock for lock in LOCKS if lock.stem != CLUSTER], ids=lambda lock: lock.stem)
def test_no_other_lock_has_ray(lock: Path) -> None:
    assert distributions(lock), "the lock is read"
    assert not {name for name in distributions(lock) if name == "ray" or name.startswith("ray-")}


def test_no_other_spec_and_not_the_project_itself_asks_for_ray() -> None:
    files = [path for path in (ROOT / "envspecs").glob("*.toml") if path.stem != CLUSTER]
    asking = [
        path.name for path in [*files, ROOT / "pyproject.toml"] if re.search(r'"ray\b[^.*]', path.read_text())
    ]
    assert asking == []
