"""What a person wrote of the film with subtitles: languages checked before hours of work, not after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from protocol.errors import UsageError
from protocol.languages import find_language, language_name
from protocol.stages import WORKFLOWS
from protocol.stages.mux import FIRST, NONE, STAGE

__all__ = ["mux_parameters"]


def mux_parameters(
    workflow: str, burn: str | None, settings: Mapping[str, Any], source: str | None, targets: Sequence[str]
) -> dict[str, Any]:
    """Return the parameters of mux: `settings` of `--set mux.*`, languages as codes, and `--burn`.

    Raises `UsageError` for a language that will be no track of the film, as far as the source's is known,
    and where the workflow makes no film at all.
    """
    found = dict(settings)
    if burn is not None:
        found["burn"] = burn
    if found and not WORKFLOWS[workflow].has(STAGE.name):
        message = f"The workflow {workflow} makes no film: --burn and --set mux are about one."
        raise UsageError(message, "Use --workflow subtitle.")
    for name, written in found.items():
        if isinstance(written, tuple):
            found[name] = tuple(_track(track, name, source, targets) for track in written)
        elif written not in (FIRST, NONE, None) or name == "burn":
            found[name] = _track(written, name, source, targets)
    return found


def _track(written: str, name: str, source: str | None, targets: Sequence[str]) -> str:
    code = find_language(written).code
    if source is not None and code not in (source, *targets):
        where = "--burn" if name == "burn" else f"--set mux.{name}"
        message = f"{where} {written!r}: the film gets no subtitles in {language_name(code)}."
        raise UsageError(message, f"Add -t {code}.")
    return code
