"""What `auto` is in the section `train`: one recipe from scratch, one for trained weights.

The figures that they were chosen by are in docs/accuracy.md.
"""

from dminity.core.parameters import AUTO
from dminity.training.settings import TrainSection, TrainSettings

# The sides that YOLOX trains its variants at, on COCO.
OFFICIAL_SIDE = 640
OFFICIAL_SIDES = {"yolox_nano": 416, "yolox_tiny": 416}
# Photos that fine-tuning sees in all, and the fewest and most epochs in which it may do so.
PHOTOS_SEEN = 2500
FEWEST_EPOCHS, MOST_EPOCHS = 12, 24
# With fewer training photos the backbone and the statistics of batch norm stay as they came; with
# fewer than these steps are shorter, too.
FEW_PHOTOS = 500
VERY_FEW_PHOTOS = 100


def settings_of(section: TrainSection, variant: str, num_photos: int) -> TrainSettings:
    """The settings of a training, with a value for each `auto`.

    Args:
        section: as params.yaml has it.
        variant: yolox_nano, yolox_tiny, yolox_s, _m, _l or _x.
        num_photos: of the training split.
    """
    written = section.model_dump()
    chosen = _chosen(section, variant, num_photos)
    return TrainSettings.model_validate(
        written | {name: value for name, value in chosen.items() if written[name] == AUTO}
    )


def told(section: TrainSection, settings: TrainSettings, num_photos: int) -> str:
    """What was chosen, in a line for the log; empty if nothing was to choose."""
    written, chosen = section.model_dump(), settings.model_dump()
    values = [f"{name}={chosen[name]}" for name in chosen if written[name] == AUTO != chosen[name]]
    start = "from scratch" if settings.pretrained == "none" else "for trained weights"
    of_photos = f"{start} and {num_photos} training photos"
    return f"train, where it says auto, {of_photos}: {', '.join(values)}" if values else ""


def _chosen(section: TrainSection, variant: str, num_photos: int) -> dict[str, object]:
    """A value for all that may be `auto`."""
    if section.pretrained == "none":
        return _from_scratch()
    return _fine_tuning(section, variant, num_photos)


def _from_scratch() -> dict[str, object]:
    """Large steps from the first: there is nothing to lose."""
    return {
        "input_size": 256,
        "multiscale": 0,
        "small_first": 0.33,
        "epochs": 15,
        "optimizer": "muon",
        "lr": 0.2,
        "muon_lr": 0.2,
        "freeze": 0,
        "freeze_norms": False,
        "clip": 0.0,
        "mosaic": 0.0,
    }


def _fine_tuning(section: TrainSection, variant: str, num_photos: int) -> dict[str, object]:
    """What is of all photos stays, where there are few; or else all learns, as from scratch."""
    fair = min(max(round(PHOTOS_SEEN / num_photos), FEWEST_EPOCHS), MOST_EPOCHS)
    epochs = fair if section.epochs == AUTO else section.epochs
    few = num_photos < FEW_PHOTOS
    return {
        "input_size": OFFICIAL_SIDES.get(variant, OFFICIAL_SIDE),
        "multiscale": 2,
        "small_first": 0.0,
        "epochs": epochs,
        "optimizer": "sgd" if few else "muon",
        "lr": 0.01 * min(1.0, num_photos / VERY_FEW_PHOTOS) if few else 0.05,
        "muon_lr": 0.05,
        "freeze": epochs if few else 0,
        "freeze_norms": few,
        "clip": 10.0 if few else 0.0,
        "mosaic": 0.5,
    }
