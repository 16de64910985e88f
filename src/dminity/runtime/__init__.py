"""The lean path from a photo to what is in it: NumPy, OpenCV, Pillow and ONNX Runtime."""
