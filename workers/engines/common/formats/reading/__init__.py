"""Reading subtitle files: `files` is the entrance, each other module reads one format or one part of it.

SubRip and WebVTT, the formats of nearly all files, are read here, and so are SubStation and TTML, whose files
say themselves how they are to be read. pysubs2 reads the rest: it strips the spaces that quality control
looks for, takes WebVTT's names and notes for text, knows one order of SubStation's fields and no timed
`span`.
"""
