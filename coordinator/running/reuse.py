"""The key of a step: two steps with one key do the same work, so the second takes over the first one's files.

Step key = hash of input digests, stage and schema version, engine, the environment's build, model digest
and parameters. It depends on the contents of files, not on the names of folders.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import envspecs
from envspecs.models import registry
from protocol.stages import STAGES

__all__ = ["film_samples", "forget", "step_key"]

_SAMPLES = 16
_SAMPLE_BYTES = 65_536


def film_samples(path: Path) -> str:
    """Return a digest of the film's size and of 16 samples of 64 KiB spread over it, ends included.

    It takes milliseconds for a film of forty gigabytes, and finds the films that may be the same. Whether
    they are, all their bytes say (`taking_over.refuse_other_film`).
    """
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for number in range(_SAMPLES):
            file.seek(max(0, size - _SAMPLE_BYTES) * number // (_SAMPLES - 1))
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def step_key(stage: str, environment: str, build: str, request: dict[str, Any], film: str) -> str:
    """Return the key of a step; `request` is the stage's request as plain values.

    `build` is the key of the build that its worker was started in, which need not be the newest one.
    """
    parts = {
        "stage": stage,
        "version": STAGES[stage].version,
        "engine": _engines(environment).get(stage, ""),
        "build": build,
        "request": _contents(request, film),
    }
    if service := _service(environment):
        # Another endpoint has other models, whatever they are called.
        parts["service"] = os.environ.get(service, "")
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def forget() -> None:
    """Read specs and models again for the next step: a new worker was started from what they say now."""
    _engines.cache_clear()
    _service.cache_clear()
    _model_digest.cache_clear()


@functools.cache
def _engines(name: str) -> dict[str, str]:
    return {stage: served.key_name for stage, served in envspecs.read(name).stages.items()}


@functools.cache
def _service(name: str) -> str:
    """Return the variable with the address of the service that the environment asks; empty: it asks none."""
    service = envspecs.read(name).service
    return service.address if service is not None else ""


def _contents(value: Any, film: str) -> Any:
    """Return `value` with files, films and models replaced by digests of their contents."""
    if isinstance(value, list):
        return [_contents(part, film) for part in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"path", "size", "sha256"}:
        return value["sha256"]
    found = {name: _contents(part, film) for name, part in value.items()}
    if "media" in found:
        found["media"] = film
    if "model" in found:
        found["model"] = _model_digest(str(found["model"]))
    return found


@functools.cache
def _model_digest(identity: str) -> str:
    manifest = registry.read_manifest(envspecs.models_directory() / identity)
    if manifest is None:
        return identity
    return json.dumps({name: file.sha256 for name, file in sorted(manifest.files.items())})
