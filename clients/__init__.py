"""Programs that ask the daemon: today the shell. They use its socket and never import `coordinator`."""
