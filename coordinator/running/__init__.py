"""Running a plan: which step is next, on which worker, what becomes of its result."""
