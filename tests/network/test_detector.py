"""The network, its file, its weights, its inputs and outputs."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from yolox.data.data_augment import preproc
from yolox.models import YoloxModule

from dminity.core.amenities import COCO_TWIN, NAMES
from dminity.detection.letterbox import letterbox, network_input, scale_to_fit, unletterbox
from dminity.network.detector import (
    BadModelFile,
    Detector,
    build_network,
    load_detector,
    save_detector,
)
from dminity.network.prediction import to_detections
from dminity.training import pretrained
from dminity.training.pretrained import start_from
from tests.conftest import http_server
from tests.helpers.detectors import random_detector
from tests.helpers.mirror import COCO_CHECKPOINT

NOWHERE = "http://127.0.0.1:9"


def nano(classes: int = 2) -> YoloxModule:
    """A small network in evaluation mode, the same every time."""
    torch.manual_seed(0)
    return build_network("yolox_nano", classes).eval()


def save_nano(path: Path) -> None:
    """Write that network as a detector of two classes."""
    save_detector(nano().state_dict(), "yolox_nano", ("Bed", "Sink"), (64, 96), path)


def test_a_saved_detector_finds_the_same(tmp_path: Path) -> None:
    detector = Detector(nano(), "yolox_nano", ("Bed", "Sink"), (64, 96))
    save_detector(
        detector.network.state_dict(),
        "yolox_nano",
        ("Bed", "Sink"),
        (64, 96),
        tmp_path / "model.pth",
    )
    loaded = load_detector(tmp_path / "model.pth")
    assert (loaded.variant, loaded.classes, loaded.input_size) == (
        "yolox_nano",
        ("Bed", "Sink"),
        (64, 96),
    )
    image = torch.rand(1, 3, 64, 96) * 255
    with torch.inference_mode():
        torch.testing.assert_close(loaded.network(image), detector.network(image))


@pytest.mark.parametrize("variant", ["yolox_nano", "yolox_tiny", "yolox_s", "yolox_m"])
def test_variants_have_the_published_sizes(variant: str) -> None:
    published = {"yolox_nano": 0.91, "yolox_tiny": 5.06, "yolox_s": 9.0, "yolox_m": 25.3}
    count = sum(weights.numel() for weights in build_network(variant, 80).parameters())
    assert count / 1e6 == pytest.approx(published[variant], rel=0.01)


class Hostile:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("code ran",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"model": Hostile()}, r"holds more than weights and is not opened; save it as"),
        ({"weights": torch.zeros(2)}, r"is no model of dminity; run `dvc repro train`"),
        ([1, 2], r"holds a list; save it as a state_dict"),
    ],
)
def test_a_file_that_is_no_model_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: object, message: str
) -> None:
    torch.save(content, tmp_path / "model.pth")
    with pytest.raises(BadModelFile, match=rf"model\.pth {message}"):
        load_detector(tmp_path / "model.pth")
    assert "code ran" not in capsys.readouterr().out


def test_a_plain_pickle_with_code_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pth").write_bytes(pickle.dumps(Hostile(), protocol=2))
    with pytest.raises(BadModelFile, match=r"model\.pth holds more than weights"):
        load_detector(tmp_path / "model.pth")


def test_a_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadModelFile, match=r"model\.pth is not there; run `dvc pull` or"):
        load_detector(tmp_path / "model.pth")
    save_nano(tmp_path / "model.pth")
    content = (tmp_path / "model.pth").read_bytes()
    (tmp_path / "model.pth").write_bytes(content[: len(content) // 2])
    with pytest.raises(BadModelFile, match=r"model\.pth is damaged: .*; fetch it again"):
        load_detector(tmp_path / "model.pth")


@pytest.fixture
def coco_like(tmp_path: Path) -> Path:
    """A checkpoint in the layout of the official COCO release, its weights random."""
    path = tmp_path / "yolox_nano.pth"
    torch.save({"model": nano(80).state_dict()}, path)
    return path


def test_twins_take_cocos_rows_and_the_rest_of_the_network_is_cocos(coco_like: Path) -> None:
    network = build_network("yolox_nano", len(NAMES))
    fresh = {key: value.clone() for key, value in network.state_dict().items()}
    start_from(network, str(coco_like), NOWHERE, "yolox_nano", NAMES)
    coco = torch.load(coco_like, weights_only=True)["model"]
    for key, value in network.state_dict().items():
        if "cls_preds" not in key:
            torch.testing.assert_close(value, coco[key])
            continue
        for row, name in enumerate(NAMES):
            unsure = fresh[key][row] if key.endswith("bias") else torch.zeros_like(fresh[key][row])
            expected = coco[key][COCO_TWIN[name]] if name in COCO_TWIN else unsure
            torch.testing.assert_close(value[row], expected)


def test_a_checkpoint_of_ours_is_loaded_whole(tmp_path: Path) -> None:
    save_nano(tmp_path / "model.pth")
    network = build_network("yolox_nano", 2)
    start_from(network, str(tmp_path / "model.pth"), NOWHERE, "yolox_nano", ("Bed", "Sink"))
    saved = nano().state_dict()
    for key, value in network.state_dict().items():
        torch.testing.assert_close(value, saved[key])


def test_a_checkpoint_of_another_variant_is_refused(coco_like: Path) -> None:
    network = build_network("yolox_tiny", 2)
    with pytest.raises(BadModelFile, match=r"nano\.pth holds no yolox_tiny; set `model` to"):
        start_from(network, str(coco_like), NOWHERE, "yolox_tiny", ("Bed", "Sink"))


@pytest.mark.parametrize("classes", [("Bed", "Towel"), ("Bed", "Sink", "Towel")])
def test_a_checkpoint_of_other_classes_is_refused(tmp_path: Path, classes: tuple[str, ...]) -> None:
    save_nano(tmp_path / "model.pth")
    network = build_network("yolox_nano", len(classes))
    with pytest.raises(BadModelFile, match=r"has 2 other classes than the \d chosen here; set"):
        start_from(network, str(tmp_path / "model.pth"), NOWHERE, "yolox_nano", classes)


@pytest.fixture
def release(tmp_path: Path, coco_like: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to serve as the release page, whose file has the checksum that is kept."""
    (tmp_path / "release").mkdir()
    path = coco_like.rename(tmp_path / "release" / "yolox_nano.pth")
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(pretrained, "CACHE", tmp_path / "cache")
    monkeypatch.setitem(pretrained.RELEASE_SHA256, "yolox_nano", checksum)
    return path.parent


