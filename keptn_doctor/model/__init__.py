"""The records everything else speaks in: frozen values, no I/O, no clock."""
