"""export: the detector as ONNX, refused if it does not do what the original does."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dminity.core.errors import DminityError
from dminity.core.files import replacing_file, write_json
from dminity.core.stage import METRICS, MODEL, ONNX, VOC, run
from dminity.data import voc
from dminity.export.onnx import Difference, difference, write_onnx
from dminity.export.settings import ExportSettings
from dminity.network.detector import Detector, load_detector
from dminity.params import load_params

# A full batch and a partial one.
COMPARED_PHOTOS = 12
BATCH_SIZE = 8


class ExportDiffers(DminityError):
    """The exported model does not do what the original does."""


def main() -> None:
    """Export, compare on test photos, and keep the file only within the tolerance."""
    params = load_params()
    detector = load_detector(MODEL)
    image_ids = voc.read_ids(VOC, "test")[:COMPARED_PHOTOS]
    photos = [voc.read_photo(VOC, image_id) for image_id in image_ids]
    found = export(detector, photos, ONNX, params.export)
    figures = {
        "images": len(photos),
        "box_difference_pixels": found.box_pixels,
        "score_difference": found.score,
        "size_mb": round(ONNX.stat().st_size / 1e6, 3),
    }
    write_json(figures, METRICS / "export.json")


def export(
    detector: Detector,
    photos_bgr: Sequence[NDArray[np.uint8]],
    path: Path,
    settings: ExportSettings,
) -> Difference:
    """Write the detector to `path`, and say how far it is from the original.

    Args:
        detector: the original.
        photos_bgr: what to compare on: [H, W, 3] each, uint8.
        path: where to.
        settings: how far it may be.

    Raises:
        ExportDiffers: if it is too far; the file that was there stays.
    """
    with replacing_file(path) as unfinished:
        write_onnx(detector, unfinished)
        starts = range(0, len(photos_bgr), BATCH_SIZE)
        batches = [detector.inputs(photos_bgr[start : start + BATCH_SIZE]) for start in starts]
        found = difference(detector, unfinished, batches)
        # Asked this way round, a difference that is no number is refused too.
        if not (
            found.box_pixels <= settings.box_tolerance and found.score <= settings.score_tolerance
        ):
            raise ExportDiffers(
                f"the ONNX model differs by {found.box_pixels:.2g} pixels and {found.score:.2g} "
                "in score; raise export.box_tolerance or export.score_tolerance if you can take it"
            )
    return found


if __name__ == "__main__":
    run(main)
