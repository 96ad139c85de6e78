"""An environment on the disk: built whole or not at all, upgraded, copied, locked."""
