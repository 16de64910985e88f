"""How good a detector is. Knows arrays, not the detector."""
