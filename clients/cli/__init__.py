"""The commands of the shell: one command is one module, with its words, its options and its work."""
