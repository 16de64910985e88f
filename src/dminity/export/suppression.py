"""The detector as an ONNX file that gives final boxes, non-maximum suppression inside."""

from pathlib import Path

import onnx
from onnx import compose, parser

from dminity.detection.kinds import said_together

# What `network/prediction.py` does with one photo: the classes that each anchor says, their scores
# times the objectness; those of a high enough score; of boxes of a class that overlap by more than
# the IoU, the better one. `by_class` is 0 where an anchor does not say a class, and
# NonMaxSuppression takes what is above its threshold. It goes class by class: TopK puts all in
# order, best first.
SUPPRESSION = """
<ir_version: 10, opset_import: ["": 20]>
suppression (float[1, anchors, columns] predictions, float min_score, float nms_iou)
    => (float[found, 4] boxes, float[found] scores, int64[found] class_ids)
<
    float half = {0.5}, float zero = {0}, int64 all = {2147483647}, int64[1] at_0 = {0},
    int64[1] at_1 = {1}, int64[1] at_2 = {2}, int64[1] at_3 = {3}, int64[1] at_4 = {4},
    int64[1] at_5 = {5}, int64[1] the_end = {2147483647}, int64 class_column = {1},
    int64 anchor_column = {2}, TOGETHER
>
{
    rows = Squeeze(predictions, at_0)
    objectness = Slice(rows, at_4, at_5, at_1)
    class_scores = Slice(rows, at_5, the_end, at_1)
    row_scores = Mul(objectness, class_scores)
    row_class = ArgMax<axis = 1, keepdims = 0>(class_scores)
    row_best = ReduceMax<keepdims = 0>(row_scores, at_1)

    enough = GreaterOrEqual(row_best, min_score)
    seen = Compress<axis = 0>(rows, enough)
    seen_scores = Compress<axis = 0>(row_scores, enough)
    seen_class = Compress<axis = 0>(row_class, enough)
    center = Slice(seen, at_0, at_2, at_1)
    size = Slice(seen, at_2, at_4, at_1)
    half_size = Mul(size, half)
    top_left = Sub(center, half_size)
    bottom_right = Add(center, half_size)
    corners = Concat<axis = 1>(top_left, bottom_right)

    is_high = GreaterOrEqual(seen_scores, min_score)
    is_said = Gather(together, seen_class)
    counts = And(is_said, is_high)
    said_scores = Where(counts, seen_scores, zero)
    by_class = Transpose<perm = [1, 0]>(said_scores)
    photo_scores = Unsqueeze(by_class, at_0)
    photo_corners = Unsqueeze(corners, at_0)
    kept = NonMaxSuppression(photo_corners, photo_scores, all, nms_iou, zero)
    kept_rows = Gather<axis = 1>(kept, anchor_column)
    kept_classes = Gather<axis = 1>(kept, class_column)
    kept_class_and_row = Slice(kept, at_1, at_3, at_1)
    kept_scores = GatherND(by_class, kept_class_and_row)
    count = Shape(kept_scores)
    scores, order = TopK(kept_scores, count)
    best_rows = Gather(kept_rows, order)
    boxes = Gather(corners, best_rows)
    class_ids = Gather(kept_classes, order)
}
"""


def write_with_suppression(source: Path, path: Path, classes: tuple[str, ...]) -> None:
    """Write the network of `source` with what follows it, for one photo at a time.

    classes: their names, which say of what an anchor has two (`detection/kinds.py`).

    Inputs: `images` [1, 3, H, W] float32, as in `source`; `min_score` and `nms_iou`, float32
    scalars, 0-1. Outputs, best first: `boxes` [N, 4] float32, xyxy in pixels of the input, not cut
    at its edges; `scores` [N] float32, 0-1; `class_ids` [N] int64. The metadata are those of
    `source`.
    """
    network = onnx.load(source)
    for value in (*network.graph.input, *network.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    # Shapes of any number of photos.
    del network.graph.value_info[:]
    suppression = parser.parse_model(SUPPRESSION.replace("TOGETHER", _together(classes)))
    model = compose.merge_models(network, suppression, io_map=[("predictions", "predictions")])
    # The same one of both.
    del model.opset_import[1:]
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _together(classes: tuple[str, ...]) -> str:
    """Which classes an anchor says, as a constant of the graph."""
    table = said_together(classes)
    values = ", ".join(str(int(value)) for value in table.ravel())
    return f"bool[{len(table)}, {len(table)}] together = {{{values}}}"
