"""What an endpoint understands of the interface: servers refuse parameters that they do not know. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from workers.engines.llm.prompts import form_of

__all__ = ["Dialect"]

_FORMATS = ("json_schema", "json_object", "")
"""Forms of an answer that are asked for, the strictest first."""
_TEMPERATURE = 0.2
"""Warmer models write one name in several ways (Subtitle Edit found three for one chief)."""


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What the endpoint was found to understand: servers refuse what they do not know."""

    format: int = 0
    """A place in `_FORMATS`."""
    cap: str = "max_tokens"
    temperature: bool = True
    usage: bool = True

    def parameters(self, lines: int, most_tokens: int) -> dict[str, Any]:
        """Return the parameters of a question about so many lines."""
        found: dict[str, Any] = {self.cap: most_tokens}
        if self.temperature:
            found["temperature"] = _TEMPERATURE
        if self.usage:
            found["stream_options"] = {"include_usage": True}
        name = _FORMATS[self.format]
        if name == "json_schema":
            form = {"name": "translations", "strict": True, "schema": form_of(lines)}
            found["response_format"] = {"type": name, name: form}
        elif name:
            found["response_format"] = {"type": name}
        return found

    def plainer(self, refusal: str) -> Dialect | None:
        """Return what to say instead, where a parameter was refused so; None: nothing is left."""
        if "max_completion_tokens" in refusal and self.cap == "max_tokens":
            return replace(self, cap="max_completion_tokens")
        if "temperature" in refusal and self.temperature:
            return replace(self, temperature=False)
        if "stream_options" in refusal and self.usage:
            return replace(self, usage=False)
        if self.format + 1 < len(_FORMATS):
            return replace(self, format=self.format + 1)
        return None
