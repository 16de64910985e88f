"""Several variants beside each other: what they find, what they cost, and which to take."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dminity.core.progress import Progress
from dminity.core.stage import ONNX, VOC
from dminity.evaluation.intervals import Estimate
from dminity.report.conclusion import (
    Candidate,
    Conclusion,
    conclude,
    noise,
    noise_of_seeds,
    ranked,
)
from dminity.report.latency import Latency, Measured, measure
from dminity.report.paired import Difference, NothingShared, Pairing
from dminity.report.recipes import Recipe, recipes
from dminity.report.variants import NotAtHand, Variant
from dminity.runtime.detector import OnnxDetector, load_onnx
from dminity.runtime.model_file import BadOnnxFile

TEST_IDS = VOC / "ImageSets/Main/test.txt"
AP = "coco.AP"


@dataclass(frozen=True)
class Row:
    """A variant: its recipe, what the rules see of it, and what it gains over the reference.

    noise: what might explain the difference: `photos`, `seeds`; empty for neither.
    """

    recipe: Recipe
    candidate: Candidate
    difference: Difference | None
    noise: str
    latency: Latency | None

    @property
    def variant(self) -> Variant:
        """Its first training."""
        return self.recipe.trainings[0]


@dataclass(frozen=True)
class Comparison:
    """Variants, best first; the name of the one that the others are compared with.

    notes: what could not be compared, and why.
    """

    rows: tuple[Row, ...]
    reference: str
    conclusion: Conclusion
    measured: Measured | None
    notes: tuple[str, ...]


def compare(
    variants: Sequence[Variant], against: Variant | None, floor: float | None, threads: int
) -> Comparison:
    """Compare variants, one at least.

    Args:
        variants: all of them.
        against: one of them, which the others are compared with; None: the best.
        floor: the AP that the fastest must have; None: a share of the best one's.
        threads: that a model takes for a photo.
    """
    found = recipes(variants)
    measured, unmeasured = _measure(found, threads)
    candidates = [_timed(each, measured) for each in _candidates(found)]
    order = ranked(candidates)
    best = order[0].name if order else found[0].name
    reference = next((each.name for each in found if against in each.variants()), best)
    gains, unknown = _gains(found, {best, reference})
    candidates = [
        replace(
            each,
            gain=_ap_of(gains.get((each.name, best))),
            against=_ap_of(gains.get((each.name, reference))),
        )
        for each in candidates
    ]
    return Comparison(
        _rows(found, candidates, gains, reference, measured),
        reference,
        conclude(candidates, reference, floor),
        measured,
        (*(note for recipe in found for note in _missing(recipe)), *unknown, *unmeasured),
    )


def _timed(candidate: Candidate, measured: Measured | None) -> Candidate:
    """A candidate with its milliseconds, if they are known."""
    latency = measured.latencies.get(candidate.name) if measured else None
    return replace(candidate, total_ms=latency.total.median_ms) if latency else candidate


def _ap_of(difference: Difference | None) -> Estimate | None:
    """The difference of AP, if it is known."""
    return difference.ap if difference else None


def _rows(
    found: Sequence[Recipe],
    candidates: Sequence[Candidate],
    gains: dict[tuple[str, str], Difference],
    reference: str,
    measured: Measured | None,
) -> tuple[Row, ...]:
    """The variants, best first; those that are not ranked at the end."""
    places = {each.name: place for place, each in enumerate(ranked(candidates))}
    seeds = noise_of_seeds(candidates)
    beside = next(each for each in candidates if each.name == reference)
    rows = []
    for recipe, each in zip(found, candidates, strict=True):
        difference = gains.get((each.name, reference))
        why = "" if each is beside else noise(each, beside, seeds, each.against)
        latency = measured.latencies.get(each.name) if measured else None
        rows.append(Row(recipe, each, difference, why, latency))
    return tuple(sorted(rows, key=lambda row: places.get(row.candidate.name, len(rows))))


def _candidates(found: Sequence[Recipe]) -> list[Candidate]:
    """What the rules see of each recipe before anything is measured or drawn anew."""
    tests = [_test_split(recipe.trainings[0]) for recipe in found]
    counted = Counter(
        test for test, recipe in zip(tests, found, strict=True) if recipe.over_seeds(AP) is not None
    )
    # Of equally common ones, that of most classes, then of most photos.
    usual = max(counted, key=lambda test: (counted[test], len(test[1]), test[0]), default=None)
    return [
        Candidate(
            recipe.name,
            recipe.over_seeds(AP),
            _size_mb(recipe),
            test=test,
            outside="it was evaluated on other photos or classes than most are"
            if recipe.over_seeds(AP) is not None and test != usual
            else "",
        )
        for recipe, test in zip(found, tests, strict=True)
    ]


def _test_split(variant: Variant) -> tuple[int, frozenset[tuple[str, float]]]:
    """What a variant was evaluated on: how many photos, and the boxes of each class."""
    table = variant.per_class
    boxes: frozenset[tuple[str, float]] = frozenset()
    if {"class", "boxes"} <= set(table.columns):
        counts = pd.to_numeric(table["boxes"], errors="coerce").fillna(0)
        boxes = frozenset(zip(table["class"].astype(str), counts.tolist(), strict=True))
    return int(variant.figure("images") or 0), boxes


def _size_mb(recipe: Recipe) -> float | None:
    """The size of model.onnx, as `export` says it."""
    model = recipe.trainings[0].export.get(ONNX.stem)
    size = model.get("size_mb") if isinstance(model, dict) else None
    return float(size) if isinstance(size, int | float) else None


def _missing(recipe: Recipe) -> list[str]:
    """What a recipe's variants have not, and which of them are the same."""
    notes = []
    for each in recipe.trainings:
        if each.missing:
            notes.append(f"{each.name} has no {', '.join(each.missing)}, or it is damaged")
        if each.is_older:
            notes.append(f"{each.name}: its figures are of an older version, without intervals")
    names = [each.name for each in recipe.trainings]
    if len(names) > 1:
        notes.append(f"{recipe.name}: {', '.join(names)}, which differ in train.seed only")
    if recipe.repeats:
        same = ", ".join(each.name for each in recipe.repeats)
        notes.append(f"{same}: the same weights as a training of {recipe.name}, counted once")
    return notes


