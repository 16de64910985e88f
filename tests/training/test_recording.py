"""What a training writes down."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from dminity.evaluation.coco import score
from dminity.training import validation
from tests.helpers.room_folder import SIDE
from tests.helpers.training_runs import COUNTS, rows, run

pytestmark = pytest.mark.slow

LOSSES = {"loss", "box_loss", "obj_loss", "cls_loss", "l1_loss"}
EXPECTED_ROWS = {f"train/{name}" for name in {*LOSSES, "num_fg"}}
EXPECTED_ROWS |= {f"val/{name}" for name in LOSSES}
EXPECTED_ROWS |= {f"val/{name}" for name in ("mAP50", "mAP50-95", "precision", "recall")}
EXPECTED_ROWS |= {f"x/lr{group}" for group in range(4)}
SPEED = {f"speed/{name}" for name in ("images_per_second", "waiting_for_data", "peak_memory_gb")}


def test_a_row_per_epoch_tells_losses_scores_rates_and_speed(rooms: Path, tmp_path: Path) -> None:
    run(rooms, tmp_path / "run", epochs=3, no_aug=0.34)
    found = rows(tmp_path / "run" / "live")
    assert {name: [step for step, _ in table] for name, table in found.items()} == {
        key: [1, 2, 3] for key in EXPECTED_ROWS | SPEED
    }
    for part in ("train", "val"):
        total = [value for _, value in found[f"{part}/loss"]]
        parts = [
            [value for _, value in found[f"{part}/{name}"]] for name in sorted(LOSSES - {"loss"})
        ]
        np.testing.assert_allclose(np.sum(parts, axis=0), total, rtol=1e-5)
    for name in ("waiting_for_data", "images_per_second", "peak_memory_gb"):
        assert all(value > 0 for _, value in found[f"speed/{name}"])
    assert all(value < 1 for _, value in found["speed/waiting_for_data"])


def test_training_ends_when_validation_settles(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if something were found, and always as much of it.
    monkeypatch.setattr(validation, "score", lambda *given: replace(score(*given), ap=0.5))
    run(rooms, tmp_path / "run", epochs=9, patience=2)
    assert [step for step, _ in rows(tmp_path / "run" / "live")["train/loss"]] == [1, 2, 3]
    # Interrupted after its last epoch, it does not go on.
    run(rooms, tmp_path / "run", epochs=9, patience=2)
    assert [step for step, _ in rows(tmp_path / "run" / "live")["train/loss"]] == [1, 2, 3]


def test_pictures_are_drawn_every_n_epochs(rooms: Path, tmp_path: Path) -> None:
    run(rooms, tmp_path / "run", epochs=4, pictures_every=2)
    pictures = sorted((tmp_path / "run" / "pictures").rglob("*.jpg"))
    assert [path.relative_to(tmp_path / "run" / "pictures").as_posix() for path in pictures] == [
        f"{photo:02}/{epoch:03}.jpg" for photo in range(COUNTS["validation"]) for epoch in (2, 4)
    ]
    picture = cv2.imread(str(pictures[0]))
    assert picture is not None
    assert max(picture.shape) == SIDE


def test_tensorboard_has_the_same_rows(rooms: Path, tmp_path: Path) -> None:
    run(rooms, tmp_path / "run", tensorboard=True)
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard" / "run"))
    events.Reload()
    found = rows(tmp_path / "run" / "live")
    assert set(events.Tags()["scalars"]) == set(found)
    for name, table in found.items():
        logged = [(event.step, event.value) for event in events.Scalars(name)]
        assert logged == [(step, pytest.approx(value, rel=1e-5)) for step, value in table]