def test_coco_weights_are_downloaded_once(release: Path) -> None:
    network = build_network("yolox_nano", len(NAMES))
    with http_server(release) as address:
        start_from(network, "coco", address, "yolox_nano", NAMES)
    # The server is gone: the second time is from the cache.
    start_from(network, "coco", address, "yolox_nano", NAMES)
    coco = torch.load(release / "yolox_nano.pth", weights_only=True)["model"]
    key = "backbone.backbone.stem.conv.conv.weight"
    torch.testing.assert_close(network.state_dict()[key], coco[key])


def test_a_download_with_another_checksum_is_refused(
    release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pretrained.RELEASE_SHA256, "yolox_nano", "0" * 64)
    with (
        http_server(release) as address,
        pytest.raises(BadModelFile, match=r"is not the official yolox_nano: its SHA-256 is"),
    ):
        pretrained.download(address, "yolox_nano")
    assert not (pretrained.CACHE / "yolox_nano.pth").exists()


def test_a_release_that_is_not_there_is_named(release: Path) -> None:
    with (
        http_server(release) as address,
        pytest.raises(BadModelFile, match=r"yolox_tiny\.pth: .*; check train\.release"),
    ):
        pretrained.download(address, "yolox_tiny")


def test_every_variant_has_a_checksum() -> None:
    assert set(pretrained.RELEASE_SHA256) == {
        "yolox_nano", "yolox_tiny", "yolox_s", "yolox_m", "yolox_l", "yolox_x",
    }  # fmt: skip