def _gains(
    found: Sequence[Recipe], references: set[str]
) -> tuple[dict[tuple[str, str], Difference], list[str]]:
    """What each recipe gains over some of them, by their names; why others are missing."""
    pairing = Pairing()
    gains: dict[tuple[str, str], Difference] = {}
    notes: list[str] = []
    pairs = [
        (one, other)
        for other in found
        if other.name in references
        for one in found
        if one is not other
    ]
    for one, other in Progress("differences drawn anew", pairs, len(pairs), unit="pair"):
        try:
            found_one = pairing.difference(one.trainings, other.trainings)
        except (NotAtHand, NothingShared) as error:
            notes.append(f"no interval of the difference of {one.name} and {other.name}: {error}")
            continue
        gains[one.name, other.name] = found_one
        if on_what := str(found_one.shared):
            notes.append(f"{one.name} and {other.name} are compared {on_what}")
    return gains, notes


def _measure(found: Sequence[Recipe], threads: int) -> tuple[Measured | None, list[str]]:
    """Time the models that are at hand; why others are not timed."""
    notes: list[str] = []
    detectors: dict[str, OnnxDetector] = {}
    photo: NDArray[np.uint8] | None = None
    for recipe in Progress("models read", found, len(found), unit="model"):
        try:
            detectors[recipe.name] = _load(recipe.trainings[0], threads)
            photo = _test_photo(recipe.trainings[0]) if photo is None else photo
        except (NotAtHand, BadOnnxFile) as error:
            notes.append(f"no latency: {error}")
    if not detectors:
        return None, notes
    if photo is None:
        notes.append(
            "no latency: no variant has its first test photo; `dvc pull data/voc` brings it"
        )
        return None, notes
    return measure(detectors, photo, threads), notes


def _load(variant: Variant, threads: int) -> OnnxDetector:
    """The exported model of a variant.

    Raises:
        NotAtHand: if it is nowhere.
        BadOnnxFile: if it is damaged, or of an older version.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ONNX.name
        path.write_bytes(variant.read(ONNX))
        try:
            return load_onnx(path, threads)
        except BadOnnxFile as error:
            said = str(error).replace(str(path), ONNX.as_posix())
            raise BadOnnxFile(f"{variant.name}: {said}") from error


def _test_photo(variant: Variant) -> NDArray[np.uint8] | None:
    """The first photo of a variant's test split: [H, W, 3], BGR; None if it is not at hand."""
    try:
        image_id = variant.read(TEST_IDS).decode().split()[0]
        content = variant.read(VOC / "JPEGImages" / f"{image_id}.jpg")
    except (NotAtHand, IndexError, UnicodeDecodeError):
        return None
    # OpenCV raises an error of its own for an empty file.
    photo = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    return None if photo is None else photo.astype(np.uint8, copy=False)
