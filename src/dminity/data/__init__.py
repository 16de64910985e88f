"""Tables, photos and annotations on disk, and what makes one of another."""
