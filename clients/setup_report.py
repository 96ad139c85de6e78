"""What is said of the models that were chosen for this machine."""

from __future__ import annotations

from collections.abc import Iterable

from clients.desk import Desk
from clients.screen.machine import hardware_sentence
from clients.screen.table import Column, Table
from clients.screen.text import rough
from envspecs.models.hub import hub_answers
from envspecs.setup.choice import Chosen
from envspecs.setup.outlook import Outlook, Piece
from protocol.languages import language_name
from protocol.wording import size

__all__ = ["NO_HUB", "advice", "fetching_sentence", "setup_sentences", "setup_table"]

NO_HUB = "no model hub can be reached: what is here stays in use; cpw setup tries again"

_BYTES_A_SECOND = 12_500_000
"""100 Mbit/s: nobody knows a person's line, and this one is easy to reckon with."""


def setup_sentences(outlook: Outlook) -> list[str]:
    """Return two lines: what was chosen and why, and what it takes."""
    return [_chosen(outlook), _takes(outlook)]


def _chosen(outlook: Outlook) -> str:
    chosen = outlook.chosen
    asked = "pinned" if chosen.pinned else "chosen"
    text = f"models: set {chosen.name}, {asked} for {hardware_sentence(outlook.hardware)}: {_who(chosen)}"
    return text if chosen.fits else f"{text}; this machine has less than that set wants, so it will be slow"


def _who(chosen: Chosen) -> str:
    if chosen.into_english == chosen.recogniser:
        return f"{chosen.recogniser} recognises speech and translates it into English"
    return f"{chosen.recogniser} recognises speech, {chosen.into_english} translates it into English"


def _takes(outlook: Outlook) -> str:
    if not outlook.missing:
        return f"all of them are here: {', '.join(piece.need.model.id for piece in outlook.pieces)}"
    parts = []
    if outlook.missing_bytes:
        names = ", ".join(piece.need.model.id for piece in outlook.missing if not piece.here)
        time = rough(outlook.missing_bytes * 1_000 // _BYTES_A_SECOND)
        place = " from the hub" if outlook.needs_hub else ""
        parts.append(f"{names}: {size(outlook.missing_bytes)}{place}, {time} at 100 Mbit/s")
    if outlook.unbuilt:
        parts.append(f"environments to be built: {', '.join(outlook.unbuilt)}")
    return f"to come: {'; '.join(parts)}; broken off, it goes on where it was"


def fetching_sentence(desk: Desk, outlook: Outlook) -> str:
    """Return that what is missing is fetched meanwhile, or that no hub answers."""
    if outlook.needs_hub and not hub_answers(desk.home):
        return NO_HUB
    return "they are fetched in the background; to see how far: cpw setup --check"


def advice(outlook: Outlook) -> list[str]:
    """Return what else a person should know: licences, tokens, fonts."""
    lines = []
    closed = [piece.need.model for piece in outlook.pieces if piece.need.model.forbids_commerce]
    if closed:
        names = ", ".join(f"{model.id} ({model.licence})" for model in closed)
        lines.append(f"not for commercial use: {names}; cpw setup --commercial does without them")
    gated = [piece.need.model.id for piece in outlook.missing if _is_gated(piece)]
    if gated:
        lines.append(
            f"{', '.join(gated)}: accept the licence on its page at the hub, make a token that may read,"
            " and put it into ~/.config/cpw/hub-token (chmod 600)"
        )
    if outlook.without_font:
        names = ", ".join(map(language_name, outlook.without_font))
        lines.append(
            f"no font here writes {names} into a picture (--burn): install Noto, on Debian and Ubuntu"
            " fonts-noto-core"
        )
    return lines


def _is_gated(piece: Piece) -> bool:
    return not piece.here and any(source.gated for source in piece.need.model.sources)


def setup_table(pieces: Iterable[Piece]) -> Table:
    """Return a row for each chosen model."""
    columns = (
        Column(title="model"),
        Column(title="what for", least=20),
        Column(title="environment"),
        Column(title="size", right=True),
        Column(title="licence", drop=1),
        Column(title="state", styled=True),
    )
    rows = tuple(
        (
            piece.need.model.id,
            piece.need.what,
            piece.need.environment,
            size(piece.need.model.size_bytes),
            piece.need.model.licence,
            _state(piece),
        )
        for piece in pieces
    )
    return Table(columns=columns, rows=rows)


def _state(piece: Piece) -> str:
    if not piece.here:
        share = min(99, 100 * piece.came_bytes // max(1, piece.need.model.size_bytes))
        return f"{share} % here" if piece.came_bytes else "to come"
    return "ready" if piece.built else "environment not built"
