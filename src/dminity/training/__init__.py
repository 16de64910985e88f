"""How a detector learns: the loop, what is kept of it, and on what hardware."""
