"""Models: the registry, the store, and how a model gets into it."""
