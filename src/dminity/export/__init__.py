"""A detector in the formats that other programs run."""
