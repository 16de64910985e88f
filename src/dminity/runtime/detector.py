"""A detector in an ONNX file, run by ONNX Runtime."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from dminity.core.errors import first_line
from dminity.core.memory import is_out_of_memory
from dminity.detection.detections import MIN_SCORE, NMS_IOU, Detections
from dminity.detection.letterbox import filled_size, letterbox, unletterbox
from dminity.runtime.model_file import BadOnnxFile, Description, described_by
from dminity.runtime.nms import to_detections

# `predictions`: for each anchor, before non-maximum suppression. The others: after it.
RAW_OUTPUTS = ["predictions"]
FINAL_OUTPUTS = ["boxes", "scores", "class_ids"]
# What it would write to stderr is in its errors, too.
FATAL_ERRORS_ONLY = 4
MEND = "run `dvc pull` or `dvc repro export`"
WHERE_FROM = (
    "get it by `dvc pull models/model.onnx` in the project, by `dvc get REPOSITORY "
    "models/model.onnx` elsewhere, or make one by `make repro`; or name another by --model"
)


@dataclass(frozen=True)
class OnnxDetector:
    """An exported network, and what it says of itself.

    `find` is the way from photos to detections, as with `network.detector.Detector`.
    """

    session: onnxruntime.InferenceSession
    description: Description

    def find(self, photos_bgr: Sequence[NDArray[np.uint8]]) -> list[Detections]:
        """What is in each photo [H, W, 3], uint8, BGR, upright; one after the other.

        On a CPU a batch is no faster. Threads may call it at once.
        """
        return [self._find(photo) for photo in photos_bgr]

    def inputs(self, photo_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """A photo [H, W, 3], uint8, as the network takes it: [1, 3, H, W], float32, 0-255."""
        height, width = photo_bgr.shape[:2]
        input_size = self.description.input_size
        seen_size = filled_size(height, width, input_size)
        # What `detection.letterbox.network_input` makes.
        images = cv2.dnn.blobFromImage(letterbox(photo_bgr, input_size, seen_size))
        return images.astype(np.float32, copy=False)

    def _find(self, photo_bgr: NDArray[np.uint8]) -> Detections:
        """What is in one photo."""
        height, width = photo_bgr.shape[:2]
        input_size = self.description.input_size
        images = self.inputs(photo_bgr)
        if self.names() == RAW_OUTPUTS:
            (predictions,) = self.session.run(None, {"images": images})
            return to_detections(
                predictions[0], self.description.classes, (height, width), input_size
            )
        limits = {
            "min_score": np.array(MIN_SCORE, np.float32),
            "nms_iou": np.array(NMS_IOU, np.float32),
        }
        boxes, scores, class_ids = self.session.run(None, {"images": images, **limits})
        return Detections(
            unletterbox(boxes.astype(np.float64), height, width, input_size),
            scores.astype(np.float64),
            class_ids,
        )

    def names(self) -> list[str]:
        """The names of the network's outputs."""
        return [output.name for output in self.session.get_outputs()]


def load_onnx(path: Path, threads: int = 0) -> OnnxDetector:
    """Read an exported detector, to run on the CPU.

    Args:
        path: a file that `dvc repro export` wrote.
        threads: for one photo; 0: as many as there are cores.

    Raises:
        BadOnnxFile: if it is missing, damaged, or another model.
    """
    if not path.exists():
        raise BadOnnxFile(f"{path}: no such file; {WHERE_FROM}")
    if path.is_dir():
        raise BadOnnxFile(f"{path} is a folder; {MEND}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = FATAL_ERRORS_ONLY
    # Between two photos its threads would wait in loops, on the cores that other work needs.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    # It has a kind of error for each of many things that may be wrong with a file.
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise BadOnnxFile(
            f"{path} is cut off or damaged, or no ONNX model: {first_line(error)}; {MEND}"
        ) from error
    detector = OnnxDetector(
        session, described_by(session.get_modelmeta().custom_metadata_map, path)
    )
    _refuse_other_networks(detector, path)
    return detector


def _refuse_other_networks(detector: OnnxDetector, path: Path) -> None:
    """Raise unless a network takes and gives what its description says.

    Raises:
        BadOnnxFile: naming the difference.
    """
    names = detector.names()
    if names not in (RAW_OUTPUTS, FINAL_OUTPUTS):
        raise BadOnnxFile(f"{path} gives {', '.join(names)}; {MEND}")
    sides = detector.session.get_inputs()[0].shape[2:]
    if any(isinstance(side, int) for side in sides):
        raise BadOnnxFile(
            f"{path} takes photos of one shape only: an older version wrote it; {MEND}"
        )
    columns = detector.session.get_outputs()[0].shape[-1]
    classes = len(detector.description.classes)
    if names == RAW_OUTPUTS and columns != 5 + classes:
        raise BadOnnxFile(
            f"{path} names {classes} classes and gives {columns} numbers for each anchor, not "
            f"{5 + classes}; {MEND}"
        )
