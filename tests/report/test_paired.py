"""Differences of two experiments: known answers, and what they share."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dminity.data import tables
from dminity.evaluation import detection_table, truth_table
from dminity.report.paired import DETECTIONS, TRUTHS, Difference, NothingShared, Pairing, difference
from dminity.report.variants import NotAtHand, read_variant
from tests.helpers.evaluation_cases import RANDOM_CLASSES, as_published, random_photos
from tests.helpers.project import Project
from tests.helpers.variants import variant_of


def made(
    folder: Path,
    seed: int = 1,
    image_ids: tuple[str, ...] = (),
    classes: tuple[str, ...] = RANDOM_CLASSES,
) -> None:
    """Write the tables of a made-up variant, of some photos and classes."""
    truths, detections = random_photos(1, 12)
    _, other = random_photos(seed, 12)
    published, found = as_published(truths, other if seed > 1 else detections, RANDOM_CLASSES)
    known = truth_table.to_table(published.image_ids, truths, RANDOM_CLASSES)
    chosen = image_ids or published.image_ids
    known = known[known["image_id"].isin(chosen)]
    tables.write(
        known[known["label"].isin(classes) | known["label"].isna()],
        folder / TRUTHS,
        truth_table.SCHEMA,
    )
    tables.write(found[found["label"].isin(classes)], folder / DETECTIONS, detection_table.SCHEMA)


def known_ids(folder: Path) -> list[str]:
    """The photos of a made-up variant."""
    return list(pd.read_parquet(folder / TRUTHS)["image_id"].drop_duplicates())


def test_a_variant_gains_nothing_over_itself(tmp_path: Path) -> None:
    made(tmp_path)
    found = difference(variant_of(tmp_path), variant_of(tmp_path))
    assert found.ap == found.ap50 == (0, 0, 0)
    assert found.ap.is_noise()
    assert str(found.shared) == ""


def test_a_gain_is_another_s_loss(tmp_path: Path) -> None:
    made(tmp_path / "one")
    made(tmp_path / "other", seed=2)
    one, other = variant_of(tmp_path / "one"), variant_of(tmp_path / "other")
    gain, loss = difference(one, other), difference(other, one)
    np.testing.assert_allclose(gain.ap, (-loss.ap.value, -loss.ap.high, -loss.ap.low))
    assert gain.ap.value > 0
    assert set(gain.per_class) == set(loss.per_class) == set(RANDOM_CLASSES)


def test_the_mean_of_trainings_is_compared(tmp_path: Path) -> None:
    made(tmp_path / "one")
    made(tmp_path / "other", seed=2)
    one, other = variant_of(tmp_path / "one"), variant_of(tmp_path / "other")
    found = Pairing().difference([one, other], [other])
    assert found.ap.value == pytest.approx(difference(one, other).ap.value / 2)


def test_only_what_both_know_is_compared(tmp_path: Path) -> None:
    made(tmp_path / "all")
    ids = known_ids(tmp_path / "all")
    made(tmp_path / "few", image_ids=tuple(ids[:9]), classes=RANDOM_CLASSES[:2])
    found = difference(variant_of(tmp_path / "few"), variant_of(tmp_path / "all"))
    assert found.ap == (0, 0, 0)
    assert found.shared.classes == tuple(sorted(RANDOM_CLASSES[:2]))
    assert str(found.shared) == (
        f"on 2 of {len(RANDOM_CLASSES)} classes and 9 of 12 photos, which both know"
    )


def test_what_shares_nothing_is_named(tmp_path: Path) -> None:
    made(tmp_path / "all")
    ids = known_ids(tmp_path / "all")
    made(tmp_path / "first", image_ids=tuple(ids[:5]))
    made(tmp_path / "last", image_ids=tuple(ids[5:]))
    made(tmp_path / "class", classes=RANDOM_CLASSES[:1])
    made(tmp_path / "other", classes=RANDOM_CLASSES[1:])
    with pytest.raises(NothingShared, match="first and last have no test photo in common"):
        difference(variant_of(tmp_path / "first"), variant_of(tmp_path / "last"))
    with pytest.raises(NothingShared, match="class and other have no class in common"):
        difference(variant_of(tmp_path / "class"), variant_of(tmp_path / "other"))


def test_damaged_tables_are_named(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / DETECTIONS).write_text("no table")
    with pytest.raises(NotAtHand, match=r"detections\.parquet is damaged"):
        difference(variant_of(tmp_path), variant_of(tmp_path))
    tables.write(pd.read_parquet(tmp_path / TRUTHS), tmp_path / DETECTIONS, truth_table.SCHEMA)
    with pytest.raises(NotAtHand, match="has other columns"):
        difference(variant_of(tmp_path), variant_of(tmp_path))


@pytest.mark.slow
def test_experiments_are_compared_without_checking_them_out(
    experimented: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(experimented.folder)
    found: Difference = difference(read_variant("perfect"), read_variant("half"))
    assert 0 < found.ap.low <= found.ap.value <= found.ap.high
    assert not found.ap.is_noise()
    with pytest.raises(NotAtHand, match=r"release/older: metrics/detections\.parquet"):
        difference(read_variant("perfect"), read_variant("release/older"))
