"""The 30 home amenities: the one list that every other part takes its classes from.

Names and codes are Open Images' own (`class-descriptions-boxable.csv`), letter for letter.
Their order is the order of the model's classes, and ten at a time they form the buckets in which
photos are fetched.
"""

from typing import NamedTuple

BUCKET_SIZE = 10


class Amenity(NamedTuple):
    """A class of object: its display name and its Open Images code."""

    name: str
    code: str


AMENITIES = (
    Amenity("Toilet", "/m/09g1w"),
    Amenity("Swimming pool", "/m/0b_rs"),
    Amenity("Bed", "/m/03ssj5"),
    Amenity("Billiard table", "/m/04p0qw"),
    Amenity("Sink", "/m/0130jx"),
    Amenity("Fountain", "/m/0220r2"),
    Amenity("Oven", "/m/029bxz"),
    Amenity("Ceiling fan", "/m/03ldnb"),
    Amenity("Television", "/m/07c52"),
    Amenity("Microwave oven", "/m/0fx9l"),
    Amenity("Gas stove", "/m/02wv84t"),
    Amenity("Refrigerator", "/m/040b_t"),
    Amenity("Kitchen & dining room table", "/m/0h8n5zk"),
    Amenity("Washing machine", "/m/0174k2"),
    Amenity("Bathtub", "/m/03dnzn"),
    Amenity("Stairs", "/m/01lynh"),
    Amenity("Fireplace", "/m/03tw93"),
    Amenity("Pillow", "/m/034c16"),
    Amenity("Mirror", "/m/054_l"),
    Amenity("Shower", "/m/02f9f_"),
    Amenity("Couch", "/m/02crq1"),
    Amenity("Countertop", "/m/0b3fp9"),
    Amenity("Coffeemaker", "/m/07xyvk"),
    Amenity("Dishwasher", "/m/0ky7b"),
    Amenity("Sofa bed", "/m/03m3pdh"),
    Amenity("Tree house", "/m/02wg_p"),
    Amenity("Towel", "/m/0162_1"),
    Amenity("Porch", "/m/04m6gz"),
    Amenity("Wine rack", "/m/0271qf7"),
    Amenity("Jacuzzi", "/m/065h6l"),
)

NAMES = tuple(amenity.name for amenity in AMENITIES)
NAME_OF_CODE = {amenity.code: amenity.name for amenity in AMENITIES}

# The amenities that COCO knows too, with their position among COCO's 80 classes
# (https://cocodataset.org: couch, bed, dining table, toilet, tv, microwave, oven, sink,
# refrigerator).
COCO_CLASSES = 80
COCO_TWIN = {
    "Couch": 57,
    "Bed": 59,
    "Kitchen & dining room table": 60,
    "Toilet": 61,
    "Television": 62,
    "Microwave oven": 68,
    "Oven": 69,
    "Sink": 71,
    "Refrigerator": 72,
}


def buckets() -> dict[str, tuple[str, ...]]:
    """The class names of each bucket, by the bucket's name.

    >>> {bucket: names[0] for bucket, names in buckets().items()}
    {'01-10': 'Toilet', '11-20': 'Gas stove', '21-30': 'Couch'}
    """
    starts = range(0, len(NAMES), BUCKET_SIZE)
    return {
        f"{start + 1:02}-{start + BUCKET_SIZE}": NAMES[start : start + BUCKET_SIZE]
        for start in starts
    }
