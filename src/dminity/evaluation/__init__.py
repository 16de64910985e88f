"""How good a detector is, from arrays; and what it costs."""
