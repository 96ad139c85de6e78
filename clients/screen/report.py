"""The only module that writes to the terminal.

Without a terminal it writes plain lines: no control characters, no limit of width. On a terminal it uses
colours and a live part at the bottom (rich). Control characters in names are made visible.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from clients.screen.table import Line, Table, fits, lay_out, plain
from clients.screen.text import visible
from protocol.schema import to_plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

__all__ = ["JSON_VERSION", "LivePart", "Report"]

JSON_VERSION = 1
"""Version of every `--json` document; raised when a field is removed or changes its meaning."""

_STYLES = {
    "title": "bold",
    "error": "bold red",
    "note": "yellow",
    "good": "green",
    "bad": "red",
    "dim": "dim",
    "done": "green",
    "ready": "green",
    "busy": "cyan",
    "running": "cyan",
    "failed": "red",
    "cancelled": "yellow",
    "held": "yellow",
    "restarting": "yellow",
    "silent": "red",
    "crash-loop": "red",
    "outdated": "red",
    "unusable": "red",
    "not built": "red",
    "stopped": "red",
}


class Report:
    """Two streams: what was asked for goes to `out`, remarks and errors to `err`."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._streams = (_tolerant(out or sys.stdout), _tolerant(err or sys.stderr))
        self._consoles: dict[int, Console] = {}
        self._live: Live | None = None

    @property
    def interactive(self) -> bool:
        """Whether a live part can be shown."""
        return _is_terminal(self._streams[0])

    @property
    def columns(self) -> int | None:
        """Cells in a line of the screen; None where there is no screen."""
        return self._console(0).width if self.interactive else None

    @property
    def rows(self) -> int:
        """Lines on the screen."""
        return self._console(0).height if self.interactive else 24

    @property
    def bar_marks(self) -> str:
        """The two characters of a bar, as far as the stream can write them."""
        return "━─" if (self._streams[0].encoding or "").casefold().startswith("utf") else "#-"

    def line(self, text: str, style: str = "") -> None:
        """Write a line of the answer."""
        self._write(0, text, style)

    def lines(self, texts: Sequence[str], indent: str = "") -> None:
        """Write lines of the answer, one below the other."""
        for text in texts:
            self._write(0, indent + text)

    def remark(self, text: str) -> None:
        """Write a line about the answer: to `err`."""
        self._write(1, text, "note")

    def progress(self, text: str, *, beside: bool) -> None:
        """Write a line of progress; to `err` if it stands `beside` an answer that is a JSON document."""
        self._write(1 if beside else 0, text)

    def error(self, message: str, remedy: str = "") -> None:
        """Write an error, and the remedy that a person can try."""
        self._write(1, f"error: {message}", "error")
        if remedy:
            self._write(1, f"  try: {remedy}")

    def table(self, table: Table, indent: str = "") -> None:
        """Write a table."""
        limit = self.columns
        for line in lay_out(table, None if limit is None else limit - len(indent)):
            self._write_line(line, indent)

    def fits(self, table: Table) -> bool:
        """Return whether the screen shows the whole table."""
        return fits(table, self.columns)

    def json(self, document: dict[str, Any]) -> None:
        """Write the document of a `--json` command."""
        stream = self._streams[0]
        readable = (stream.encoding or "").casefold().startswith("utf")
        value = {"version": JSON_VERSION, **to_plain(document)}
        stream.write(json.dumps(value, ensure_ascii=not readable, indent=1) + "\n")
        stream.flush()

    @contextmanager
    def live(self) -> Iterator[LivePart]:
        """Keep the bottom of the screen for lines that change; other lines are written above it."""
        from rich.live import Live

        console = self._console(0)
        # It is refreshed with each update: this needs no thread, and no stream is redirected.
        with Live(
            console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
        ) as live:
            self._live = live
            try:
                yield LivePart(live)
            finally:
                self._live = None

    def _write(self, which: int, text: str, style: str = "") -> None:
        shown = visible(text)
        if self._live is not None and _is_terminal(self._streams[which]):
            # Both streams are shown on the same screen, and only the live part's console knows where.
            which = 0
        if not _is_terminal(self._streams[which]):
            self._streams[which].write(shown + "\n")
            self._streams[which].flush()
            return
        from rich.text import Text

        self._console(which).print(Text(shown, style=_STYLES.get(style, "")), soft_wrap=True)

    def _write_line(self, line: Line, indent: str) -> None:
        if self.interactive:
            self._console(0).print(rich_text(line, indent), soft_wrap=True)
        else:
            self._write(0, indent + plain(line))

    def _console(self, which: int) -> Console:
        if which not in self._consoles:
            from rich.console import Console

            self._consoles[which] = Console(
                file=self._streams[which], highlight=False, markup=False, emoji=False
            )
        return self._consoles[which]


class LivePart:
    """The changing lines at the bottom of the screen."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def update(self, lines: Sequence[Line]) -> None:
        """Show these lines instead of the last ones."""
        from rich.text import Text

        text = Text("\n", no_wrap=True, overflow="crop").join([rich_text(line) for line in lines])
        self._live.update(text, refresh=True)


def rich_text(line: Line, indent: str = "") -> Text:
    """Return the line for rich, its styles by their names."""
    from rich.text import Text

    text = Text(indent, no_wrap=True, overflow="crop")
    for piece in line:
        text.append(piece.text, style=_STYLES.get(piece.style, ""))
    text.rstrip()
    return text


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def _tolerant(stream: TextIO) -> TextIO:
    # If a terminal cannot show a character, its number is written instead of a traceback.
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    return stream
