"""export: the detector in three ONNX formats, refused if they do not do what the original does.

Whatever is chosen (the thresholds of each file, what of the small one stays in float) is chosen on
the validation split; the test split only tells how good it is.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dminity.core.errors import DminityError, some
from dminity.core.files import replacing_file, write_json
from dminity.core.progress import Progress, note
from dminity.core.stage import METRICS, MODEL, ONNX, ONNX_INT8, ONNX_NMS, VOC, run
from dminity.data import voc
from dminity.detection.detections import Detections, GroundTruth
from dminity.evaluation.coco import match, score
from dminity.evaluation.intervals import Estimate, resample
from dminity.evaluation.presence import (
    LEAST_PHOTOS,
    NEVER,
    Thresholds,
    answers,
    choose_thresholds,
    figures,
    presence,
    together,
)
from dminity.evaluation.timing import spreads
from dminity.export.int8 import quantizations
from dminity.export.onnx import Difference, describe, difference, write_onnx
from dminity.export.settings import ExportSettings
from dminity.export.suppression import write_with_suppression
from dminity.network.detector import Detector, load_detector
from dminity.params import load_params
from dminity.runtime.detector import load_onnx
from dminity.runtime.model_file import Description

FORMATS = (ONNX, ONNX_NMS, ONNX_INT8)
# A full batch and a partial one.
COMPARED_PHOTOS = 12
BATCH_SIZE = 8
# Training photos that ranges of integers are taken from.
CALIBRATION_PHOTOS = 64
DECIMALS = 4
SHOWN_NAMES = 5


class ExportDiffers(DminityError):
    """The exported model does not do what the original does."""


class TooMuchLost(DminityError):
    """A format finds less than the original does."""


@dataclass(frozen=True)
class _Attempt:
    """A file in 8 bits, with its AP and what it finds in the photos of the validation split."""

    ap: float
    in_float: tuple[str, ...]
    detections: list[Detections]
    content: bytes


@dataclass(frozen=True)
class Split:
    """The photos of a split, and what is in each."""

    name: str
    annotations: list[voc.Annotation]
    truths: list[GroundTruth]


def main() -> None:
    """Write all formats, or none; then their figures."""
    params = load_params()
    settings = params.export
    detector = load_detector(MODEL)
    validation, test = (_read_split(name, detector.classes) for name in ("validation", "test"))
    compared = [voc.annotated_photo(VOC, item) for item in test.annotations[:COMPARED_PHOTOS]]
    with ExitStack() as unfinished:
        paths = [unfinished.enter_context(replacing_file(path)) for path in FORMATS]
        found = export(detector, compared, paths[0], settings)
        write_with_suppression(paths[0], paths[1], detector.classes)
        on_validation, in_float = quantize(detector, paths, validation, settings)
        thresholds = [
            _choose(path, detections, validation, detector, settings)
            for path, detections in zip(paths, on_validation, strict=True)
        ]
        on_test = _find(paths, test, settings.threads)
        spent = _cost(paths, compared[0], settings.threads)
        sizes_mb = [round(path.stat().st_size / 1e6, 3) for path in paths]
    formats = [
        _scores(test, detections, detector.classes, chosen) | {"size_mb": size_mb}
        for detections, chosen, size_mb in zip(on_test, thresholds, sizes_mb, strict=True)
    ]
    formats[-1]["in_float"] = ", ".join(("decoding", *in_float))
    differences = {
        "images": len(compared),
        "box_difference_pixels": found.box_pixels,
        "score_difference": found.score,
    }
    write_json(differences | _by_name(formats), METRICS / "export.json")
    known = presence(test.truths, on_test[0], detector.classes)
    write_json(figures(known, thresholds[0].values, detector.classes), METRICS / "presence.json")
    write_json(spent, METRICS / "export_cost.json")
    say(thresholds, detector.classes, settings.precision)


def _read_split(name: str, classes: tuple[str, ...]) -> Split:
    """A split of the VOC folder."""
    annotations = voc.read_split(VOC, name, classes)
    return Split(name, annotations, [voc.ground_truth(item, classes) for item in annotations])


def _by_name(values: Sequence[Any]) -> dict[str, Any]:
    """Something of each format, by the name of its file."""
    return {path.stem: value for path, value in zip(FORMATS, values, strict=True)}


def export(
    detector: Detector,
    photos_bgr: Sequence[NDArray[np.uint8]],
    path: Path,
    settings: ExportSettings,
) -> Difference:
    """Write the detector to `path`, with thresholds that are never reached, and compare it.

    Args:
        detector: the original.
        photos_bgr: what to compare on: [H, W, 3] each, uint8.
        path: where to.
        settings: how far it may be.

    Raises:
        ExportDiffers: if it is too far from the original.
    """
    write_onnx(detector, _description(detector, (NEVER,) * len(detector.classes)), path)
    starts = range(0, len(photos_bgr), BATCH_SIZE)
    batches = [detector.inputs(photos_bgr[start : start + BATCH_SIZE]) for start in starts]
    found = difference(detector, path, batches)
    # Asked this way round, a difference that is no number is refused too.
    if not (found.box_pixels <= settings.box_tolerance and found.score <= settings.score_tolerance):
        raise ExportDiffers(
            f"the ONNX model differs by {found.box_pixels:.2g} pixels and {found.score:.2g} "
            "in score, as it may where next to nothing was learned: raise train.epochs; or "
            "export.box_tolerance or export.score_tolerance, if you can take it"
        )
    return found


def _description(detector: Detector, thresholds: tuple[float, ...]) -> Description:
    """What its files say of a detector."""
    return Description(detector.variant, detector.classes, detector.input_size, thresholds)


def quantize(
    detector: Detector, paths: list[Path], validation: Split, settings: ExportSettings
) -> tuple[list[list[Detections]], tuple[str, ...]]:
    """Write the last format, as small as its AP allows.

    Returns:
        What each format finds in the photos of `validation`, and the parts that are in float.

    Raises:
        TooMuchLost: if the AP of a format falls too far, whatever is in float, and not by chance.
    """
    found = _find(paths[:-1], validation, settings.threads)
    aps = [score(validation.truths, each, detector.classes).ap for each in found]
    if aps[0] - aps[1] > settings.max_ap_drop:
        raise _too_much_lost(ONNX_NMS, aps[0] - aps[1], settings)
    attempts = _attempts(detector, paths, validation, settings.threads)
    best = next(attempts)
    while aps[0] - best.ap > settings.max_ap_drop and (attempt := next(attempts, None)):
        # Of equals the first, which has less in float.
        best = max(best, attempt, key=attrgetter("ap"))
    if aps[0] - best.ap > settings.max_ap_drop:
        loss = lost(validation.truths, found[0], best.detections, detector.classes)
        refuse_more_than_chance(loss, settings)
    # More in float is not always better: the last attempt need not be the best.
    paths[-1].write_bytes(best.content)
    return [*found, best.detections], best.in_float


def _attempts(
    detector: Detector, paths: list[Path], validation: Split, threads: int
) -> Iterator[_Attempt]:
    """The last format, again and again, each time with more in float."""
    for in_float in quantizations(paths[0], paths[-1], _calibration_inputs(detector)):
        (detections,) = _find(paths[-1:], validation, threads)
        ap = score(validation.truths, detections, detector.classes).ap
        yield _Attempt(ap, in_float, detections, paths[-1].read_bytes())


def lost(
    truths: list[GroundTruth],
    exact: list[Detections],
    smaller: list[Detections],
    classes: tuple[str, ...],
) -> Estimate:
    """The AP that a smaller file loses on some photos, with its interval over other photos."""
    one, other = (resample(match(truths, each, classes))[0] for each in (exact, smaller))
    return one.minus(other).mean()


def refuse_more_than_chance(loss: Estimate, settings: ExportSettings) -> None:
    """Refuse the smallest file if the AP it loses is not by chance of a few photos.

    Raises:
        TooMuchLost: if even with other photos it would lose more than it may.
    """
    if loss.low > settings.max_ap_drop:
        raise _too_much_lost(ONNX_INT8, loss.value, settings)
    note(
        f"{ONNX_INT8} loses {loss.value:.4f} AP on the validation split, and export.max_ap_drop is "
        f"{settings.max_ap_drop:g}; on so few photos that may be chance ({loss.low:.4f} to "
        f"{loss.high:.4f} with others)"
    )


def _calibration_inputs(detector: Detector) -> list[NDArray[np.float32]]:
    """Training photos from all over the list, as the network sees them: [1, 3, H, W] each."""
    image_ids = voc.read_ids(VOC, "train")
    chosen = image_ids[:: max(1, len(image_ids) // CALIBRATION_PHOTOS)][:CALIBRATION_PHOTOS]
    photos = (voc.read_photo(VOC, image_id) for image_id in chosen)
    return [detector.inputs([photo]).contiguous().numpy() for photo in photos]


def _too_much_lost(path: Path, loss: float, settings: ExportSettings) -> TooMuchLost:
    """The error that says what a format has lost."""
    return TooMuchLost(
        f"{path} would lose {loss:.4f} AP on the validation split, and export.max_ap_drop is "
        f"{settings.max_ap_drop:g}; raise it if you can take that"
    )


def _find(paths: Sequence[Path], split: Split, threads: int) -> list[list[Detections]]:
    """What each file finds in each photo of a split, by the way that users go."""
    detectors = [load_onnx(path, threads) for path in paths]
    found: list[list[Detections]] = [[] for _ in paths]
    with Progress[None](f"export, {split.name}", total=len(split.annotations)) as progress:
        for annotation in split.annotations:
            photo = voc.annotated_photo(VOC, annotation)
            for detector, each in zip(detectors, found, strict=True):
                each += detector.find([photo])
            progress.update(1)
    return found


def _choose(
    path: Path,
    detections: list[Detections],
    validation: Split,
    detector: Detector,
    settings: ExportSettings,
) -> Thresholds:
    """Choose a file's thresholds, and write them into it."""
    known = presence(validation.truths, detections, detector.classes)
    chosen = choose_thresholds(known, settings.precision)
    describe(path, _description(detector, chosen.values))
    return chosen


