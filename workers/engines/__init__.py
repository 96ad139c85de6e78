"""The engines, one module or package an environment; only these import model libraries."""
