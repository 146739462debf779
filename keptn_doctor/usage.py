"""What a user did wrong on the command line, in the environment or in a file."""

from __future__ import annotations


class UsageError(Exception):
    """One clear line: what is wrong, where, and what to do; ends the run with exit code 2."""
