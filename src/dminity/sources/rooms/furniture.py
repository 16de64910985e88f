"""Furniture, textiles and what belongs to the building, put together from solids."""

from dminity.sources.rooms import designs as palette
from dminity.sources.rooms.designs import Catalog, Solids, design, legs
from dminity.sources.rooms.solids import Color, ball, box, cushion, drum, soft

FURNITURE: Catalog = {}


@design(FURNITURE, "Bed", palette.NAVY, palette.SAGE, palette.CORAL, palette.PLUM)
def _bed(accent: Color) -> Solids:
    return [
        soft((1.8, 0.14, 1.15), (0, 1.05, 0), palette.WALNUT),
        box((1.7, 2.0, 0.22), (0, -0.03, 0.1), palette.WALNUT),
        soft((1.64, 1.96, 0.24), (0, -0.02, 0.32), palette.WHITE, 0.08).bearing(),
        soft((1.74, 1.3, 0.1), (0, -0.38, 0.56), accent, 0.045),
        soft((1.74, 0.22, 0.13), (0, 0.38, 0.56), palette.WHITE, 0.05),
        box((1.74, 0.05, 0.4), (0, -1.055, 0.18), accent),
        *legs(1.5, 1.8, 0.1, 0.1, palette.WALNUT),
    ]


@design(FURNITURE, "Billiard table", (36, 140, 84), (30, 128, 100))
def _billiard_table(accent: Color) -> Solids:
    rails = [box((2.2, 0.12, 0.2), (0, y, 0.68), palette.WALNUT) for y in (0.56, -0.56)]
    rails += [box((0.12, 1.0, 0.2), (x, 0, 0.68), palette.WALNUT) for x in (-1.04, 1.04)]
    pockets = [
        drum((0.13, 0.13, 0.012), (x, y, 0.881), palette.BLACK)
        for x in (-1.0, 0, 1.0)
        for y in (0.53, -0.53)
    ]
    places = ((-0.5, 0.1), (0.3, 0.2), (0.42, 0.08), (0.5, 0.22), (0.62, 0.1), (0.1, -0.25))
    tones = (
        palette.WHITE,
        palette.RED,
        palette.MUSTARD,
        palette.NAVY,
        palette.BLACK,
        palette.FLAME,
    )
    balls = [
        ball((0.1, 0.1, 0.1), (x, y, 0.82), tone)
        for (x, y), tone in zip(places, tones, strict=True)
    ]
    return [
        box((1.96, 1.0, 0.12), (0, 0, 0.7), accent),
        *rails,
        *pockets,
        *balls,
        *legs(1.8, 0.8, 0.68, 0.2, palette.WALNUT),
    ]


@design(FURNITURE, "Ceiling fan", palette.OAK, palette.WALNUT, palette.WHITE)
def _ceiling_fan(accent: Color) -> Solids:
    blade = box((0.76, 0.03, 0.2), (0.54, -0.07, 0.22), accent, shift=(0, 5))
    return [
        drum((0.24, 0.24, 0.06), (0, 0, 0.66), palette.CHROME),
        drum((0.06, 0.06, 0.3), (0, 0, 0.36), palette.CHROME),
        *(blade.turned(angle) for angle in (100, 28, 172, 316, 244)),
        drum((0.32, 0.32, 0.1), (0, 0, 0.24), palette.CHARCOAL),
        ball((0.34, 0.34, 0.26), (0, 0, 0), palette.GLOW).glowing(),
    ]


@design(FURNITURE, "Television", palette.BLACK)
def _television(accent: Color) -> Solids:
    return [
        box((1.4, 0.06, 0.82), (0, 0, 0.08), accent),
        box((1.3, 0.01, 0.72), (0, -0.035, 0.13), (86, 150, 236)).glowing(),
        drum((0.24, 0.01, 0.24), (0.36, -0.045, 0.54), palette.GLOW, axis=1).glowing(),
        box((1.3, 0.01, 0.3), (0, -0.055, 0.13), (150, 84, 190), taper=(0.35, 1)).glowing(),
        box((1.3, 0.01, 0.16), (0, -0.065, 0.13), (52, 178, 110)).glowing(),
        box((0.5, 0.2, 0.03), (0, 0, 0), accent),
        box((0.1, 0.05, 0.05), (0, 0, 0.03), accent),
    ]


