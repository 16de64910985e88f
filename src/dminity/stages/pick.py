"""pick: the photos that each bucket is to fetch."""

from dminity.core.amenities import buckets
from dminity.core.stage import INDEX, PICKED, run
from dminity.data import tables
from dminity.data.picking import pick
from dminity.params import load_params


def main() -> None:
    """Pick by the boxes of the index; another limit reads no published file again."""
    params = load_params()
    boxes = tables.read(INDEX / "boxes.parquet", tables.BOXES)
    images = pick(boxes, params.limit_per_class, params.seed)
    for bucket in buckets():
        rows = images[images["bucket"] == bucket]
        tables.write(rows, PICKED / f"{bucket}.parquet", tables.IMAGES)


if __name__ == "__main__":
    run(main)
