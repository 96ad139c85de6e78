"""Who may import what: a list of what is allowed, and everything else is refused.

A room is a folder that one kind of Python runs, or a part of such a folder. `ROOMS` says what the modules of
a room may import of the product; the standard library is free. `LIBRARIES` says who may import a library.
A module needs a row here before it can import something new: that is the moment to ask whether it should.
"""

from __future__ import annotations

import ast
import re
import sys

import pytest

import envspecs
from tests.contract.source import ROOT, Import, imports_of, modules

ROOMS = {
    "protocol": "",
    "envspecs": "protocol",
    "supervisor": "protocol envspecs",
    "cluster": "protocol envspecs",
    # the daemon
    "coordinator.store": "protocol coordinator.plan",
    "coordinator.planning": "protocol envspecs coordinator.plan coordinator.store",
    "coordinator.timing": "protocol coordinator.plan coordinator.store",
    "coordinator.voices": "protocol envspecs coordinator.store coordinator.planning",
    "coordinator.running": (
        "protocol envspecs coordinator.plan coordinator.store coordinator.planning coordinator.timing"
        " coordinator.link coordinator.voices coordinator.nodes"
    ),
    "coordinator.nodes": "protocol envspecs coordinator.store coordinator.planning",
    "coordinator": (
        "protocol envspecs coordinator.store coordinator.planning coordinator.timing coordinator.running"
        " coordinator.voices coordinator.nodes"
    ),
    # whoever asks the daemon
    "clients.screen": "protocol",
    "clients.service": "protocol envspecs",
    "clients.api": "protocol envspecs clients clients.screen",
    "clients.cli": "protocol envspecs clients clients.screen clients.service clients.api.door.keys",
    "clients": "protocol envspecs clients.screen",
    # the workers: an engine knows its own environment, what all engines share, and no other environment
    "workers": "protocol",
    "workers.text": "protocol workers.engine workers.placement workers.torch_devices",
    "workers.speech": (
        "protocol workers.engine workers.lanes workers.placement workers.text workers.torch_devices"
    ),
    "workers.separation": "protocol workers.engine workers.lanes workers.placement workers.torch_devices",
    "workers.engines": "",
    "workers.engines.*": (
        "protocol workers.engine workers.lanes workers.placement workers.torch_devices"
        " workers.text workers.speech workers.separation"
    ),
}
"""Of a room: the rooms and single modules that its modules may import, beside those of the room itself."""

LIBRARIES = {
    "msgpack": "protocol.frames",
    "zmq": "coordinator.link clients.connection workers.link cluster.relay.sockets cluster.bridge.sockets",
    "ray": "cluster.ray",
    "click": "clients.cli",
    "starlette": "clients.api",
    "uvicorn": "clients.api.server",
    "python_multipart": "clients.api.speech.forms",
    "prometheus_client": "clients.api.metrics",
    "rich": "clients.screen.report",
    "huggingface_hub": "workers.engines.common.hub",
    "httpx2": "workers.engines.common.hub",
    "psutil": (
        "coordinator.nodes.houses coordinator.store.backups clients.supervisor envspecs.processes.leftovers"
    ),
    "jiwer": "clients.word_errors clients.comparing.timing",
    "regex": "clients.word_errors workers.engines.common workers.engines.scores",
    "imageio_ffmpeg": "clients.cli.demo workers.engines.common.film workers.engines.ytdlp.library",
    "pysubs2": "workers.engines.common.formats",
    "fasttext": "workers.text.languages.model",
}
"""Small libraries, and the modules or folders that may import them anywhere. Nobody else may."""

SHARED = {
    "torch": "workers.torch_devices workers.text.generating",
    "numpy": (
        "workers.speech.blocks workers.speech.fitting workers.speech.inference workers.speech.sound"
        " workers.separation.narrow workers.separation.resampling workers.separation.separating"
        " workers.separation.stereo workers.separation.voices"
    ),
    "julius": "workers.separation.resampling",
    "soundfile": "workers.separation.stereo",
}
"""Libraries of models in modules that several engines share: inside functions only.

An engine needs no row: inside functions it may import what the lock of its environment names."""

DISTRIBUTIONS = {"ffmpeg": "ffmpeg-python", "pyannote": "pyannote-audio", "suber": "subtitle-edit-rate"}
"""What a lock calls a library that is imported under another name."""

EVERY_IMPORT = [found for module in modules() for found in imports_of(module)]


def is_below(module: str, folder: str) -> bool:
    return module == folder or module.startswith(f"{folder}.")


