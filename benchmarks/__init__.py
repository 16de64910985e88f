"""Speed and memory against named peers, as ratios from one interleaved run."""
