"""`auto` in the section `train`: what it is, and that whatever is set stays."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dminity.core.parameters import AUTO, BadParameter
from dminity.params import load_params
from dminity.training.pretrained import side_of
from dminity.training.recipe import settings_of, told
from dminity.training.settings import FixedSettings, TrainSection
from tests.helpers.project import ROOT
from tests.helpers.training_runs import rows, run

CHOSEN = TrainSection.model_fields.keys() - FixedSettings.model_fields.keys()
AS_YOLOX_HAS_THEM = {"yolox_nano": 416, "yolox_tiny": 416, "yolox_s": 640, "yolox_x": 640}


def section(**changes: Any) -> TrainSection:
    """The section `train` with `auto` wherever it may be, from scratch, and with changes."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())["train"]
    own = {"batch_size": 8, "pretrained": "none"}
    return TrainSection.model_validate(params | dict.fromkeys(CHOSEN, AUTO) | own | changes)


def fine_tuning(**changes: Any) -> TrainSection:
    """The same, for trained weights."""
    return section(pretrained="coco", **changes)


@pytest.mark.parametrize(
    ("photos", "epochs"), [(20, 100), (90, 100), (96, 94), (300, 30), (600, 15), (40_000, 15)]
)
def test_from_scratch_fewer_photos_are_seen_more_often(photos: int, epochs: int) -> None:
    chosen = settings_of(section(), "yolox_nano", photos)
    assert (chosen.optimizer, chosen.epochs, chosen.input_size) == ("muon", epochs, 256)


def test_from_scratch_the_variant_changes_nothing() -> None:
    chosen = settings_of(section(), "yolox_nano", 600)
    assert settings_of(section(), "yolox_x", 600) == chosen


@pytest.mark.parametrize(
    ("photos", "epochs", "lr"), [(10, 24, 0.001), (105, 24, 0.01), (150, 17, 0.01), (499, 12, 0.01)]
)
def test_with_few_photos_the_backbone_keeps_still(photos: int, epochs: int, lr: float) -> None:
    chosen = settings_of(fine_tuning(), "yolox_nano", photos)
    assert (chosen.optimizer, chosen.clip, chosen.mosaic) == ("sgd", 10, 0.5)
    assert chosen.epochs == epochs
    assert chosen.lr == pytest.approx(lr)
    assert (chosen.freeze, chosen.freeze_norms) == (epochs, True)


def test_from_scratch_a_step_is_no_longer_for_larger_batches() -> None:
    for batch_size, lr in ((4, 0.2), (8, 0.2), (16, 0.1), (AUTO, 0.025)):
        chosen = settings_of(section(batch_size=batch_size), "yolox_nano", 600)
        assert chosen.lr == pytest.approx(lr)


def test_rates_go_by_the_optimizer_that_is_set() -> None:
    few = settings_of(fine_tuning(optimizer="muon"), "yolox_nano", 200)
    assert (few.lr, few.muon_lr, few.clip) == (0.01, 0.003, 0)
    many = settings_of(fine_tuning(optimizer="sgd"), "yolox_nano", 600)
    assert (many.lr, many.clip) == (0.01, 10)


def test_the_side_that_a_checkpoint_was_trained_at_is_kept() -> None:
    assert settings_of(fine_tuning(), "yolox_s", 100, side=256).input_size == 256
    own = settings_of(fine_tuning(input_size=320), "yolox_s", 100, side=256)
    assert own.input_size == 320


@pytest.mark.parametrize(("photos", "epochs"), [(500, 18), (600, 15), (40_000, 15)])
def test_with_many_photos_all_learns(photos: int, epochs: int) -> None:
    chosen = settings_of(fine_tuning(), "yolox_nano", photos)
    assert (chosen.optimizer, chosen.epochs) == ("muon", epochs)
    assert (chosen.mosaic, chosen.multiscale, chosen.small_first) == (0, 2, 0.33)
    assert (chosen.freeze, chosen.freeze_norms) == (0, False)


@pytest.mark.slow
def test_what_many_photos_take_teaches_a_trained_detector(
    rooms: Path, trained: tuple[Path, Path], tmp_path: Path
) -> None:
    # The recipe as a whole, for as many photos; that there are few makes it short.
    model = str(trained[0])
    wanted = section(pretrained=model, workers=0, cache_gb=0.0, pictures_every=0)
    chosen = settings_of(wanted, "yolox_nano", 600, side_of(model))
    run(rooms, tmp_path / "run", **chosen.model_dump())
    losses = [loss for _, loss in rows(tmp_path / "run" / "live")["val/loss"]]
    assert len(losses) == 1 + chosen.epochs
    assert losses[-1] < 0.97 * losses[0]


@pytest.mark.parametrize(("variant", "side"), AS_YOLOX_HAS_THEM.items())
def test_trained_weights_see_what_they_were_trained_on(variant: str, side: int) -> None:
    assert settings_of(fine_tuning(), variant, 100).input_size == side


def test_what_is_set_stays() -> None:
    own = {"epochs": 7, "lr": 0.3, "optimizer": "muon", "freeze_norms": False, "clip": 0.0}
    chosen = settings_of(fine_tuning(**own), "yolox_nano", 100)
    assert {name: getattr(chosen, name) for name in own} == own
    # All of them.
    assert chosen.freeze == 7
    assert settings_of(fine_tuning(freeze=2), "yolox_nano", 100).freeze == 2


def test_other_settings_that_may_be_auto_are_left_to_the_machine() -> None:
    chosen = settings_of(section(batch_size=AUTO), "yolox_nano", 100)
    assert (chosen.batch_size, chosen.devices, chosen.precision) == (AUTO, AUTO, AUTO)


def test_a_line_tells_what_was_chosen() -> None:
    written = fine_tuning(lr=0.02)
    line = told(written, settings_of(written, "yolox_nano", 105), 105)
    assert line.startswith("train, where it says auto, for trained weights and 105 training photos")
    assert "epochs=24, " in line
    assert " lr=" not in line
    assert "batch_size" not in line
    few = fine_tuning()
    assert " lr=0.0017, muon_lr=0.00051, " in told(few, settings_of(few, "yolox_nano", 17), 17)
    everything = settings_of(section(), "yolox_nano", 105)
    assert told(section(**everything.model_dump()), everything, 105) == ""


@pytest.mark.parametrize("name", sorted(CHOSEN))
def test_what_is_neither_auto_nor_a_value_is_named(tmp_path: Path, name: str) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["train"][name] = "automatic"
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    wanted = rf"train\.{name} is 'automatic'; it should be "
    with pytest.raises(BadParameter, match=wanted) as caught:
        load_params(tmp_path / "params.yaml")
    assert "<" not in str(caught.value)
