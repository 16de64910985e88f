"""The YOLOX network: its layers, its losses, its file, and what it finds in photos."""
