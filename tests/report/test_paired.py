"""Differences of two experiments: known answers, and what they share."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dminity.data import tables
from dminity.evaluation import detection_table, truth_table
from dminity.report.paired import DETECTIONS, TRUTHS, Difference, NothingShared, Pairing, difference
from dminity.report.variants import NotAtHand, read_variant
from tests.helpers.evaluation_cases import (
    BED,
    RANDOM_CLASSES,
    SINK,
    as_published,
    found,
    random_photos,
    truth,
)
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
    published, kept = as_published(truths, other if seed > 1 else detections, RANDOM_CLASSES)
    known = truth_table.to_table(published.image_ids, truths, RANDOM_CLASSES)
    chosen = image_ids or published.image_ids
    known = known[known["image_id"].isin(chosen)]
    tables.write(
        known[known["label"].isin(classes) | known["label"].isna()],
        folder / TRUTHS,
        truth_table.SCHEMA,
    )
    tables.write(kept[kept["label"].isin(classes)], folder / DETECTIONS, detection_table.SCHEMA)


def known_ids(folder: Path) -> list[str]:
    """The photos of a made-up variant."""
    return list(pd.read_parquet(folder / TRUTHS)["image_id"].drop_duplicates())


def test_a_variant_gains_nothing_over_itself(tmp_path: Path) -> None:
    made(tmp_path)
    gain = difference(variant_of(tmp_path), variant_of(tmp_path))
    assert gain.ap == gain.ap50 == (0, 0, 0)
    assert gain.ap.is_noise()
    assert str(gain.shared) == ""


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
    gain = Pairing().difference([one, other], [other])
    assert gain.ap.value == pytest.approx(difference(one, other).ap.value / 2)


def test_only_what_both_know_is_compared(tmp_path: Path) -> None:
    made(tmp_path / "all")
    ids = known_ids(tmp_path / "all")
    made(tmp_path / "few", image_ids=tuple(ids[:9]), classes=RANDOM_CLASSES[:2])
    gain = difference(variant_of(tmp_path / "few"), variant_of(tmp_path / "all"))
    assert gain.ap == (0, 0, 0)
    assert gain.shared.classes == tuple(sorted(RANDOM_CLASSES[:2]))
    assert str(gain.shared) == (
        f"on 2 of {len(RANDOM_CLASSES)} classes and 9 of 12 photos, which both know"
    )


def test_a_couch_on_a_sofa_bed_is_not_wrong_where_only_couches_are_shared(tmp_path: Path) -> None:
    # The sofa bed is the surer couch: as an alarm it would halve the precision.
    classes = ("Couch", "Sofa bed")
    all_names = [truth((*BED[:4], 0), (*SINK[:4], 1))] * 5
    couches = [truth((*BED[:4], 0))] * 5
    found_by_both = [found((*SINK[:4], 0, 0.9), (*BED[:4], 0, 0.8))] * 5
    for name, truths in (("couches", couches), ("all", all_names)):
        published, kept = as_published(truths, found_by_both, classes)
        known = truth_table.to_table(published.image_ids, truths, classes)
        tables.write(known, tmp_path / name / TRUTHS, truth_table.SCHEMA)
        tables.write(
            kept if name == "couches" else kept[kept["score"] < 0.9],
            tmp_path / name / DETECTIONS,
            detection_table.SCHEMA,
        )
    gain = difference(variant_of(tmp_path / "couches"), variant_of(tmp_path / "all"))
    assert gain.shared.classes == ("Couch",)
    assert gain.ap50.value == 0


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
    gain: Difference = difference(read_variant("perfect"), read_variant("half"))
    assert 0 < gain.ap.low <= gain.ap.value <= gain.ap.high
    assert not gain.ap.is_noise()
    with pytest.raises(NotAtHand, match=r"release/older: metrics/detections\.parquet"):
        difference(read_variant("perfect"), read_variant("release/older"))
