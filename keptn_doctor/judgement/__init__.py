"""The pure half: findings, causes, verdicts, the report. Nothing here waits or fails."""
