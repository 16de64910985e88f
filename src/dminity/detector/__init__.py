"""The detector: YOLOX in six sizes, its weights, its training and its predictions."""
