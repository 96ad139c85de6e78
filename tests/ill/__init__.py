"""Engines that misbehave to order, for the stages' real contracts."""
