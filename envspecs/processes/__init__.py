"""Processes that the supervisor starts: guardian, child, restart policy."""
