"""Whoever asks the daemon: the shell today. They speak over the socket and never import the coordinator."""
