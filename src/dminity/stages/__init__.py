"""The DVC stages, one `main` each: the only readers of params.yaml, the only writers of results."""