def room_of(module: str) -> str:
    """Return the smallest room that the module is in, `workers.engines.<env>` for an engine's."""
    if module.startswith("workers.engines."):
        return ".".join(module.split(".")[:3])
    return max((room for room in ROOMS if is_below(module, room)), key=len)


def row_of(room: str) -> list[str]:
    return ROOMS[room if room in ROOMS else "workers.engines.*"].split()


def may_import_module(found: Import) -> bool:
    room, other = room_of(found.source), room_of(found.target)
    return room == other or bool({found.target, other} & set(row_of(room)))


def locked_for(environment: str) -> set[str]:
    """Return the names of all distributions that an environment has."""
    text = (ROOT / "envspecs" / "locks" / f"{environment}.txt").read_text()
    return {normal(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def may_import_library(found: Import) -> bool:
    library, source = found.target.partition(".")[0], found.source
    if library in LIBRARIES:
        return any(is_below(source, place) for place in LIBRARIES[library].split())
    if source in SHARED.get(library, "").split():
        return found.late
    room = room_of(source)
    if not room.startswith("workers.engines."):
        return False
    wanted = normal(DISTRIBUTIONS.get(library, library))
    return found.late and wanted in locked_for(room.rpartition(".")[2])


def is_ours(found: Import) -> bool:
    return found.target.partition(".")[0] in ROOMS


def is_refused(found: Import) -> bool:
    if is_ours(found):
        return not may_import_module(found)
    return found.target.partition(".")[0] not in sys.stdlib_module_names and not may_import_library(found)


def test_every_import_is_allowed() -> None:
    refused = [str(found) for found in EVERY_IMPORT if is_refused(found)]
    assert refused == [], "the tables in tests/contract/test_imports.py allow it to nobody there"


def test_every_row_is_used() -> None:
    names = {module.name for module in modules()}
    rows = {place for row in (LIBRARIES | SHARED).values() for place in row.split()}
    assert rows - names == set(), "these modules are gone"
    for library, row in (LIBRARIES | SHARED).items():
        for place in row.split():
            users = [found for found in EVERY_IMPORT if is_below(found.source, place)]
            assert any(is_below(user.target, library) for user in users), f"{place} imports no {library}"


def test_an_engines_folder_is_an_environment() -> None:
    rooms = {room_of(found.source) for found in EVERY_IMPORT if is_below(found.source, "workers.engines")}
    names = set(envspecs.spec_names())
    assert {room for room in rooms if room.rpartition(".")[2] not in names} == set()


def test_a_module_that_is_named_by_a_text_is_loaded_in_two_places() -> None:
    """An import that is no import statement would be seen by nobody. So are engines and commands loaded."""
    loading = ("import_module", "__import__", "run_module", "run_path")
    places = {
        module.name
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, (ast.Name, ast.Attribute))
        and (node.id if isinstance(node, ast.Name) else node.attr) in loading
    }
    assert places == {"workers.daemon", "clients.cli.main"}


REFUSED = [
    ("protocol.messages", "msgpack", False),
    ("protocol.messages", "envspecs.spec", False),
    ("workers.daemon", "zmq", True),
    ("workers.daemon", "envspecs", True),
    ("workers.daemon", "workers.engines.common.subtitle", True),
    ("workers.speech.spans", "numpy", True),
    ("workers.speech.sound", "numpy", False),
    ("workers.text.generating", "transformers", True),
    ("workers.engines.mlx.asr", "workers.engines.whisperx.trust", True),
    ("workers.engines.mlx.asr", "workers.daemon", True),
    ("workers.engines.mlx.asr", "mlx_whisper", False),
    ("workers.engines.mlx.asr", "whisperx", True),
    ("workers.engines.common.subtitle", "torch", True),
    ("workers.engines.common.subtitle", "click", True),
    ("coordinator.store.store", "coordinator.running.roster", True),
    ("coordinator.loop", "clients.desk", True),
    ("coordinator.requests", "zmq", True),
    ("clients.desk", "coordinator.plan", True),
    ("clients.screen.jobs", "clients.supervisor", True),
    ("clients.screen.jobs", "rich", True),
    ("envspecs.models.fetch", "huggingface_hub", True),
    ("envspecs.key", "coordinator.plan", True),
    ("clients.programs", "supervisor", True),
]


@pytest.mark.parametrize(("source", "target", "late"), REFUSED)
def test_what_nobody_allows_is_refused(source: str, target: str, late: bool) -> None:
    assert is_refused(Import(source, target, 1, late))
