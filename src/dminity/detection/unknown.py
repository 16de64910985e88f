"""What is not known of an image: the map that the loader makes and the losses read.

Nobody looks for every class in every photo: Open Images boxes those only that people or a machine
thought of. A map [H / 4, W / 4], int64, says of points of an image of H x W pixels of which
classes it is unknown whether they are there: a bit for each, and one that stands for all that there
is. Where all is known it is 0. Its entry [r, c] is that of the point x = 4 c, y = 4 r in pixels:
among these points are the centers of all anchors of YOLOX, which lie at 4, 12, 20, ... for the
stride 8, at 8, 24, 40, ... for 16 and at 16, 48, 80, ... for 32.
"""

from collections.abc import Iterable

from dminity.core.errors import DminityError

# Pixels from point to point.
SPACING = 4
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