if COCO_CHECKPOINT.exists():

    def test_the_real_coco_checkpoint_detects_its_nine_amenities_at_once() -> None:
        network = build_network("yolox_nano", len(NAMES)).eval()
        start_from(network, str(COCO_CHECKPOINT), NOWHERE, "yolox_nano", NAMES)
        original = build_network("yolox_nano", 80).eval()
        original.load_state_dict(torch.load(COCO_CHECKPOINT, weights_only=True)["model"])
        image = torch.rand(1, 3, 128, 128) * 255
        with torch.inference_mode():
            ours, theirs = network(image), original(image)
        torch.testing.assert_close(ours[..., :5], theirs[..., :5])
        for name, twin in COCO_TWIN.items():
            torch.testing.assert_close(ours[..., 5 + NAMES.index(name)], theirs[..., 5 + twin])


@given(st.integers(1, 900), st.integers(1, 900), st.sampled_from([(64, 64), (96, 160)]))
def test_boxes_return_from_the_letterbox_to_where_they_were(
    height: int, width: int, input_size: tuple[int, int]
) -> None:
    scale = min(input_size[0] / height, input_size[1] / width)
    whole = np.array([[0, 0, width * scale, height * scale]])
    expected = np.array([[0, 0, width, height]], float)
    np.testing.assert_allclose(unletterbox(whole, height, width, input_size), expected, rtol=1e-9)


@given(st.integers(2, 300), st.integers(2, 300))
def test_the_letterbox_is_yoloxs_own(height: int, width: int) -> None:
    scale = scale_to_fit(height, width, (128, 192))
    assume(min(int(height * scale), int(width * scale)) > 0)  # YOLOX's own fails there
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    image = letterbox(photo, (128, 192))
    expected, _ = preproc(photo, (128, 192))
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(network_input(torch.from_numpy(image)[None])[0], expected)


def one_hot_outputs(*boxes: tuple[float, ...]) -> torch.Tensor:
    """Network output [1, N, 5 + 2] with these rows: cx, cy, w, h, objectness, two scores."""
    return torch.tensor([boxes])


def test_detections_come_best_first_in_the_photos_pixels() -> None:
    outputs = one_hot_outputs(
        (20, 20, 20, 20, 0.5, 0.8, 0.1),
        (21, 20, 20, 20, 0.5, 0.7, 0.1),  # the same thing again
        (40, 20, 10, 10, 0.9, 0.1, 0.9),
        (40, 20, 10, 10, 0.01, 0.1, 0.9),  # hardly anything
    )
    before = outputs.clone()
    (found,) = to_detections(outputs, [(128, 128)], (64, 64))
    np.testing.assert_allclose(found.xyxy_pixels, [[70, 30, 90, 50], [20, 20, 60, 60]], rtol=1e-5)
    np.testing.assert_allclose(found.scores, [0.81, 0.4], rtol=1e-5)
    assert found.class_ids.tolist() == [1, 0]
    torch.testing.assert_close(outputs, before)


def test_nothing_found_is_empty_and_not_an_error() -> None:
    outputs = one_hot_outputs((20, 20, 20, 20, 0.0, 0.8, 0.1))
    (found,) = to_detections(outputs, [(128, 128)], (64, 64))
    assert found.xyxy_pixels.shape == (0, 4)
    assert found.scores.shape == found.class_ids.shape == (0,)


def test_photos_of_any_size_are_found_in_alike_alone_and_together() -> None:
    detector = random_detector(seed=0)
    draw = np.random.default_rng(0)
    photos = [draw.integers(0, 256, (*size, 3), np.uint8) for size in ((48, 80), (200, 90), (7, 3))]
    together = detector.find(photos)
    assert len(together) == len(photos)
    for photo, found in zip(photos, together, strict=True):
        (alone,) = detector.find([photo])
        height, width = photo.shape[:2]
        assert len(found.scores) > 1
        assert (found.xyxy_pixels <= [width, height, width, height]).all()
        np.testing.assert_allclose(found.xyxy_pixels, alone.xyxy_pixels, atol=1e-3)
        np.testing.assert_allclose(found.scores, alone.scores, atol=1e-5)
