"""Subtitle formats: one format a module, written and read.

To add a format that is written:

1. a row in `protocol/subtitles/formats.py`: its name, what it can hold;
2. a module here with a pure function `write(track: Writable) -> str` (`base`) that returns the whole file as
   text. It puts each line of a cue through `lines.plain`, so that no line holds line ends or controls. It
   leaves out cues without text. Without cues, it returns a valid file. The docstring names what describes the
   format;
3. its line in `writing.py`;
4. its row in the table of `docs/subtitles.md`. Tests compare the three lists.

To add a format that is read: a row with `readable`, and a case in `reading/files.py` unless pysubs2 reads the
format.
"""
