"""Validation: its losses, and when it comes."""

import shutil
from pathlib import Path

import pytest
import torch
from yolox.models import YoloxHead, YoloxModule

from dminity.data import voc
from dminity.loader.validation_photos import ValidationPhotos
from dminity.network.detector import build_network
from tests.helpers.room_folder import SIDE
from tests.helpers.training_runs import rows, run, settings

pytestmark = pytest.mark.slow


@pytest.mark.filterwarnings("ignore:.*torch.cuda.amp.autocast.*:FutureWarning")
def test_validation_losses_are_the_librarys_own(rooms: Path, tmp_path: Path) -> None:
    # With one step of no length, the averaged weights are those that training started from.
    chosen = {"epochs": 1, "lr": 1e-30, "muon_lr": 1e-30, "batch_size": 12, "no_aug": 0.0}
    run(rooms, tmp_path / "run", **chosen)
    torch.manual_seed(settings().seed)
    network = build_network("yolox_nano", 30).eval()
    network.__class__, network.head.__class__ = YoloxModule, YoloxHead
    network.training = network.head.training = network.head.use_l1 = True
    plain = ValidationPhotos(rooms, "validation", voc.read_classes(rooms), (96, 96))
    images = torch.stack([plain[index][0] for index in range(5)]).permute(0, 3, 1, 2).float()
    targets = torch.zeros(5, 120, 5)
    for row, annotation in zip(targets, plain.annotations, strict=True):
        for place, item in enumerate(annotation.objects):
            left, top, right, bottom = (side * 96 / SIDE for side in item.xyxy_pixels)
            label = voc.read_classes(rooms).index(item.label)
            box = [label, (left + right) / 2, (top + bottom) / 2, right - left, bottom - top]
            row[place] = torch.tensor(box)
    with torch.no_grad():
        expected = network(images, targets)
    found = {name: table[0][1] for name, table in rows(tmp_path / "run" / "live").items()}
    # Batch norm statistics have followed the photos by a step, which the sizes of boxes feel most.
    for ours, theirs, within in (
        ("loss", "total", 0.01),
        ("box_loss", "iou", 0.01),
        ("cls_loss", "cls", 0.01),
        ("l1_loss", "l1", 0.05),
    ):
        wanted = float(expected[f"{theirs}_loss"])
        assert found[f"val/{ours}"] == pytest.approx(wanted, rel=within)


def test_trained_weights_are_scored_before_the_first_step(
    trained: tuple[Path, Path], tmp_path: Path
) -> None:
    model, live = trained
    folder = model.parent / "voc"
    # Steps that can only do harm: the weights of the start are the best, and are what comes back.
    harmful = {"input_size": 128, "batch_size": 8, "lr": 0.5, "warmup": 0.0}
    weights = run(folder, tmp_path / "run", pretrained=str(model), **harmful)
    scores = rows(tmp_path / "run" / "live")["val/mAP50-95"]
    assert [step for step, _ in scores] == [0, 1, 2]
    best = max(value for _, value in rows(live)["val/mAP50-95"])
    assert scores[0][1] == pytest.approx(best)
    assert scores[0][1] > max(value for _, value in scores[1:])
    start = torch.load(model, weights_only=True)["model"]
    assert all(torch.equal(weights[name], value) for name, value in start.items())


def test_where_validation_tells_nothing_the_last_weights_are_delivered(
    trained: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, _ = trained
    folder = shutil.copytree(model.parent / "voc", tmp_path / "voc")
    for image_id in voc.read_ids(folder, "validation"):
        path = voc.annotation_path(folder, image_id)
        path.write_text(path.read_text().replace("<difficult>0<", "<difficult>1<"))
    # Its rooms are those of training, which then teaches only that nothing is there.
    weights = run(folder, tmp_path / "run", pretrained=str(model), input_size=128, patience=1)
    assert [step for step, _ in rows(tmp_path / "run" / "live")["val/mAP50"]] == [0, 1, 2]
    last = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)["state_dict"]
    assert all(torch.equal(value, last[f"average.{name}"]) for name, value in weights.items())
    said = capsys.readouterr().err
    assert "no box counts in the validation photos" in said
    assert "the weights are those of the last one" in said
