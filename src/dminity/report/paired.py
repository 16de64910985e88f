"""How much better one variant is than another, on the photos and classes that both know.

Each draw of the photos holds the same photos for both (`evaluation/intervals.py`), so that what is
hard for both is left out of the doubt. What is right is matched anew from the tables that
`evaluate` keeps: no network runs, and the truth is the same for both, that of the second one. Of
several trainings of one recipe it is their mean that is compared.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dminity.core.errors import DminityError
from dminity.core.stage import METRICS
from dminity.evaluation import coco, detection_table, truth_table
from dminity.evaluation.intervals import Estimate, Resampled, resample
from dminity.report.variants import NotAtHand, Variant

DETECTIONS = METRICS / "detections.parquet"
TRUTHS = METRICS / "truths.parquet"


class NothingShared(DminityError):
    """Two variants have no photo or no class in common."""


@dataclass(frozen=True)
class Shared:
    """What several variants were evaluated on, all of them.

    image_ids: photos of the test split, in order. classes: those with a box in them. all_photos,
    all_classes: how many any of them knows.
    """

    image_ids: tuple[str, ...]
    classes: tuple[str, ...]
    all_photos: int
    all_classes: int

    def __str__(self) -> str:
        """What they were compared on, if that is not all; else empty."""
        parts = [
            f"{len(shared)} of {known} {what}"
            for what, shared, known in (
                ("classes", self.classes, self.all_classes),
                ("photos", self.image_ids, self.all_photos),
            )
            if len(shared) < known
        ]
        return f"on {' and '.join(parts)}, which both know" if parts else ""


@dataclass(frozen=True)
class Difference:
    """What one variant gains over another; negative where it loses.

    ap, ap50: COCO's, mean of the classes. per_class: AP by class. shared: what they were compared
    on.
    """

    ap: Estimate
    ap50: Estimate
    per_class: Mapping[str, Estimate]
    shared: Shared


@dataclass(frozen=True)
class _Tables:
    """What was found in the test split, and what is there."""

    detections: pd.DataFrame
    truths: pd.DataFrame

    def image_ids(self) -> set[str]:
        """The photos."""
        return set(self.truths["image_id"])

    def classes(self) -> set[str]:
        """Those with a box."""
        return set(self.truths["label"].dropna())


class Pairing:
    """Pairs of variants, each of them read and drawn anew no more often than it has to be."""

    def __init__(self) -> None:
        self.tables: dict[Variant, _Tables] = {}
        self.drawn: dict[tuple[Variant, Variant, Shared], tuple[Resampled, Resampled]] = {}

    def difference(self, one: Sequence[Variant], other: Sequence[Variant]) -> Difference:
        """What the mean of some trainings gains over that of others.

        Raises:
            NotAtHand: if the tables of one of them cannot be had.
            NothingShared: if they know no photo or no class together.
        """
        shared = self._shared([*one, *reversed(other)])
        ap, ap50 = (
            _mean([self._drawn(each, other[0], shared)[number] for each in one]).minus(
                _mean([self._drawn(each, other[0], shared)[number] for each in other])
            )
            for number in (0, 1)
        )
        per_class = {name: ap.of_class(place) for place, name in enumerate(shared.classes)}
        return Difference(ap.mean(), ap50.mean(), per_class, shared)

    def _shared(self, variants: Sequence[Variant]) -> Shared:
        """What all of them were evaluated on.

        Raises:
            NothingShared: if that is nothing.
        """
        tables = [self._tables(each) for each in variants]
        photos = [each.image_ids() for each in tables]
        known_to_all = set.intersection(*photos)
        # In the order in which they were evaluated, so that the draws are those of `evaluate`.
        order = tables[-1].truths["image_id"].drop_duplicates()
        image_ids = tuple(order[order.isin(known_to_all)])
        there = [
            set(each.truths["label"][each.truths["image_id"].isin(image_ids)].dropna())
            for each in tables
        ]
        classes = tuple(sorted(set.intersection(*there)))
        names = f"{variants[0].name} and {variants[-1].name}"
        if not image_ids:
            raise NothingShared(f"{names} have no test photo in common")
        if not classes:
            raise NothingShared(f"{names} have no class in common in the photos that both know")
        known = set.union(*(each.classes() for each in tables))
        return Shared(image_ids, classes, len(set.union(*photos)), len(known))

    def _tables(self, variant: Variant) -> _Tables:
        """What `evaluate` kept of a variant.

        Raises:
            NotAtHand: if it is nowhere.
        """
        if variant not in self.tables:
            self.tables[variant] = _Tables(
                _table(variant, DETECTIONS, detection_table.SCHEMA),
                _table(variant, TRUTHS, truth_table.SCHEMA),
            )
        return self.tables[variant]

    def _drawn(
        self, variant: Variant, reference: Variant, shared: Shared
    ) -> tuple[Resampled, Resampled]:
        """AP and AP50 of a variant in each draw, by what the reference says is there."""
        key = (variant, reference, shared)
        if key not in self.drawn:
            contents = self._tables(reference).truths
            truths = truth_table.from_table(contents, shared.image_ids, shared.classes)
            sizes = [(truth.width, truth.height) for truth in truths]
            found = detection_table.from_table(
                self._tables(variant).detections, shared.image_ids, sizes, shared.classes
            )
            self.drawn[key] = resample(coco.match(truths, found, shared.classes))
        return self.drawn[key]


def difference(one: Variant, other: Variant) -> Difference:
    """What one variant gains over another.

    Raises:
        NotAtHand: if the tables of one of them cannot be had.
        NothingShared: if they know no photo or no class together.
    """
    return Pairing().difference([one], [other])


def _mean(drawn: Sequence[Resampled]) -> Resampled:
    """The mean of several trainings, class by class and draw by draw."""
    values = np.mean([each.values for each in drawn], axis=0)
    return replace(drawn[0], values=values, draws=np.mean([each.draws for each in drawn], axis=0))


def _table(variant: Variant, path: Path, schema: pa.Schema) -> pd.DataFrame:
    """A table of a variant.

    Raises:
        NotAtHand: if it is nowhere, or none that this version reads.
    """
    content = variant.read(path)
    try:
        found = pq.ParquetFile(io.BytesIO(content)).read()
    except pa.ArrowException as error:
        raise NotAtHand(f"{variant.name}: {path} is damaged") from error
    if not found.schema.equals(schema):
        raise NotAtHand(f"{variant.name}: {path} has other columns than this version reads")
    return pd.DataFrame(found.to_pandas())
