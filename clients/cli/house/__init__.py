"""Commands about this machine: start, stop, state, logs, the models that it should have."""
