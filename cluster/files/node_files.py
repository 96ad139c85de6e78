"""The files of a node's calls: here before a call begins, and what it has made on the head afterwards."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from cluster.files.cache import Cache
from cluster.files.head_door import HeadDoor, StaleError
from cluster.files.models import fetch_from_head
from cluster.files.part import node_disk_error
from cluster.files.records import Records
from cluster.files.sharing import MEDIA, called_here, named_artefacts, without_film_facts
from envspecs.cluster.cache import node_cache_bytes
from envspecs.cluster.settings import cluster_directory
from envspecs.layout import models_directory, state_directory
from protocol.artefacts import Artefact, resolve_inside
from protocol.cluster.messages import Door
from protocol.errors import CpwError, InputError, TransientError
from protocol.messages import Call, CallIdentity, Result

__all__ = ["NodeFiles", "node_files_here"]

log = logging.getLogger(__name__)

_SPARE_BYTES = 256 * 1024 * 1024
"""What is fetched leaves so much of the disk to the calls."""
_MOST_LOG_BYTES = 8 * 1024 * 1024


class NodeFiles:
    """Blocking; every thread may use it, one for each call.

    `folder` is this node's own, `models` its model store, `shares` a folder's path on the head to its path
    here; sizes in bytes.
    """

    def __init__(
        self,
        node: str,
        folder: Path,
        models: Path,
        shares: Mapping[str, str],
        most_bytes: int,
        spare_bytes: int = _SPARE_BYTES,
    ) -> None:
        self._node = node
        self._models = models
        self._records = Records(folder / "jobs")
        self._cache = Cache(folder / "files", self._records, most_bytes, spare_bytes)
        self._ended = threading.Event()
        self._offered = dict(shares)
        self._shares: dict[str, str] = {}
        self._head = HeadDoor(Door(), node, self._ended)

    def use_door(self, door: Door, confirmed: tuple[str, ...]) -> None:
        """Take what a welcome says: how the head is reached, and which shares are the same on both."""
        self._shares = {head: here for head, here in self._offered.items() if head in confirmed}
        self._head = HeadDoor(door, self._node, self._ended)

    def close(self) -> None:
        """End what waits and what is under way, as soon as possible."""
        self._ended.set()

    def prepare(self, identity: CallIdentity, call: Call) -> Call:
        """Return the call as it is done here; all files that it names are here then.

        Raises `TransientError` where a film lies in no share, the head stays away, or a file comes with wrong
        bytes again and again; `InputError` where the head has no such file; `DiskFullError`.
        """
        call = replace(call, request=self._request_here(call))
        if (shared := called_here(call.job_directory, self._shares)) is not None:
            return replace(call, job_directory=shared)
        folder = self._records.job_folder(identity.job)
        call = replace(call, job_directory=str(folder))
        try:
            self._records.begin(identity, call)
            # The log of an earlier attempt has been sent; this one's begins.
            self._log(identity).unlink(missing_ok=True)
            for file in dict.fromkeys(named_artefacts(call.request)):
                self._bring(identity, file, resolve_inside(folder, file.path))
        except OSError as error:
            self.forget(identity)
            raise node_disk_error(error, folder) from error
        except CpwError:
            self.forget(identity)
            raise
        self._cache.keep_within()
        return call

    def publish(self, identity: CallIdentity, call: Call | None, result: Result) -> Result:
        """Have the files of a result in the attempt's scratch folder on the head; return the result for it.

        `call` is as `prepare` returned it; None where an earlier process of the relay prepared it. Where the
        attempt does not run any more, nothing is sent: the coordinator drops the result. Raises
        `TransientError` where the head stays away, `DiskFullError` where its disk is full.
        """
        result = replace(result, result=without_film_facts(result.result))
        call = self._own(identity, call)
        if call is None:
            return result
        try:
            for file in result.artefacts:
                self._send(identity, call, file)
        except (StaleError, InputError) as error:
            log.info("the files of %s are not wanted: %s", identity, error)
            return result
        self.send_log(identity)
        return result

    def keeps(self, identity: CallIdentity) -> bool:
        """Return whether the call's files lie on this node's own disk."""
        return self._records.find(identity) is not None

    def send_log(self, identity: CallIdentity) -> None:
        """Add what a call has said here to the job's log on the head; what fails of it is only noted.

        `publish` sends a result's. A failed call's is to be sent before its Failure goes on.
        """
        if self._records.find(identity) is None:
            return
        try:
            data = _last_bytes(self._log(identity), _MOST_LOG_BYTES)
            if data:
                self._head.say(f"{_attempt(identity)}/log", data)
        except (StaleError, CpwError, OSError) as error:
            log.info("the log of %s stays here: %s", identity, error)

    def forget(self, identity: CallIdentity) -> None:
        """The call is over: its scratch folder goes, and what is too much of all that was fetched."""
        self._records.end(identity)
        self._cache.keep_within()

    def fetch_model(self, model: str) -> None:
        """Have a model of the head's store in this node's, whole.

        Raises `InputError` where the head has no such model, `TransientError`, `DiskFullError`.
        """
        try:
            fetch_from_head(self._head, model, self._models)
        except OSError as error:
            raise node_disk_error(error, self._models / model) from error

    def _request_here(self, call: Call) -> dict[str, Any]:
        film = call.request.get(MEDIA)
        if not isinstance(film, str):
            return call.request
        here = called_here(film, self._shares)
        if here is None:
            message = f"The node {self._node} cannot read {film}: it lies in no folder that both share."
            raise TransientError(message, "Share its folder, and name the share when the node joins.")
        return {**call.request, MEDIA: here}

    def _own(self, identity: CallIdentity, call: Call | None) -> Call | None:
        """Return the call if its job folder is this node's own."""
        if call is None:
            return self._records.find(identity)
        return call if call.job_directory == str(self._records.job_folder(identity.job)) else None

    def _bring(self, identity: CallIdentity, file: Artefact, target: Path) -> None:
        address = f"/api/cluster/jobs/{identity.job}/files/{file.path}"
        self._cache.put(file, target, lambda part: self._head.bring(address, file, part))

    def _send(self, identity: CallIdentity, call: Call, file: Artefact) -> None:
        path = PurePosixPath(file.path)
        if not path.is_relative_to(call.folder):
            message = f"The path {file.path} is not in the folder {call.folder}."
            raise InputError(message)
        name = str(path.relative_to(call.folder))
        made = resolve_inside(resolve_inside(Path(call.job_directory), call.scratch), name)
        self._head.send(f"{_attempt(identity)}/files/{name}", file, made)
        self._cache.take(file, made)

    def _log(self, identity: CallIdentity) -> Path:
        return self._records.job_folder(identity.job) / "logs" / f"{identity.step}.log"


def node_files_here(node: str, shares: Mapping[str, str]) -> NodeFiles:
    """Return the files of the node that this process is of: `CPW_STATE`, `CPW_MODELS`, `CPW_NODE_CACHE`.

    Raises `UsageError` for a variable that is wrong, `OSError`.
    """
    folder = cluster_directory(state_directory())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    most_bytes = node_cache_bytes(os.environ, shutil.disk_usage(folder).total)
    return NodeFiles(node, folder, models_directory(), shares, most_bytes)


def _attempt(identity: CallIdentity) -> str:
    return f"/api/cluster/jobs/{identity.job}/steps/{identity.step}/{identity.attempt}"


def _last_bytes(path: Path, most_bytes: int) -> bytes:
    """Return the end of a log, from the beginning of a line; empty where there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - most_bytes))
            data = file.read()
    except FileNotFoundError:
        return b""
    return data if size <= most_bytes else data.partition(b"\n")[2]