@design(FURNITURE, "Kitchen & dining room table", palette.PINE, palette.OAK, (176, 122, 84))
def _table(accent: Color) -> Solids:
    return [
        box((1.7, 0.95, 0.07), (0, 0, 0.72), accent).bearing(),
        box((1.5, 0.8, 0.1), (0, 0, 0.62), palette.WALNUT),
        *legs(1.46, 0.74, 0.62, 0.1, accent),
        box((0.4, 0.96, 0.01), (0, 0, 0.79), palette.CORAL),
        drum((0.4, 0.34, 0.1), (0, 0, 0.8), palette.WHITE, taper=1.7),
        *(
            ball((0.13, 0.13, 0.13), (x, 0, 0.88), c)
            for x, c in ((-0.1, palette.RED), (0.1, palette.LEAF))
        ),
    ]


@design(FURNITURE, "Stairs", palette.OAK, palette.PINE, palette.WALNUT)
def _stairs(accent: Color) -> Solids:
    steps: Solids = []
    for step in range(7):
        x, height = 0.27 * (step - 3), 0.21 * (step + 1)
        steps += [
            box((0.27, 0.9, height - 0.05), (x, 0, 0), palette.CREAM),
            box((0.3, 0.94, 0.05), (x - 0.015, 0, height - 0.05), accent),
            box((0.04, 0.04, 0.6), (x, 0.4, height), palette.WHITE),
        ]
    rail = box((0.3, 0.07, 1.26), (-0.81, 0.4, 0.81), accent, shift=(5.4, 0))
    return [*steps, rail]


@design(FURNITURE, "Fireplace", (178, 92, 74), palette.STONE, (150, 110, 96))
def _fireplace(accent: Color) -> Solids:
    flames = ((-0.2, 0.34, palette.FLAME), (0.0, 0.5, palette.FLAME), (0.2, 0.38, palette.FLAME))
    return [
        *(box((0.34, 0.5, 1.0), (x, 0, 0.08), accent) for x in (-0.55, 0.55)),
        box((0.76, 0.06, 0.8), (0, 0.22, 0.08), palette.BLACK),
        box((1.44, 0.5, 0.2), (0, 0, 1.08), accent),
        box((0.76, 0.5, 0.2), (0, 0, 0.88), palette.CHARCOAL),
        box((1.64, 0.6, 0.08), (0, -0.03, 1.28), palette.WALNUT).bearing(),
        box((1.6, 0.8, 0.08), (0, -0.12, 0), palette.CHARCOAL),
        *(drum((0.6, 0.1, 0.1), (0, y, 0.08), palette.WALNUT, axis=0) for y in (0.05, -0.1)),
        *(drum((0.24, 0.1, h), (x, 0.05, 0.18), c, 0.05).glowing() for x, h, c in flames),
        *(
            drum((0.14, 0.06, h * 0.6), (x, -0.05, 0.18), palette.GLOW, 0.05).glowing()
            for x, h, _ in flames
        ),
    ]


@design(FURNITURE, "Pillow", palette.CORAL, palette.MUSTARD, palette.TEAL, palette.PLUM)
def _pillow(accent: Color) -> Solids:
    return [cushion((0.86, 0.32, 0.64), (0, 0, 0), accent)]


@design(FURNITURE, "heap of pillows", palette.CORAL, palette.MUSTARD, palette.TEAL)
def _heap_of_pillows(accent: Color) -> Solids:
    spots = [(-0.6, 0.2, 0), (0, 0.24, 0), (0.6, 0.2, 0), (-0.3, 0.1, 0.4), (0.3, 0.1, 0.4)]
    spots += [(-0.34, -0.15, 0), (0.3, -0.15, 0)]
    tones = (accent, palette.CREAM, palette.SKY, palette.PLUM, accent, palette.SAGE, accent)
    return [cushion((0.62, 0.26, 0.5), at, c) for at, c in zip(spots, tones, strict=True)]


