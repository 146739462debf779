"""What a run asks of a Kubernetes API: the one table, and what is made of it."""
