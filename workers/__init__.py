"""The worker: a process that the interpreter of every environment runs, around its engines."""
