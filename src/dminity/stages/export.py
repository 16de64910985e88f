"""export: the detector as ONNX, refused if it does not do what the original does."""

import json

from torch.utils.data import DataLoader
from tqdm import tqdm

from dminity.core.errors import DminityError
from dminity.core.files import replacing_file
from dminity.core.stage import METRICS, MODEL, ONNX, VOC, run
from dminity.data import voc
from dminity.export.onnx import difference, write_onnx
from dminity.network.detector import load, network_input
from dminity.network.prediction import PlainPhotos
from dminity.params import load_params

# A full batch and a partial one.
COMPARED_PHOTOS = 12
BATCH_SIZE = 8


class ExportDiffers(DminityError):
    """The exported model does not do what the original does."""


def main() -> None:
    """Export, compare on test photos, and keep the file only within the tolerance."""
    params = load_params()
    detector = load(MODEL)
    annotations = voc.read_split(VOC, "test")[:COMPARED_PHOTOS]
    photos = DataLoader(PlainPhotos(VOC, annotations, detector.input_size), BATCH_SIZE)
    with replacing_file(ONNX) as path:
        write_onnx(detector, path)
        batches = [network_input(images) for images, _ in tqdm(photos, "export")]
        found = difference(detector, path, batches)
        # Asked this way round, a difference that is no number is refused too.
        if not (
            found.box_pixels <= params.export.box_tolerance
            and found.score <= params.export.score_tolerance
        ):
            raise ExportDiffers(
                f"the ONNX model differs by {found.box_pixels:.2g} pixels and {found.score:.2g} "
                "in score; raise export.box_tolerance or export.score_tolerance if you can take it"
            )
    with replacing_file(METRICS / "export.json") as path:
        figures = {
            "images": len(annotations),
            "box_difference_pixels": found.box_pixels,
            "score_difference": found.score,
            "size_mb": round(ONNX.stat().st_size / 1e6, 3),
        }
        path.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    run(main)
