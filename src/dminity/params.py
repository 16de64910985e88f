"""All of params.yaml, put together from the settings of each room.

Refuses what is wrong and decides no value: what a value means is in the `settings.py` of the room
that reads it. So no stage depends on this file, and a new parameter of one room reruns no other. A
stage reads `params.<name>` and declares just that name in dvc.yaml; a test compares the two.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt

from dminity.core.parameters import Section, read_parameters
from dminity.data.checking.settings import CheckSettings
from dminity.data.fetching.settings import FetchSettings
from dminity.data.settings import Classes, ImageIds, MarkedPolicies
from dminity.evaluation.settings import EvaluateSettings
from dminity.export.settings import ExportSettings
from dminity.sources.settings import DemoSettings, OpenImagesSettings
from dminity.training.settings import TrainSection

PARAMS_FILE = Path("params.yaml")


class Params(Section):
    """All of params.yaml."""

    classes: Classes
    hierarchy: bool
    source: Literal["demo", "openimages"]
    limit_per_class: NonNegativeInt
    seed: NonNegativeInt
    openimages: OpenImagesSettings
    demo: DemoSettings
    fetch: FetchSettings
    marked: MarkedPolicies
    leave_out: ImageIds
    check: CheckSettings
    image_size: Annotated[int, Field(ge=32)]
    jpeg_quality: Annotated[int, Field(ge=1, le=95)]
    model: Literal["yolox_nano", "yolox_tiny", "yolox_s", "yolox_m", "yolox_l", "yolox_x"]
    train: TrainSection
    evaluate: EvaluateSettings
    export: ExportSettings


def load_params(path: Path = PARAMS_FILE) -> Params:
    """Read and check params.yaml.

    Raises:
        BadParameter: naming the first parameter at fault and what it should be.
    """
    return read_parameters(path, Params)