def _scores(
    test: Split, detections: list[Detections], classes: tuple[str, ...], chosen: Thresholds
) -> dict[str, Any]:
    """How good a format is on the test split."""
    scores = score(test.truths, detections, classes)
    known = presence(test.truths, detections, classes)
    said = together(answers(known, chosen.values))
    rates = {"presence_precision": said.precision(), "presence_recall": said.recall()}
    # Under the protocol's name, as in metrics/evaluate.json.
    of_coco = {"AP": round(scores.ap, DECIMALS), "AP50": round(scores.ap50, DECIMALS)}
    return {"coco": of_coco} | {
        name: None if value is None else round(value, DECIMALS) for name, value in rates.items()
    }


def _cost(paths: list[Path], photo_bgr: NDArray[np.uint8], threads: int) -> dict[str, Any]:
    """Milliseconds from a photo [H, W, 3] to its detections, of each format."""
    detectors = [load_onnx(path, threads) for path in paths]
    found, busy = spreads([partial(each.find, [photo_bgr]) for each in detectors])
    if busy:
        note(
            f"{METRICS / 'export_cost.json'}: the machine was busy with other programs, so its "
            "milliseconds are too many; for better ones: dvc repro -f -s export"
        )
    by_name = _by_name(
        [{name: round(ms, DECIMALS) for name, ms in each._asdict().items()} for each in found]
    )
    return by_name | {"threads": threads, "busy": busy}


def say(thresholds: list[Thresholds], classes: tuple[str, ...], precision: float) -> None:
    """Say of which classes the scores mean less than of the others."""
    # The same ones for all formats: it is the photos that are too few.
    if too_few := [classes[position] for position in thresholds[0].too_few]:
        note(
            f"fewer than {LEAST_PHOTOS} validation photos show {some(too_few, SHOWN_NAMES)} "
            f"({len(too_few)} of {len(classes)} classes): they have the threshold of all classes "
            "together"
        )
    for path, chosen in zip(FORMATS, thresholds, strict=True):
        if never := [classes[position] for position in chosen.never]:
            note(
                f"{path}: no score of {some(never, SHOWN_NAMES)} ({len(never)} of {len(classes)} "
                f"classes) is right in {precision:.0%} of the validation photos: it is never said "
                "that a photo shows one; lower export.precision, or train longer"
            )


if __name__ == "__main__":
    run(main)
