"""Two clusters on the loopback: the embedded default world of demo and tests."""
