"""What facts mean, in words that checks and verdicts share. Pure."""
