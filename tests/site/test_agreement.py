"""The page finds what Python finds in the same photos: within a pixel, within 0.01 in score."""

from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser

from dminity.network.detector import Detector, build_network
from dminity.runtime.detector import load_onnx
from dminity.runtime.finding import BoxThresholds, Seen, find_all
from dminity.runtime.inputs import find_inputs, pictures
from dminity.site.assembly import write_site
from tests.helpers.browser import Box, boxes, choose, visit
from tests.helpers.detectors import random_detector
from tests.helpers.http_server import http_server
from tests.helpers.mirror import COCO_CHECKPOINT, REAL_MIRROR
from tests.helpers.onnx_models import export
from tests.site.test_modules import encoded, turned

pytestmark = pytest.mark.slow

PIXEL, SCORE = 1.0, 0.01
THRESHOLD = 0.3


def in_python(model: Path, photos: Path) -> list[Box]:
    """What Python finds in a folder of photos, photo by photo, the worse first, as the page."""
    detector = load_onnx(model, 1)
    thresholds = BoxThresholds([THRESHOLD] * len(detector.description.classes), THRESHOLD)
    results = find_all(
        pictures(find_inputs([str(photos)]), 1.0), detector, thresholds, lambda *_: None, 1
    )
    found: list[Box] = []
    for seen in results:
        assert isinstance(seen, Seen)
        names = [detector.description.classes[number] for number in seen.found.class_ids]
        corners = seen.found.xyxy_pixels.tolist()
        found += reversed(list(zip(names, seen.found.scores.tolist(), corners, strict=True)))
    return found


def on_page(browser: Browser, folder: Path, model: Path, photos: Path, cache: Path) -> list[Box]:
    """What the page shows of the same photos."""
    write_site(folder / "site", model, cache)
    files = {path.name: path.read_bytes() for path in sorted(photos.iterdir())}
    with http_server(folder / "site") as address, visit(browser, address) as page:
        choose(page, files)
        # So that all boxes count: by the model's thresholds the best one of a class is shown and
        # lower ones are not, and of two that are nearly as good either side may take another.
        page.locator("#score").fill(f"{THRESHOLD * 100:g}")
        return boxes(page)


def assert_agree(found: list[Box], expected: list[Box]) -> None:
    """Hold the boxes of the page to those of Python; those at the threshold may be missing."""
    for some, others in ((found, expected), (expected, found)):
        for name, score, corners in some:
            if score < THRESHOLD + SCORE:
                continue
            assert any(
                name == other_name
                and abs(score - other_score) < SCORE
                and np.abs(np.subtract(corners, other_corners)).max() < PIXEL
                for other_name, other_score, other_corners in others
            ), (name, score, corners)


def test_photos_of_all_kinds(browser: Browser, tmp_path: Path, cache: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    # Small enough for both to look at every pixel: the input has 96 x 64.
    small = (127, 111)
    (photos / "turned.jpg").write_bytes(turned(6))
    (photos / "transparent.png").write_bytes(encoded("RGBA", "PNG"))
    (photos / "odd.jpg").write_bytes(encoded("RGB", "JPEG", size=small, quality=90))
    (photos / "odd.webp").write_bytes(encoded("RGB", "WEBP", size=small))
    model = export(random_detector(seed=0), tmp_path / "model.onnx", THRESHOLD)
    expected = in_python(model, photos)
    assert len(expected) > 20
    assert_agree(on_page(browser, tmp_path, model, photos, cache), expected)


@pytest.mark.skipif(not COCO_CHECKPOINT.exists(), reason="the photos are not at hand")
def test_real_photos_and_a_trained_network(browser: Browser, tmp_path: Path, cache: Path) -> None:
    network = build_network("yolox_nano", 80)
    network.load_state_dict(torch.load(COCO_CHECKPOINT, weights_only=True)["model"])
    names = tuple(f"class {number}" for number in range(80))
    detector = Detector(network.eval(), "yolox_nano", names, (416, 416))
    model = export(detector, tmp_path / "model.onnx", THRESHOLD)
    photos = REAL_MIRROR / "open-images-dataset" / "test"
    expected = in_python(model, photos)
    assert len(expected) > 20
    assert_agree(on_page(browser, tmp_path, model, photos, cache), expected)
