"""Detect 30 home amenities in photos: from Open Images to a small, fast YOLOX, versioned by DVC."""
