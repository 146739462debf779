"""Checks of Acme's platform team, found through the entry point in pyproject.toml."""
