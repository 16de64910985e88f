"""An exported detector finds what the network finds."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

from dminity.network.detector import load_detector
from dminity.runtime.detector import load_onnx
from dminity.runtime.finding import BoxThresholds, from_thresholds
from dminity.runtime.model_file import BadOnnxFile
from tests.helpers.onnx_models import with_metadata, write_bright_model


@pytest.mark.slow
def test_it_finds_what_the_network_finds(trained: tuple[Path, Path], exported: Path) -> None:
    network = load_detector(trained[0])
    detector = load_onnx(exported, threads=1)
    assert detector.description.classes == network.classes
    paths = sorted((trained[0].parent / "voc/JPEGImages").glob("*.jpg"))[:8]
    photos = [np.asarray(cv2.imread(str(path)), np.uint8) for path in paths]
    # Other sizes and sides than those that it has learned.
    photos.append(np.asarray(cv2.resize(photos[0], (333, 97)), np.uint8))
    photos.append(np.rot90(photos[1]).copy())
    count = 0
    # A box whose score is just the limit may be on either side of it.
    lowest = BoxThresholds([0.011] * len(network.classes), 0.0)
    for photo, ours, theirs in zip(
        photos, detector.find(photos), network.find(photos), strict=True
    ):
        ours, theirs = from_thresholds(ours, lowest), from_thresholds(theirs, lowest)
        assert len(ours.scores) == len(theirs.scores)
        # The same boxes in the same places, whichever of two that are as good comes first.
        order, others = np.lexsort(ours.xyxy_pixels.T), np.lexsort(theirs.xyxy_pixels.T)
        at_input_scale = max(1.0, max(photo.shape) / max(network.input_size))
        np.testing.assert_array_equal(ours.class_ids[order], theirs.class_ids[others])
        np.testing.assert_allclose(ours.scores[order], theirs.scores[others], atol=1e-4)
        np.testing.assert_allclose(
            ours.xyxy_pixels[order], theirs.xyxy_pixels[others], atol=0.1 * at_input_scale, rtol=0
        )
        count += len(ours.scores)
    assert count > 40


def cut_off(path: Path) -> None:
    """Leave the first half of a model."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def a_folder(path: Path) -> None:
    """A folder in place of the file."""
    path.unlink()
    path.mkdir()


def described(**changes: str | None) -> Callable[[Path], None]:
    """A model that says something else of itself, or nothing."""

    def change(path: Path) -> None:
        there = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
        metadata = {name: text for name, text in (there | changes).items() if text is not None}
        with_metadata(path, path, metadata)

    return change


def of_one_shape(path: Path) -> None:
    """A model whose input has sides that are numbers."""
    model = onnx.load(path)
    for dimension in model.graph.input[0].type.tensor_type.shape.dim[2:]:
        dimension.dim_value = 64
    onnx.save(model, path)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "no such file; get it by `dvc pull models/model.onnx`"),
    "a folder": (a_folder, "is a folder"),
    "empty": (lambda path: path.write_bytes(b""), "cut off or damaged, or no ONNX model"),
    "cut off": (cut_off, "cut off or damaged, or no ONNX model"),
    "text": (lambda path: path.write_text("weights"), "cut off or damaged, or no ONNX model"),
    "of another kind": (
        described(variant=None, classes=None, input_size=None, thresholds=None),
        "is an ONNX model, and none of dminity",
    ),
    "of an older version": (described(thresholds=None), "no thresholds: an older version wrote it"),
    "of one shape": (of_one_shape, "takes photos of one shape only: an older version wrote it"),
    "fewer thresholds": (described(thresholds="[0.5]"), "1 thresholds for 2 classes"),
    "no numbers": (described(thresholds='["a", "b"]'), "its metadata are damaged"),
    "no number": (described(thresholds="[NaN, 0.5]"), "its metadata are damaged"),
    "no JSON": (described(classes="[Bed"), "its metadata are damaged"),
    "no list": (described(classes='"ab"'), "its metadata are damaged"),
    "names that control a terminal": (
        described(classes='["\\u001b[31mBed", "Sink"]'),
        "its metadata are damaged",
    ),
    "a name twice": (described(classes='["Bed", "Bed"]'), "its metadata are damaged"),
    "nested without end": (described(classes="[" * 100_000), "its metadata are damaged"),
    "of no size": (described(input_size="[0, 0]"), "its metadata are damaged"),
    "of less than no size": (described(input_size="[-64, 64]"), "its metadata are damaged"),
    "of any size": (described(input_size="[1e999, 64]"), "its metadata are damaged"),
    "another number of classes": (
        described(classes='["Bed"]', thresholds="[0.5]"),
        "names 1 classes and gives 7 numbers for each anchor, not 6",
    ),
    "no strides": (described(input_size="[64, 60]"), "its metadata are damaged"),
    "one side": (described(input_size="[64]"), "its metadata are damaged"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_used_is_named_with_the_mend(name: str, tmp_path: Path) -> None:
    path = write_bright_model(tmp_path / "model.onnx")
    spoil, reason = BAD[name]
    spoil(path)
    with pytest.raises(BadOnnxFile, match=reason) as caught:
        load_onnx(path, threads=1)
    assert str(path) in str(caught.value)
    assert "`dvc " in str(caught.value)
    assert "\n" not in str(caught.value)
