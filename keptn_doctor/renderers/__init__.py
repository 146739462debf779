"""One file per format: a Report becomes text, nothing else."""
