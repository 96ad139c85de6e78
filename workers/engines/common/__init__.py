"""The engines of the environment `common`: they need no model and no weights."""
