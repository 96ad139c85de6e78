"""Fonts that are the same on every machine, and how fontconfig is told of them (`FONTCONFIG_FILE`)."""

from __future__ import annotations

from pathlib import Path

import pytest

import envspecs

__all__ = ["dejavu", "write_conf"]

_CONF = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>{more}<dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>
"""
_INSTALLED = '<include ignore_missing="yes">/etc/fonts/fonts.conf</include>'


def dejavu() -> Path:
    """Return a folder with DejaVu's fonts: matplotlib's, which comes with whisperx and with pyannote."""
    for name in ("whisperx", "pyannote"):
        for found in envspecs.venv_path(name).glob("lib/python*/site-packages/matplotlib/mpl-data/fonts/ttf"):
            return found
    installed = next(Path("/usr/share/fonts").rglob("DejaVuSans.ttf"), None)
    if installed is None:
        pytest.skip("DejaVu's fonts come with the environment whisperx, which is not built: make build")
    return installed.parent


def write_conf(folder: Path, fonts: Path, *, installed: bool = False) -> Path:
    """Write into the folder what names these fonts, and those of the machine where they are wanted too."""
    conf = folder / "fonts.conf"
    more = _INSTALLED if installed else ""
    conf.write_text(_CONF.format(more=more, fonts=fonts, cache=folder / "fontcache"))
    return conf