@design(FURNITURE, "Mirror", palette.GOLD, (196, 120, 84))
def _mirror(accent: Color) -> Solids:
    return [
        drum((0.84, 0.05, 1.2), (0, 0, 0), accent, axis=1),
        drum((0.7, 0.02, 1.06), (0, -0.035, 0.07), (188, 220, 234), axis=1).glowing(),
        *(
            box((width, 0.01, 0.5), (x, -0.05, 0.3), (232, 246, 252), shift=(shift, 0)).glowing()
            for x, width, shift in ((-0.16, 0.12, 2.0), (0.06, 0.05, 4.8))
        ),
    ]


def _seats(accent: Color) -> Solids:
    """The back and arms that a couch and a sofa bed share."""
    return [
        soft((2.1, 0.26, 0.85), (0, 0.36, 0.08), accent, 0.1),
        *(soft((0.26, 0.72, 0.6), (x, -0.12, 0.08), accent, 0.1) for x in (-0.92, 0.92)),
    ]


@design(FURNITURE, "Couch", palette.TEAL, palette.RUST, (96, 116, 150))
def _couch(accent: Color) -> Solids:
    return [
        *_seats(accent),
        box((1.58, 0.7, 0.28), (0, -0.12, 0.08), accent),
        *(
            soft((0.78, 0.72, 0.2), (x, -0.14, 0.36), accent, 0.08).bearing()
            for x in (-0.395, 0.395)
        ),
        *legs(1.9, 0.8, 0.08, 0.08, palette.WALNUT),
    ]


@design(FURNITURE, "Sofa bed", (140, 140, 150), (156, 130, 120))
def _sofa_bed(accent: Color) -> Solids:
    stripes = [box((1.5, 0.1, 0.012), (0, y, 0.44), palette.SKY) for y in (-0.45, -0.75, -1.05)]
    return [
        *_seats(accent),
        box((1.58, 1.3, 0.14), (0, -0.42, 0.1), palette.STEEL),
        soft((1.56, 1.44, 0.2), (0, -0.5, 0.24), palette.CREAM, 0.07).bearing(),
        *stripes,
        *(box((0.06, 0.06, 0.1), (x, -1.0, 0), palette.BLACK) for x in (-0.7, 0.7)),
        *legs(1.9, 0.8, 0.08, 0.08, palette.BLACK),
    ]


@design(FURNITURE, "Countertop", (96, 124, 140), palette.SAGE, (224, 220, 210))
def _countertop(accent: Color) -> Solids:
    doors = [x * 0.5 for x in (-1.5, -0.5, 0.5, 1.5)]
    return [
        box((2.0, 0.6, 0.78), (0, 0, 0.08), accent),
        box((2.0, 0.5, 0.08), (0, 0.05, 0), palette.CHARCOAL),
        box((2.08, 0.68, 0.07), (0, 0, 0.86), (236, 226, 210)).bearing(),
        *(box((0.46, 0.02, 0.7), (x, -0.31, 0.12), accent) for x in doors),
        *(box((0.16, 0.03, 0.03), (x, -0.335, 0.74), palette.GOLD) for x in doors),
    ]


@design(FURNITURE, "Towel", palette.CORAL, palette.TEAL, palette.MUSTARD)
def _towel(accent: Color) -> Solids:
    return [
        drum((0.9, 0.04, 0.04), (0, -0.08, 0.86), palette.CHROME, axis=0),
        *(box((0.04, 0.1, 0.04), (x, -0.05, 0.86), palette.CHROME) for x in (-0.43, 0.43)),
        soft((0.64, 0.1, 0.9), (0, -0.15, 0.02), accent, 0.04),
        *(box((0.64, 0.012, 0.06), (0, -0.206, z), palette.WHITE) for z in (0.16, 0.26, 0.66)),
        *(box((0.03, 0.02, 0.06), (x * 0.1, -0.15, -0.04), palette.WHITE) for x in range(-3, 4)),
    ]


