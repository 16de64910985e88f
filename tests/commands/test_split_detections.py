"""What `dminity view` shows as found: what `evaluate` kept, as long as it is of what lies there."""

from collections.abc import Callable

import pandas as pd
import pytest

from dminity.commands.split_detections import TABLE, Found, find
from dminity.core.amenities import NAMES
from dminity.core.splits import SPLITS
from dminity.core.stage import MODEL, VOC
from dminity.data import voc
from dminity.detection.detections import SHOWN_SCORE
from dminity.network.detector import load_detector
from tests.helpers.detectors import save_nano
from tests.helpers.project import Project

pytestmark = pytest.mark.slow
NOTE = f"predictions are those of {TABLE}"


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose pipeline has run, as the working directory."""
    monkeypatch.chdir(project.folder)
    return project


def looked_at(split: str) -> Found | None:
    """What is found in a split."""
    annotations = voc.read_split(VOC, split, voc.read_classes(VOC))
    found = find(split, annotations)
    assert found is None or len(found.detections) == len(annotations)
    return found


@pytest.mark.usefixtures("here")
def test_what_evaluate_kept_is_shown_and_found_anew_for_other_splits(
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = pd.read_parquet(TABLE)
    for split in SPLITS:
        found = looked_at(split)
        assert found is not None
        assert (NOTE in capsys.readouterr().err) == (split == "test")
        shown = sum(len(each.scores) for each in found.detections)
        if split == "test":
            assert shown == (kept["score"] >= SHOWN_SCORE).sum()
        else:
            assert found.classes == NAMES


def another_model() -> None:
    """A model that `evaluate` has not seen."""
    save_nano(MODEL)


def fewer_photos() -> None:
    """A test split of other photos."""
    path = voc.split_path(VOC, "test")
    first, *_ = path.read_text().splitlines(keepends=True)
    path.write_text(first)


def another_table() -> None:
    """One that somebody has edited."""
    pd.read_parquet(TABLE).assign(score=1.0).to_parquet(TABLE)


def no_table() -> None:
    """A model without its table."""
    TABLE.unlink()


@pytest.mark.usefixtures("here")
def test_without_a_model_the_table_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    # As who has pulled the table alone.
    MODEL.unlink()
    assert looked_at("test") is not None
    assert NOTE in capsys.readouterr().err
    assert looked_at("train") is None
    no_table()
    assert looked_at("test") is None


@pytest.mark.parametrize("change", [another_model, fewer_photos, another_table, no_table])
@pytest.mark.usefixtures("here")
def test_a_table_that_is_of_something_else_is_not_shown(
    change: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    change()
    found = looked_at("test")
    assert found is not None
    assert found.classes == load_detector(MODEL).classes
    assert NOTE not in capsys.readouterr().err
