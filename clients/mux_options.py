"""Options for the film with subtitles. Their languages are checked before hours of work, not after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from protocol.errors import UsageError
from protocol.languages import find_tag, language_name
from protocol.stages import WORKFLOWS
from protocol.stages.mux import FIRST, NONE, STAGE

__all__ = ["mux_parameters"]


def mux_parameters(
    workflow: str, burn: str | None, settings: Mapping[str, Any], source: str | None, targets: Sequence[str]
) -> dict[str, Any]:
    """Return the parameters of mux, from `settings` (`--set mux.*`) and `--burn`, with languages as codes.

    Raises `UsageError` where the workflow makes no film, and for a language in which the film gets no
    subtitles (this is checked only if the source language is known).
    """
    found = dict(settings)
    if burn is not None:
        found["burn"] = burn
    if found and not WORKFLOWS[workflow].has(STAGE.name):
        message = f"The workflow {workflow} makes no film, so it takes no --burn and no --set mux."
        raise UsageError(message, "Use --workflow subtitle.")
    for name, written in found.items():
        if isinstance(written, tuple):
            found[name] = tuple(_track(track, name, source, targets) for track in written)
        elif written not in (FIRST, NONE, None) or name == "burn":
            found[name] = _track(written, name, source, targets)
    return found


def _track(written: str, name: str, source: str | None, targets: Sequence[str]) -> str:
    code = str(find_tag(written))
    if source is not None and code not in (source, *targets):
        where = "--burn" if name == "burn" else f"--set mux.{name}"
        message = f"{where} {written!r}: the film gets no subtitles in {language_name(code)}."
        raise UsageError(message, f"Add -t {code}.")
    return code
