"""Detect 30 home amenities in photos: from Open Images to a small, fast YOLOX, versioned by DVC."""

import os

# Nothing is reported to anyone. Libraries read these when they are imported.
for _variable, _value in {
    # ONNX Runtime's Linux wheels, from 1.29 on.
    "ORT_DISABLE_TELEMETRY": "1",
    "FIFTYONE_DO_NOT_TRACK": "true",
    # DVC, which the project's .dvc/config tells too, and the package that its makers share.
    "DVC_NO_ANALYTICS": "true",
    "ITERATIVE_DO_NOT_TRACK": "true",
}.items():
    os.environ.setdefault(_variable, _value)
