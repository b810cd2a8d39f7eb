"""The use cases. `api` and `share` call nothing else."""
