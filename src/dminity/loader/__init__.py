"""Photos as training sees them: read once, augmented, dealt out in batches."""
