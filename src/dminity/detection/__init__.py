"""The vocabulary of detection, in NumPy and OpenCV: boxes, detections, letterbox, pictures."""
