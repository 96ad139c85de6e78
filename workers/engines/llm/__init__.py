"""Engines of the environment `llm`: a language model behind an endpoint that speaks as OpenAI's does."""
