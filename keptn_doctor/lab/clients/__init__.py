"""The lab's distributors and SDK clients: their calls, their past, their ports."""
