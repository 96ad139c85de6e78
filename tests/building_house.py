"""A house whose environments are built, upgraded and broken in a second: its uv only makes interpreters."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.house import ROOT, House

__all__ = ["CRASHES", "UNUSABLE", "BuildingHouse"]

CRASHES = "import os, sys\nif 'workers' in sys.orig_argv: os.kill(os.getpid(), 9)\n"
"""What a broken build does: its probe goes well, and its worker dies as soon as it starts."""
UNUSABLE = "import sys\nsys.modules['tests.ill.engines'] = None\n"
"""What another one does: its engines cannot be imported."""

_UV = """#!{python}
import pathlib, sys, venv
home, words = pathlib.Path({home!r}), sys.argv[1:]
if words[0] == "venv":
    place = pathlib.Path(words[-1])
    venv.create(place, symlinks=True, with_pip=False)
    site = next(place.glob("lib/python*/site-packages"))
    own = home / ("paths-" + place.name.rpartition("-")[0])
    (site / "house.pth").write_text(own.read_text() if own.exists() else {paths!r})
    if (home / "break-next").exists():
        (site / "sitecustomize.py").write_text((home / "break-next").read_text())
elif words[:2] == ["pip", "compile"]:
    if (home / "no-solution").exists():
        sys.exit("No solution found")
    count = home / "resolved"
    number = int(count.read_text()) + 1 if count.exists() else 1
    count.write_text(str(number))
    pathlib.Path(words[words.index("--output-file") + 1]).write_text(f"# resolution {{number}}\\n")
"""
_CPW = "from clients.cli.entry import main; main()"


class BuildingHouse(House):
    """Use as a house; `cpw` runs a command as a person types it."""

    def __init__(self, tmp_path: Path, **settings: object) -> None:
        super().__init__(tmp_path, **settings)  # type: ignore[arg-type]  # (fields by name)
        for room in ("protocol", "workers"):
            (self.home / room).symlink_to(ROOT / room)
        tools = tmp_path / "tools"
        tools.mkdir()
        paths = f"{ROOT}\n{sysconfig.get_path('purelib')}\n"
        (tools / "uv").write_text(_UV.format(python=sys.executable, home=str(self.home), paths=paths))
        (tools / "uv").chmod(0o755)
        self.environ["PATH"] = f"{tools}:{self.environ['PATH']}"

    def use_packages_of(self, name: str) -> None:
        """Let the environment, and every build of it from now on, have what this checkout's one has."""
        packages = next((ROOT / "venv" / name).resolve().glob("lib/python*/site-packages"))
        paths = self.home / f"paths-{name}"
        paths.write_text(f"{ROOT}\n{packages}\n")
        site = next((self.home / "venv" / name).resolve().glob("lib/python*/site-packages"))
        (site / "house.pth").write_text(paths.read_text())

    def break_next(self, how: str) -> None:
        """Let every build from now on be a broken one; empty: a whole one."""
        flag = self.home / "break-next"
        flag.write_text(how) if how else flag.unlink()

    def cpw(self, *words: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """Run `cpw` without a terminal."""
        python = self.home / "venv" / "common" / "bin" / "python"
        return subprocess.run(
            [python, "-I", "-c", _CPW, *words],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def child(self, name: str) -> dict[str, object]:
        """Return what the supervisor wrote of a child."""
        return dict(json.loads((self.runtime / "supervisor.json").read_text())["children"][name])

    def pids(self, *environments: str) -> dict[str, int | None]:
        """Return the processes of supervisor, coordinator and these environments' workers."""
        health = self.health()
        assert health is not None
        workers = {environment.environment: environment.pid for environment in health.environments}
        assert self.supervisor is not None
        found = {"supervisor": self.supervisor.pid, "coordinator": health.pid}
        return found | {name: workers[name] for name in environments}
