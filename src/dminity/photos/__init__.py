"""Photos as bytes on disk: download, check, resize."""
