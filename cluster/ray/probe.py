"""Asks a cluster's GCS, Ray's own list of machines, and writes the answer to stdout as JSON.

    python -m cluster.ray.probe 192.168.1.10:6390

The token is found by Ray's variables. Ray waits half a minute for a GCS that does not answer, and prints what
it thinks of that: whoever runs this program gives it a deadline. `ray.init` would start more than a question
needs, and retries a wrong token.
"""

from __future__ import annotations

import json
import platform
import sys
from typing import Any

from protocol.cluster.probing import NodeSeen, ProbeAnswer
from protocol.schema import to_plain

__all__ = ["main"]

_TIMEOUT_S = 4.0


def main(words: list[str]) -> int:
    """Write the `ProbeAnswer` of the address in `words`."""
    print(json.dumps(to_plain(_answer(words[0]))), flush=True)  # noqa: T201 (the answer of a program)
    return 0


def _answer(address: str) -> ProbeAnswer:
    import ray
    from ray._raylet import GcsClient
    from ray.exceptions import AuthenticationError, RayError

    ours = {"ray": ray.__version__, "python": platform.python_version()}
    try:
        client = GcsClient(address=address)
        written = client.internal_kv_get(b"CLUSTER_METADATA", namespace=b"cluster", timeout=_TIMEOUT_S)
        nodes = client.get_all_node_info(timeout=_TIMEOUT_S)
    except AuthenticationError as error:
        return ProbeAnswer(problem="refused", details=_first_line(error), **ours)
    except (RayError, OSError, RuntimeError) as error:
        return ProbeAnswer(problem="silent", details=_first_line(error), **ours)
    metadata = json.loads(written) if written else {}
    return ProbeAnswer(
        head_ray=metadata.get("ray_version", ""),
        head_python=metadata.get("python_version", ""),
        nodes=tuple(_seen(info) for info in nodes.values()),
        **ours,
    )


def _seen(info: Any) -> NodeSeen:
    """Return a machine as we name it, from Ray's `GcsNodeInfo`, whose state 0 is alive."""
    return NodeSeen(
        name=info.node_name,
        address=info.node_manager_address,
        alive=info.state == 0,
        head=info.is_head_node,
        since_ms=info.start_time_ms,
        gone_ms=info.end_time_ms,
    )


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:300]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