@design(FURNITURE, "stack of towels", palette.CORAL, palette.TEAL, palette.MUSTARD)
def _stack_of_towels(accent: Color) -> Solids:
    tones = (accent, palette.WHITE, palette.SKY, accent, palette.CREAM, palette.BLUSH, accent)
    return [
        soft((0.66, 0.42, 0.1), (0.01 * (-1) ** i, 0, 0.1 * i), tone, 0.045)
        for i, tone in enumerate(tones)
    ]


@design(FURNITURE, "Wine rack", palette.PINE, palette.OAK)
def _wine_rack(accent: Color) -> Solids:
    tones = (palette.FOREST, (120, 30, 56), (60, 92, 60))
    holes = [(0.26 * (column - 1), 0.3 * row) for row in range(4) for column in range(3)]
    bottles: Solids = []
    for i, (x, z) in enumerate(holes):
        bottles += [
            drum((0.19, 0.1, 0.19), (x, -0.17, z + 0.08), tones[i % 3], axis=1),
            drum((0.09, 0.08, 0.09), (x, -0.26, z + 0.13), palette.GOLD, axis=1),
        ]
    return [
        box((0.84, 0.3, 1.24), (0, 0.04, 0), palette.WALNUT),
        *(box((0.04, 0.1, 1.24), (x * 0.27, -0.16, 0), accent) for x in (-1.5, -0.5, 0.5, 1.5)),
        *(box((0.77, 0.1, 0.04), (0, -0.16, 0.3 * row), accent) for row in range(5)),
        *bottles,
    ]


@design(FURNITURE, "cabinet", palette.WALNUT, palette.OAK)
def _cabinet(accent: Color) -> Solids:
    return [
        box((0.9, 0.5, 0.66), (0, 0, 0.08), accent),
        box((0.96, 0.56, 0.05), (0, 0, 0.74), palette.CREAM).bearing(),
        *(box((0.4, 0.02, 0.56), (x, -0.26, 0.13), accent) for x in (-0.22, 0.22)),
        *(ball((0.05, 0.04, 0.05), (x, -0.29, 0.42), palette.GOLD) for x in (-0.06, 0.06)),
        *legs(0.8, 0.4, 0.08, 0.06, palette.BLACK),
    ]


@design(FURNITURE, "plant", palette.RUST, palette.WHITE, palette.MUSTARD)
def _plant(accent: Color) -> Solids:
    leaves = (
        (-0.16, 0, 0.5),
        (0.16, 0, 0.55),
        (0, 0.1, 0.8),
        (-0.08, -0.1, 0.65),
        (0.1, -0.08, 0.75),
    )
    tones = (palette.LEAF, palette.FOREST, palette.LEAF, palette.LEAF, palette.FOREST)
    return [
        drum((0.4, 0.4, 0.36), (0, 0, 0), accent, taper=1.3),
        drum((0.06, 0.06, 0.3), (0, 0, 0.36), palette.WALNUT),
        *(ball((0.3, 0.26, 0.5), at, t) for at, t in zip(leaves, tones, strict=True)),
    ]


@design(FURNITURE, "hedge", palette.FOREST, palette.LEAF)
def _hedge(accent: Color) -> Solids:
    tones = (accent, palette.FOREST, palette.LEAF)
    return [soft((1.3, 0.7, 1.25), (1.25 * i, 0, 0), tones[i % 3], 0.3) for i in range(-6, 7)]


@design(FURNITURE, "picture", palette.OAK, palette.GOLD, palette.BLACK)
def _picture(accent: Color) -> Solids:
    return [
        box((0.7, 0.04, 0.52), (0, 0, 0), accent),
        box((0.6, 0.01, 0.42), (0, -0.025, 0.05), palette.CREAM),
        box((0.5, 0.01, 0.2), (0, -0.035, 0.07), palette.SAGE, taper=(0.5, 1)),
        drum((0.12, 0.01, 0.12), (0.1, -0.035, 0.3), palette.CORAL, axis=1),
    ]
