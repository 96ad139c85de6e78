"""Tests of the choice of models."""
