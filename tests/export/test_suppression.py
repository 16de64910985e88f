"""Non-maximum suppression inside of an ONNX file, on predictions written by hand."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import parser

from dminity.export.suppression import write_with_suppression
from dminity.runtime.nms import to_detections

# A network that gives what it is given.
NETWORK = """
<ir_version: 10, opset_import: ["": 20], metadata_props: ["variant": "yolox_nano"]>
network (float[batch, anchors, COLUMNS] images) => (float[batch, anchors, COLUMNS] predictions)
{ predictions = Identity(images) }
"""
KINDS = ("Couch", "Bed", "Sofa bed")
Found = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file."""
    return write(tmp_path_factory.mktemp("suppression"), ("Bed", "Sink"))


def write(folder: Path, classes: tuple[str, ...]) -> Path:
    """The file of a detector of some classes."""
    network = NETWORK.replace("COLUMNS", str(5 + len(classes)))
    onnx.save(parser.parse_model(network), folder / "network.onnx")
    write_with_suppression(folder / "network.onnx", folder / "nms.onnx", classes)
    return folder / "nms.onnx"


def suppressed(
    path: Path, *rows: tuple[float, ...], min_score: float = 0.01, nms_iou: float = 0.65
) -> Found:
    """Boxes, scores and classes of rows of cx, cy, w, h, objectness, class scores."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    feeds = {"images": rows, "min_score": min_score, "nms_iou": nms_iou}
    inputs = {name: np.array(value, np.float32) for name, value in feeds.items()}
    inputs["images"] = inputs["images"].reshape(1, len(rows), -1)
    boxes, scores, class_ids = session.run(["boxes", "scores", "class_ids"], inputs)
    return boxes, scores, class_ids


def test_boxes_come_best_first_whatever_their_class(written: Path) -> None:
    boxes, scores, class_ids = suppressed(
        written,
        (20, 20, 20, 20, 0.5, 0.8, 0.1),
        (21, 20, 20, 20, 0.5, 0.7, 0.1),  # the same thing again
        (40, 20, 10, 10, 0.9, 0.1, 0.9),
        (-40, 20, 10, 10, 0.01, 0.1, 0.9),  # hardly anything
        (5, 5, 20, 30, 0.5, 0.3, 0.2),
    )
    np.testing.assert_allclose(boxes, [[35, 15, 45, 25], [10, 10, 30, 30], [-5, -10, 15, 20]])
    np.testing.assert_allclose(scores, [0.81, 0.4, 0.15])
    assert class_ids.tolist() == [1, 0, 0]
    assert [each.dtype.name for each in (boxes, scores, class_ids)] == [
        "float32",
        "float32",
        "int64",
    ]


def test_things_of_two_classes_in_one_place_both_stay_and_an_anchor_is_of_one(
    written: Path,
) -> None:
    _, scores, class_ids = suppressed(
        written, (20, 20, 20, 20, 1, 0.8, 0.7), (20, 20, 20, 20, 1, 0.1, 0.6)
    )
    np.testing.assert_allclose(scores, [0.8, 0.6])
    assert class_ids.tolist() == [0, 1]


@pytest.mark.parametrize("seed", range(4))
def test_of_kinds_it_says_what_numpy_says(tmp_path: Path, seed: int) -> None:
    draw = np.random.default_rng(seed)
    rows = draw.uniform(0, 1, (300, 8)).astype(np.float32)
    rows[:, :4] = rows[:, :4] * 60 + 20
    boxes, scores, class_ids = suppressed(write(tmp_path, KINDS), *map(tuple, rows))
    # A photo as large as the input, of whose edges nothing is cut off.
    rows[:, :2] += 100
    expected = to_detections(rows, KINDS, (400, 400), (400, 400))
    assert len(expected.scores) > 50
    np.testing.assert_array_equal(class_ids, expected.class_ids)
    np.testing.assert_array_equal(scores, expected.scores.astype(np.float32))
    np.testing.assert_allclose(boxes + 100, expected.xyxy_pixels, atol=1e-3)


def test_limits_are_inputs(written: Path) -> None:
    # Their IoU is a third.
    rows = ((20, 20, 20, 20, 1, 0.8, 0), (30, 20, 20, 20, 1, 0.6, 0))
    assert len(suppressed(written, *rows)[1]) == 2
    assert len(suppressed(written, *rows, nms_iou=0.34)[1]) == 2
    assert len(suppressed(written, *rows, nms_iou=0.33)[1]) == 1
    assert len(suppressed(written, *rows, min_score=0.7)[1]) == 1


def test_nothing_found_is_empty_and_not_an_error(written: Path) -> None:
    boxes, scores, class_ids = suppressed(written, (20, 20, 20, 20, 0.0, 0.8, 0.1))
    assert boxes.shape == (0, 4)
    assert scores.shape == class_ids.shape == (0,)


def test_the_metadata_stay(written: Path) -> None:
    (metadata,) = onnx.load(written).metadata_props
    assert (metadata.key, metadata.value) == ("variant", "yolox_nano")
