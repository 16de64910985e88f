"""Average precision by Pascal VOC's protocol, as of 2010: IoU 0.5, the whole area under the curve.

A detection goes to the box of its class that it overlaps most, taken or not, difficult or not. It
is right if it is the best one to go there with IoU 0.5 or more, and neither right nor wrong if that
box is difficult (our ignored boxes are, and a Sofa bed is a difficult Couch too). Detections
without an area are as if not there.
Corners are points, as in tensorflow/models; the kit that VOC's organizers gave out takes them for
pixels that belong to the box, and adds one to each width and height.
http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html
"""

import numpy as np

from dminity.detection.detections import Detections, GroundTruth
from dminity.evaluation.matches import Matches
from dminity.evaluation.overlaps import (
    best_pairs,
    flat,
    ious,
    overlapping,
    ranks,
    with_general_names,
)

LEAST_IOU = 0.5


def match(
    truths: list[GroundTruth], detections: list[Detections], classes: tuple[str, ...]
) -> Matches:
    """Which detections are right.

    Args:
        truths: what is in each photo.
        detections: what was found in each photo, in the same order.
        classes: their names.
    """
    found, named = flat(truths, detections)
    boxes = with_general_names(named, classes)
    found = found.where(found.areas() > 0)
    pairs = overlapping(found, boxes)
    values = ious(pairs, found, boxes)
    best = best_pairs(pairs, values)
    best = best[values[best] >= LEAST_IOU]
    hits, hit = pairs.found[best], pairs.boxes[best]
    difficult = boxes.special[hit]
    right = np.zeros((1, len(found.scores)), np.bool_)
    listed = np.ones_like(right)
    right[0, hits] = ~difficult & (ranks(hit) == 0)
    listed[0, hits] = ~difficult
    positives = boxes.counted(~boxes.special, len(truths), len(classes))
    return Matches(found.photos, found.class_ids, right, listed, positives)
