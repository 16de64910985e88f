"""Starting from trained weights."""

import hashlib
from pathlib import Path

import pytest
import torch

from dminity.core.amenities import COCO_TWIN, NAMES
from dminity.network.detector import (
    BadModelFile,
    build_network,
)
from dminity.training import pretrained
from dminity.training.pretrained import start_from
from tests.helpers.detectors import nano, save_nano
from tests.helpers.http_server import http_server
from tests.helpers.mirror import COCO_CHECKPOINT

NOWHERE = "http://127.0.0.1:9"


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
    with pytest.raises(BadModelFile, match=r"nano\.pth holds yolox_nano; set model=yolox_nano"):
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
        pytest.raises(BadModelFile, match=r"is not the official yolox_nano: it has \d+ bytes"),
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
