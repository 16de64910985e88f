"""Where photos and their boxes come from."""
