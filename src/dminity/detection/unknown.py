"""What is not known of an image: the map that the loader makes and the losses read.

Nobody looks for every class in every photo: Open Images boxes those only that people or a machine
thought of. A map [H / 8, W / 8], int64, says for each cell of an image of H x W pixels in which
classes what is there is unknown: a bit for each, and one that stands for all that there is. Where
all is known it is 0. The finest anchor points of YOLOX lie at the centers of its cells.
"""

from collections.abc import Iterable

from dminity.core.errors import DminityError

# Pixels of a cell's side.
CELL = 8
# Here may be anything, of any class, any number of times: part of a group.
ANYTHING = 1
# Of 64 bits, one is ANYTHING's and one the sign.
MOST_CLASSES = 62


class TooManyClasses(DminityError):
    """A map has no room for so many classes."""


def bits_of(class_ids: Iterable[int]) -> int:
    """The bits of some classes, each from 0 to 61.

    >>> bin(bits_of([0, 2]))
    '0b1010'

    Raises:
        TooManyClasses: for a class beyond those.
    """
    bits = 0
    for class_id in class_ids:
        if class_id >= MOST_CLASSES:
            raise TooManyClasses(
                f"what nobody looked for can be told of {MOST_CLASSES} classes, and class number "
                f"{class_id + 1} is one of them; set train.unverified=absent, or choose fewer"
            )
        bits |= 2 << class_id
    return bits
