"""The three parts that photos are published in."""

SPLITS = ("train", "validation", "test")
