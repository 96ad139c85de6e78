"""Fetch a hub's files: `python -I -m workers.engines.common.hub REPOSITORY REVISION FOLDER`.

`cpw models fetch` runs it. A download that was broken off goes on where it was, at the next run, too: the
hub's own command makes a file of another name at every run, and so begins anew (huggingface_hub 2.4,
`_download_to_tmp_and_move`). Its library is used for all else: addresses, tokens, retries, the bar.

The folder then holds the files, and `hub.json`: the commit, and the sha256 that the hub gives for large
files. The token is taken from `HF_TOKEN`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from protocol.artefacts import resolve_inside, write_json
from protocol.errors import CpwError, ExitCode, InputError
from protocol.schema import to_plain
from workers.engines.common.one_answer import tell_line

__all__ = ["NOTES", "Notes", "fetch_repository", "main"]

NOTES = "hub.json"
_PARTIAL = ".partial"


@dataclass(frozen=True, kw_only=True)
class Notes:
    """What the hub says of the files: written last."""

    commit: str
    files: tuple[str, ...] = ()
    sha256: dict[str, str] = field(default_factory=dict)
    """By name; of small files it gives none."""


@dataclass(frozen=True, kw_only=True)
class _Listed:
    """A file of the repository."""

    name: str
    size: int | None
    sha256: str


def fetch_repository(
    repository: str, revision: str, folder: Path, unwanted: Sequence[str], token: str
) -> None:
    """Fetch the files that lie at the top of the repository, but not those of the `unwanted` patterns."""
    from huggingface_hub import HfApi

    api = HfApi(token=token or False)
    info = _ask(api, repository, revision)
    commit = str(info.sha or revision)
    folder.mkdir(parents=True, exist_ok=True)
    hashes = {}
    wanted = list(_wanted(info.siblings or (), unwanted))
    for listed in wanted:
        _fetch_file(repository, commit, listed, folder, token)
        if listed.sha256:
            hashes[listed.name] = listed.sha256
    names = tuple(listed.name for listed in wanted)
    write_json(folder / NOTES, to_plain(Notes(commit=commit, files=names, sha256=hashes)))


def _ask(api: Any, repository: str, revision: str) -> Any:
    """Return what the hub says of the repository; `InputError` where no hub can have said it."""
    try:
        return api.model_info(repository, revision=revision, files_metadata=True)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        message = (
            f"What is said of {repository} is not what a hub says ({type(error).__name__}): a proxy, or a"
            " page to sign in to this network, may have answered in its place."
        )
        raise InputError(message) from error


def _wanted(siblings: Sequence[Any], unwanted: Sequence[str]) -> Iterator[_Listed]:
    for sibling in siblings:
        name = str(sibling.rfilename)
        hidden = "/" in name or name.startswith(".") or name in ("README.md", NOTES)
        if hidden or any(fnmatch(name, pattern) for pattern in unwanted):
            continue
        large = sibling.lfs
        yield _Listed(name=name, size=sibling.size, sha256=str(large.sha256) if large else "")


def _fetch_file(repository: str, commit: str, listed: _Listed, folder: Path, token: str) -> None:
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import get_hf_file_metadata, http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # (its documents have it)

    whole = resolve_inside(folder, listed.name)
    if whole.is_file() and whole.stat().st_size == listed.size:
        return
    asked = hf_hub_url(repository, listed.name, revision=commit)
    found = get_hf_file_metadata(asked, token=token or False)
    # A file that is another one by now is begun anew: its name has what the hub calls it.
    partial = folder / f"{listed.name}.{(found.etag or '')[:64].replace('/', '')}{_PARTIAL}"
    for old in folder.glob(f"{listed.name}.*{_PARTIAL}"):
        if old != partial:
            old.unlink()
    size = listed.size if listed.size is not None else found.size
    if size is not None and partial.exists() and partial.stat().st_size > size:
        # Too much came: there is nothing to go on with.
        partial.unlink()
    headers = build_hf_headers(token=token or False)
    if urlsplit(found.location)[:2] != urlsplit(asked)[:2]:
        # The hub's storage lies elsewhere, and its address is a permission by itself.
        headers.pop("authorization", None)
    with partial.open("ab") as file:
        http_get(
            found.location,
            file,
            resume_size=file.tell(),
            headers=headers,
            expected_size=size,
            displayed_filename=listed.name,
        )
    partial.replace(whole)


def main(words: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code. The hub's own words go to stderr."""
    parser = argparse.ArgumentParser(prog="hub", description="Fetch the files of a hub's repository.")
    parser.add_argument("repository")
    parser.add_argument("revision")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--exclude", action="append", default=[], metavar="PATTERN")
    asked = parser.parse_args(words)
    from httpx2 import HTTPError
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    token = os.environ.get("HF_TOKEN", "")
    try:
        fetch_repository(asked.repository, asked.revision, asked.folder, asked.exclude, token)
    except KeyboardInterrupt:
        # What has come stays; who asked says the rest.
        return ExitCode.INTERRUPTED
    except CpwError as error:
        return _failed(error.message)
    except (HfHubHTTPError, LocalEntryNotFoundError, HTTPError, OSError, ValueError) as error:
        return _failed(f"{type(error).__name__}: {error}")
    return 0


def _failed(sentence: str) -> int:
    tell_line(sentence)
    return 1


if __name__ == "__main__":
    sys.exit(main())
