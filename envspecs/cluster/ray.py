"""How Ray is started on this machine: its command, its variables, its ports, its folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from envspecs.cluster.settings import ClusterSettings, parse_address
from protocol.endpoints import prepare_runtime_directory

__all__ = [
    "PORTS",
    "asking_environment",
    "clear_ray_directory",
    "close_ray_directory",
    "listens_here",
    "ray_command",
    "ray_directory",
    "ray_environment",
]

PORTS = 100
"""So many ports from `ClusterSettings.first_port` on are Ray's: a node has a block of its own."""
_WORKER_PORTS = (10, 99)
_OBJECT_STORE_BYTES = 75 * 1024 * 1024
"""The least that Ray takes: films, sounds and results never go through it."""
_LONGEST_BELOW = len("/session_2026-11-27_23-28-42_153322_1234567/sockets/plasma_store")
_MOST_BYTES = 103
"""Of a socket's path, on every system."""
_CONNECT_S = 0.5

# A node that hangs, or whose network is cut, is noticed after half a minute at most; by default after one.
_HEALTH = {
    "RAY_health_check_initial_delay_ms": "2000",
    "RAY_health_check_period_ms": "2000",
    "RAY_health_check_timeout_ms": "4000",
    "RAY_health_check_failure_threshold": "3",
}
# A head that went, or came back with a new Ray, is noticed after some seconds; by default after a minute. Ray
# is then started anew, until the head is there; the workers are not Ray's, and stay.
_FOLLOWING = {
    "RAY_gcs_rpc_server_reconnect_timeout_s": "10",
    "RAY_raylet_liveness_self_check_interval_ms": "2000",
}


def ray_command(python: Path, settings: ClusterSettings, directory: Path) -> list[str]:
    """Return the command that runs Ray on this machine until it is ended.

    `python` is the interpreter of the environment with Ray, `directory` that of its sockets.
    """
    first = settings.first_port
    low, high = (first + offset for offset in _WORKER_PORTS)
    command = [str(python), "-I", "-u", "-m", "ray.scripts.scripts", "start", "--block"]
    if settings.role == "head":
        _, port = parse_address(settings.head)
        # No monitor: it would look every five seconds whether machines are to be rented.
        command += ["--head", f"--port={port}", "--no-monitor"]
        command += ["--include-dashboard=false", f"--dashboard-port={first + 6}"]
    else:
        command += [f"--address={settings.head}"]
    command += [f"--node-ip-address={settings.address}", f"--node-name={settings.name}"]
    command += [f"--node-manager-port={first}", f"--object-manager-port={first + 1}"]
    command += [f"--runtime-env-agent-port={first + 2}", f"--dashboard-agent-listen-port={first + 3}"]
    command += [f"--dashboard-agent-grpc-port={first + 4}", f"--metrics-export-port={first + 5}"]
    command += [f"--min-worker-port={low}", f"--max-worker-port={high}"]
    # It places nothing by cores or GPUs: the workers are the supervisor's, and share them as on one machine.
    command += ["--num-cpus=0", "--num-gpus=0", f"--object-store-memory={_OBJECT_STORE_BYTES}"]
    command += ["--disable-usage-stats", "--include-log-monitor=false", f"--temp-dir={directory}"]
    # What its processes print goes through the guardian into our own log.
    return [*command, "--no-redirect-output"]


def asking_environment(token: Path) -> dict[str, str]:
    """Return the variables of whoever asks a cluster something, with the file of its token."""
    found = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "RAY_USAGE_STATS_ENABLED": "0"}
    if sys.platform == "darwin":
        found["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "1"
    return found


def ray_environment(given: Mapping[str, str], settings: ClusterSettings, token: Path) -> dict[str, str]:
    """Return the variables of Ray's processes and of what they start; `given` are those of every child."""
    ours = {
        # A process that sets its title writes over its variables, by which a sweep finds it.
        "SPT_NOENV": "1",
        "RAY_BACKEND_LOG_LEVEL": "warning",
        # Figures would go to a program that is not installed, and each try to the log.
        "RAY_enable_metrics_collection": "0",
        # Models fill the memory: that is no reason to kill the agent.
        "RAY_memory_monitor_refresh_ms": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1",
    }
    watching = _HEALTH if settings.role == "head" else _FOLLOWING
    return {**given, **asking_environment(token), **watching, **ours}


def listens_here(settings: ClusterSettings) -> bool:
    """Return whether this machine's part of Ray takes connections."""
    with (
        contextlib.suppress(OSError),
        socket.create_connection((settings.address, settings.first_port), _CONNECT_S),
    ):
        return True
    return False


def ray_directory(runtime: Path) -> Path:
    """Return the folder of Ray's sockets, in the runtime directory or where their paths are short enough.

    Ray opens it to everybody: what keeps others out is the folder that it is in.
    """
    inside = runtime / "ray"
    if len(os.fsencode(inside)) + _LONGEST_BELOW <= _MOST_BYTES:
        return inside
    tag = hashlib.sha256(os.fsencode(runtime)).hexdigest()[:8]
    return Path("/tmp") / f"cpw-ray-{os.getuid()}-{tag}" / "r"  # noqa: S108 (made 0700, refused where not)


def close_ray_directory(runtime: Path) -> None:
    """Make the folder around it, its user's alone; `UsageError` where it is a link, another's or open."""
    around = ray_directory(runtime).parent
    if around != runtime:
        prepare_runtime_directory(around)


def clear_ray_directory(runtime: Path) -> None:
    """Make the folder of Ray's sockets where it is missing, and remove what an earlier start left in it."""
    folder = ray_directory(runtime)
    # What cannot be done here Ray cannot do either: it ends, says why, and is tried again.
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        for left in folder.iterdir():
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
