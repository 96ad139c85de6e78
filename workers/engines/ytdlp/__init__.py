"""The environment `ytdlp`: films from web addresses, by a program that is run once for one address.

docs/adr/0029-films-by-address.md
"""
