"""Photos from a source onto the disk: downloaded and verified."""
