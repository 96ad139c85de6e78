"""The stage clean: what was heard but never said, and the evidence for it."""
