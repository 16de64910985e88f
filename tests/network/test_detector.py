"""The network, its file, and what it finds."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from dminity.network.detector import (
    BadModelFile,
    Detector,
    build_network,
    load_detector,
    save_detector,
)
from tests.helpers.detectors import nano, random_detector


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
        ({"model": Hostile()}, r"holds more than weights and is not opened; run `dvc"),
        (
            {"weights": torch.zeros(2)},
            r"is no model of dminity; run `dvc pull` or `dvc repro train`",
        ),
        ([1, 2], r"holds a list, no state_dict; run `dvc pull` or"),
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
