"""Commands about what runs on this machine: start, stop, state, logs."""
