"""Fetch a model from a hub, by the hub's own tool; what has come stays where the fetch is broken off."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from envspecs.access import masked, read_token, token_file
from envspecs.builds.uv import child_environment, run_tool
from envspecs.layout import COMMON, interpreter
from envspecs.models.fetching import DOWNLOADED, FetchJob, stored_bytes
from envspecs.models.registry import Source, StoredFile
from protocol.artefacts import describe_file, read_json_as, resolve_inside, sync_file
from protocol.errors import MissingError, SchemaError

__all__ = ["RefusedError", "download_folder", "from_hub", "hub_answers", "revision_of"]

_REFUSALS = ("gated", "401", "403", "unauthorized", "forbidden", "access to model", "invalid username or")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_PROGRAM = "workers.engines.common.hub"
"""It runs in the environment that has the hub's library; nothing of it is imported here."""
_NOTES = "hub.json"
_WATCH_S = 1.0
_ASK_S, _ANSWER_S = 60.0, 4.0


class RefusedError(MissingError):
    """This person has no access to a repository; the remedy says how to get it."""


_UNWANTED = ("*.h5", "*.msgpack", "*.ot", "*.onnx", "*.tflite", "*.gguf", "*.nemo", "*.mlpackage*", "onnx/*")
"""Weights in the formats of libraries that no environment has: a repository may hold them beside ours."""


def from_hub(job: FetchJob, source: Source, files: Path) -> dict[str, StoredFile]:
    """Let a program with the hub's library download; commit and hashes are recorded and held to."""
    python = interpreter(COMMON, job.root)
    if not python.is_file():
        message = f"The environment {COMMON}, whose tool downloads from there, is not built."
        raise MissingError(message, f"python3 -m envspecs build {COMMON}")
    downloaded = download_folder(job, source)
    downloaded.parent.mkdir(exist_ok=True)
    revision = job.revision or source.revision
    command = [str(python), "-I", "-m", _PROGRAM, source.repository, revision, str(downloaded)]
    unwanted = [word for pattern in _UNWANTED for word in ("--exclude", pattern)]
    with _allowed(job, source) as environment, _watched(job, downloaded):
        run_tool(
            [*command, *unwanted],
            f"{source.repository} could not be downloaded",
            job.root,
            environment,
            lock=job.lock,
        )
    notes = _notes(downloaded)
    found = {}
    # What an earlier answer of the hub has left there is no part of the model.
    for name in sorted(notes.files):
        found[name] = _move(resolve_inside(downloaded, name), files)
        expected = source.files.get(name)
        if expected is not None:
            job.check(name, found[name], StoredFile(sha256=expected.sha256, size=expected.size))
        elif name in notes.sha256:
            job.check(name, found[name], replace(found[name], sha256=notes.sha256[name]))
    return found


def download_folder(job: FetchJob, source: Source) -> Path:
    """Return where the repository's files are put: the program goes on there where it was broken off."""
    return job.staging / DOWNLOADED / source.repository.replace("/", "--")


def _move(path: Path, files: Path) -> StoredFile:
    """Rename a downloaded file into the model, and return what it is."""
    sync_file(path)
    described = describe_file(path, path.name)
    path.replace(resolve_inside(files, path.name))
    return StoredFile(sha256=described.sha256, size=described.size)


@dataclass(frozen=True, kw_only=True)
class _HubNotes:
    """What the program notes of the files that it fetched."""

    commit: str = ""
    files: tuple[str, ...] = ()
    sha256: dict[str, str] = field(default_factory=dict)


def _notes(downloaded: Path) -> _HubNotes:
    try:
        return read_json_as(_HubNotes, downloaded / _NOTES)
    except (OSError, ValueError, SchemaError):
        return _HubNotes()


def revision_of(downloaded: Path) -> str:
    """Return the commit that was fetched; empty where it is not known."""
    commit = _notes(downloaded).commit
    return commit if _COMMIT.fullmatch(commit) else ""


@contextmanager
def _watched(job: FetchJob, folder: Path) -> Iterator[None]:
    """Report how much has come while the hub's tool runs; on a terminal it draws a bar of its own."""
    if sys.stderr.isatty():
        yield
        return
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_WATCH_S):
            done = min(stored_bytes(folder), job.model.size_bytes)
            job.report.progress(job.model.id, done, job.model.size_bytes)

    watcher = threading.Thread(target=watch, name="fetch-progress")
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def hub_answers(root: Path) -> bool:
    """Return whether the hub that its tool would ask answers anything at all."""
    python = interpreter(COMMON, root)
    ask = [str(python), "-I", "-c", "from huggingface_hub import constants; print(constants.ENDPOINT)"]
    try:
        told = subprocess.run(ask, capture_output=True, text=True, check=True, timeout=_ASK_S)
        request = urllib.request.Request(told.stdout.strip(), method="HEAD")  # noqa: S310 (the tool's own address)
        with urllib.request.urlopen(request, timeout=_ANSWER_S):  # noqa: S310 (the tool's own address)
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError, subprocess.SubprocessError):
        return False


@contextmanager
def _allowed(job: FetchJob, source: Source) -> Iterator[dict[str, str]]:
    """Yield the environment of the hub's tool; the person's token is in it where the repository wants one.

    A refusal becomes an error that says what to do; no error contains the token.
    """
    environment = child_environment(job.root, without=("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))
    # The tool must fetch only what it is asked for, and send no usage data.
    environment |= {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_UPDATE_CHECK": "1"}
    environment["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"  # noqa: S105 (a switch)
    if not source.gated:
        yield environment
        return
    token = read_token()
    remedy = (
        f"Accept the licence on the page of {source.repository} at the hub, make a token there that may "
        f"read, and put it into {token_file()} (chmod 600) or into HF_TOKEN; then fetch it again."
    )
    if not token:
        message = f"{source.repository} is only for people who accepted its licence, and there is no token."
        raise RefusedError(message, remedy)
    # By the environment: other users of the machine can read a command line.
    environment["HF_TOKEN"] = token
    del environment["HF_HUB_DISABLE_IMPLICIT_TOKEN"]
    try:
        yield environment
    except MissingError as error:
        said = masked(error.message, token)
        # On a terminal the tool's own words have been read there, and are not in the error.
        if sys.stderr.isatty() or any(sign in said.casefold() for sign in _REFUSALS):
            message = f"The hub did not accept your token for {source.repository}. {said}"
            raise RefusedError(message, remedy) from None
        raise MissingError(said, error.remedy) from None
