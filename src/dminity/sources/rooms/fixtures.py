"""Appliances, plumbing and what stands in the garden, put together from solids."""

from dminity.sources.rooms import designs as palette
from dminity.sources.rooms.designs import Catalog, Solids, corners, design, legs
from dminity.sources.rooms.solids import Color, ball, box, drum, soft

FIXTURES: Catalog = {}


@design(FIXTURES, "Toilet", palette.OAK, palette.SKY, palette.BLUSH)
def _toilet(accent: Color) -> Solids:
    return [
        soft((0.56, 0.22, 0.46), (0, 0.32, 0.42), palette.WHITE),
        drum((0.1, 0.1, 0.03), (0, 0.32, 0.88), palette.CHROME),
        box((0.34, 0.3, 0.42), (0, 0.26, 0), palette.WHITE),
        drum((0.46, 0.6, 0.4), (0, -0.2, 0), palette.WHITE, taper=1.5),
        drum((0.5, 0.64, 0.06), (0, -0.2, 0.4), accent),
        drum((0.3, 0.42, 0.01), (0, -0.2, 0.46), palette.SKY),
        drum((0.46, 0.05, 0.5), (0, 0.17, 0.47), accent, axis=1),
    ]


@design(FIXTURES, "Swimming pool", palette.STONE, palette.CREAM)
def _swimming_pool(accent: Color) -> Solids:
    rim = [box((3.4, 0.25, 0.16), (0, y, 0), accent) for y in (1.08, -1.08)]
    rim += [box((0.25, 1.91, 0.16), (x, 0, 0), accent) for x in (-1.57, 1.57)]
    ripples = [
        box((0.7, 0.05, 0.01), (x, y, 0.1), (150, 232, 244)).glowing()
        for x, y in ((-0.8, 0.6), (0.5, 0.75), (-0.2, 0.1), (0.9, -0.2), (-0.9, -0.5), (0.1, -0.7))
    ]
    ladder = [drum((0.06, 0.06, 0.55), (x, 1.0, 0.16), palette.CHROME) for x in (0.8, 1.2)]
    return [
        box((2.9, 1.9, 0.1), (0, 0, 0), (38, 176, 214)).glowing(),
        *rim,
        *ripples,
        *ladder,
        *(box((0.4, 0.05, 0.05), (1.0, 1.0, z), palette.CHROME) for z in (0.3, 0.5)),
    ]


@design(FIXTURES, "Sink", palette.WHITE, (226, 236, 244))
def _sink(accent: Color) -> Solids:
    return [
        drum((0.79, 0.53, 0.24), (0, 0, 0), accent, taper=1.4),
        drum((0.67, 0.41, 0.01), (0, 0, 0.24), (150, 186, 206)),
        drum((0.1, 0.1, 0.01), (0, 0, 0.26), palette.CHARCOAL),
        drum((0.08, 0.08, 0.6), (0, 0.31, 0), palette.CHROME),
        drum((0.08, 0.36, 0.08), (0, 0.17, 0.6), palette.CHROME, axis=1),
        drum((0.07, 0.07, 0.12), (0, 0.02, 0.48), palette.CHROME),
        *(
            ball((0.12, 0.12, 0.12), (x, 0.31, 0.24), tone)
            for x, tone in ((-0.19, palette.RED), (0.19, palette.NAVY))
        ),
    ]


@design(FIXTURES, "Fountain", palette.STONE, (206, 196, 188))
def _fountain(accent: Color) -> Solids:
    jets = [
        ball((0.16, 0.16, 0.16), (x, y, 0.3), palette.WHITE).glowing() for x, y in corners(0.8, 0.8)
    ]
    return [
        drum((1.8, 1.8, 0.36), (0, 0, 0), accent, taper=1.1),
        drum((1.55, 1.55, 0.02), (0, 0, 0.36), (92, 184, 226)).glowing(),
        drum((0.24, 0.24, 0.5), (0, 0, 0.38), accent),
        drum((1.0, 1.0, 0.22), (0, 0, 0.86), accent, taper=2.2),
        drum((0.84, 0.84, 0.02), (0, 0, 1.08), (92, 184, 226)).glowing(),
        drum((0.16, 0.16, 0.25), (0, 0, 1.1), accent),
        drum((0.5, 0.5, 0.14), (0, 0, 1.35), accent, taper=2.0),
        drum((0.3, 0.3, 0.5), (0, 0, 1.5), (206, 240, 252), taper=0.2).glowing(),
        *(jet for jet in jets),
    ]


@design(FIXTURES, "Oven", (92, 62, 48), (70, 60, 62))
def _oven(accent: Color) -> Solids:
    return [
        box((0.8, 0.6, 2.0), (0, 0, 0), accent),
        box((0.7, 0.03, 0.74), (0, -0.32, 0.86), palette.BLACK),
        box((0.52, 0.02, 0.38), (0, -0.34, 0.96), palette.FLAME).glowing(),
        *(box((0.5, 0.01, 0.03), (0, -0.36, z), (120, 56, 22)) for z in (1.06, 1.2)),
        box((0.6, 0.04, 0.04), (0, -0.36, 1.42), palette.CHROME),
        *(drum((0.07, 0.04, 0.07), (x, -0.35, 1.5), palette.CHROME, axis=1) for x in (-0.24, 0.24)),
        box((0.2, 0.01, 0.07), (0, -0.34, 1.5), palette.AQUA).glowing(),
        *(box((0.7, 0.02, 0.36), (0, -0.31, z), palette.WALNUT) for z in (0.08, 0.47, 1.63)),
    ]


@design(FIXTURES, "Microwave oven", palette.STEEL, palette.CREAM, (224, 226, 228))
def _microwave_oven(accent: Color) -> Solids:
    keys = [(x, z) for x in (0.24, 0.32) for z in (0.12, 0.2, 0.29)]
    return [
        soft((0.86, 0.5, 0.5), (0, 0, 0), accent, 0.04),
        box((0.55, 0.02, 0.38), (-0.12, -0.26, 0.06), palette.BLACK),
        box((0.46, 0.01, 0.29), (-0.12, -0.28, 0.11), palette.GLOW).glowing(),
        drum((0.31, 0.01, 0.05), (-0.12, -0.29, 0.12), palette.WHITE),
        box((0.19, 0.01, 0.38), (0.28, -0.26, 0.06), palette.BLACK),
        box((0.16, 0.01, 0.07), (0.28, -0.28, 0.36), (110, 240, 150)).glowing(),
        *(box((0.06, 0.01, 0.05), (x, -0.28, z), palette.WHITE) for x, z in keys),
    ]


@design(FIXTURES, "Gas stove", palette.CREAM, palette.WHITE)
def _gas_stove(accent: Color) -> Solids:
    burners = [(x * 0.44, y * 0.3) for y in (1, -1) for x in (0.5, -0.5)]
    return [
        box((0.86, 0.62, 0.86), (0, 0, 0), accent),
        box((0.86, 0.04, 0.3), (0, 0.33, 0.86), palette.STEEL),
        box((0.86, 0.62, 0.04), (0, 0, 0.86), palette.CHARCOAL),
        *(drum((0.26, 0.22, 0.03), (x, y, 0.9), palette.BLACK) for x, y in burners),
        *(
            drum((0.22, 0.19, 0.09), (x, y, 0.93), (70, 130, 255), 0.5).glowing()
            for x, y in burners
        ),
        *(
            drum((0.09, 0.05, 0.09), (x * 0.17, -0.34, 0.74), palette.RED, axis=1)
            for x in range(-2, 3)
        ),
        box((0.7, 0.02, 0.5), (0, -0.32, 0.16), palette.STEEL),
        box((0.6, 0.04, 0.03), (0, -0.35, 0.58), palette.CHROME),
        box((0.86, 0.01, 0.08), (0, -0.32, 0), palette.CHARCOAL),
    ]


@design(FIXTURES, "Refrigerator", (200, 208, 214), (176, 206, 198), (214, 92, 82))
def _refrigerator(accent: Color) -> Solids:
    magnets = ((-0.2, 1.7, palette.RED), (-0.1, 1.55, palette.MUSTARD), (0.05, 1.68, palette.AQUA))
    return [
        soft((0.9, 0.66, 2.0), (0, 0, 0.04), accent, 0.05),
        box((0.9, 0.02, 0.02), (0, -0.33, 1.3), palette.CHARCOAL),
        drum((0.05, 0.05, 0.4), (-0.34, -0.37, 1.4), palette.CHROME),
        drum((0.05, 0.05, 0.7), (-0.34, -0.37, 0.52), palette.CHROME),
        *(box((0.1, 0.01, 0.1), (x, -0.34, z), tone) for x, z, tone in magnets),
        *legs(0.7, 0.5, 0.04, 0.1, palette.BLACK),
    ]


@design(FIXTURES, "Washing machine", palette.WHITE)
def _washing_machine(accent: Color) -> Solids:
    return [
        soft((0.8, 0.64, 0.95), (0, 0, 0), accent, 0.03).bearing(),
        drum((0.6, 0.03, 0.6), (0, -0.33, 0.1), palette.CHROME, axis=1),
        drum((0.48, 0.03, 0.48), (0, -0.35, 0.16), (44, 70, 120), axis=1),
        drum((0.34, 0.02, 0.2), (0, -0.37, 0.18), palette.AQUA, axis=1).glowing(),
        box((0.26, 0.02, 0.1), (-0.22, -0.33, 0.8), palette.STEEL),
        drum((0.1, 0.04, 0.1), (0.06, -0.34, 0.8), palette.NAVY, axis=1),
        box((0.18, 0.02, 0.07), (0.25, -0.33, 0.81), (110, 240, 150)).glowing(),
    ]


@design(FIXTURES, "Bathtub", palette.SKY, palette.BLUSH, palette.SAGE)
def _bathtub(accent: Color) -> Solids:
    suds = ((-0.5, 0.1), (-0.3, -0.08), (-0.1, 0.08), (0.12, -0.04))
    return [
        drum((1.7, 0.8, 0.5), (0, 0, 0.12), accent, taper=1.25),
        drum((1.8, 0.88, 0.06), (0, 0, 0.62), palette.WHITE),
        drum((1.6, 0.7, 0.01), (0, 0, 0.68), (150, 214, 232)),
        *(ball((0.28, 0.24, 0.14), (x, y, 0.69), palette.WHITE) for x, y in suds),
        *(ball((0.16, 0.16, 0.14), (x, y, 0), palette.GOLD) for x, y in corners(1.0, 0.5)),
        drum((0.06, 0.06, 0.4), (0.6, 0.2, 0.68), palette.GOLD),
        drum((0.3, 0.06, 0.06), (0.5, 0.2, 1.08), palette.GOLD, axis=0),
    ]


@design(FIXTURES, "Shower", (206, 224, 226), (190, 214, 220))
def _shower(accent: Color) -> Solids:
    drops = [(x, z) for x in (-0.12, 0, 0.12) for z in (0.5, 0.85, 1.2)]
    return [
        box((1.1, 0.04, 2.1), (0, 0.5, 0.12), accent),
        box((1.1, 1.0, 0.12), (0, 0, 0), palette.WHITE),
        *(box((1.1, 0.01, 0.01), (0, 0.47, z), palette.WHITE) for z in (0.5, 0.9, 1.3, 1.7, 2.1)),
        drum((0.06, 0.06, 1.2), (0, 0.42, 0.8), palette.CHROME),
        drum((0.06, 0.36, 0.06), (0, 0.24, 2.0), palette.CHROME, axis=1),
        drum((0.4, 0.4, 0.08), (0, 0.06, 1.92), palette.CHROME, taper=0.4),
        *(box((0.03, 0.03, 0.24), (x, 0.06, z), (120, 196, 240)).glowing() for x, z in drops),
        *(box((0.02, 0.94, 2.0), (x, 0, 0.12), (176, 224, 236)).glass(0.35) for x in (-0.53, 0.53)),
        box((1.0, 0.02, 2.0), (0, -0.48, 0.12), (176, 224, 236)).glass(0.3),
        *(box((0.05, 0.05, 2.1), (x, -0.48, 0.12), palette.CHROME) for x in (-0.53, 0.53)),
        box((1.1, 0.05, 0.05), (0, -0.48, 2.22), palette.CHROME),
        drum((0.04, 0.04, 0.4), (0.36, -0.53, 1.0), palette.CHARCOAL),
    ]


@design(FIXTURES, "Coffeemaker", palette.RED, (176, 44, 60))
def _coffeemaker(accent: Color) -> Solids:
    return [
        soft((0.55, 0.48, 0.1), (0, 0, 0), accent, 0.04),
        soft((0.5, 0.17, 0.41), (0, 0.14, 0.1), accent, 0.04),
        drum((0.31, 0.29, 0.26), (0, -0.1, 0.1), (88, 48, 30), taper=0.75),
        drum((0.24, 0.22, 0.04), (0, -0.1, 0.36), palette.BLACK),
        box((0.07, 0.05, 0.19), (0.19, -0.14, 0.14), palette.BLACK),
        soft((0.55, 0.48, 0.24), (0, 0, 0.5), accent, 0.05),
        drum((0.12, 0.02, 0.12), (0, -0.25, 0.56), palette.GLOW, axis=1).glowing(),
    ]


@design(FIXTURES, "Dishwasher", (188, 196, 204), (206, 210, 212))
def _dishwasher(accent: Color) -> Solids:
    tones = (palette.SKY, palette.WHITE, palette.AQUA, palette.WHITE, palette.SKY)
    plates = [(x * 0.1, tone) for x, tone in zip(range(-2, 3), tones, strict=True)]
    return [
        box((0.8, 0.04, 0.8), (0, 0.28, 0.06), palette.CHARCOAL),
        *(box((0.05, 0.6, 0.8), (x, 0, 0.06), accent) for x in (-0.38, 0.38)),
        box((0.8, 0.6, 0.06), (0, 0, 0), accent),
        box((0.8, 0.6, 0.08), (0, 0, 0.86), accent),
        box((0.8, 0.6, 0.05), (0, -0.6, 0.06), accent),
        box((0.66, 0.5, 0.01), (0, -0.6, 0.11), palette.STEEL),
        *(box((0.64, 0.66, 0.03), (0, -0.06, z), palette.NAVY) for z in (0.16, 0.5)),
        *(drum((0.03, 0.3, 0.3), (x, -0.2, 0.19), tone, axis=0) for x, tone in plates),
        *(drum((0.1, 0.1, 0.16), (x * 1.3, -0.2, 0.53), palette.CORAL) for x, _ in plates),
        box((0.66, 0.02, 0.06), (0, -0.31, 0.87), palette.BLACK),
    ]


@design(FIXTURES, "Tree house", (204, 140, 84), (190, 110, 76))
def _tree_house(accent: Color) -> Solids:
    leaves = (
        (-0.75, 0.2, 1.5),
        (0.75, 0.2, 1.6),
        (0, 0.55, 2.1),
        (-0.5, 0.4, 2.2),
        (0.5, 0.4, 2.2),
    )
    tones = (palette.LEAF, palette.LEAF, palette.FOREST, palette.LEAF, palette.LEAF)
    rungs = [
        box((0.34, 0.04, 0.05), (0.4, -0.62, z), palette.PINE) for z in (0.2, 0.45, 0.7, 0.95, 1.2)
    ]
    return [
        *(ball((1.3, 0.9, 1.0), at, tone) for at, tone in zip(leaves, tones, strict=True)),
        drum((0.5, 0.5, 1.35), (0, 0, 0), palette.WALNUT, taper=0.7),
        box((1.6, 1.2, 0.08), (0, 0, 1.35), palette.PINE),
        box((1.2, 0.8, 0.8), (0, 0.05, 1.43), accent),
        box((1.5, 1.1, 0.55), (0, 0.05, 2.23), palette.RED, taper=(1, 0.02)),
        box((0.34, 0.02, 0.55), (0.3, -0.36, 1.43), palette.WALNUT),
        box((0.34, 0.02, 0.34), (-0.28, -0.36, 1.68), palette.GLOW).glowing(),
        *(box((0.05, 0.05, 1.35), (x, -0.62, 0), palette.PINE) for x in (0.2, 0.6)),
        *rungs,
    ]


@design(FIXTURES, "Porch", (190, 206, 216), (226, 206, 170))
def _porch(accent: Color) -> Solids:
    posts = [
        box((0.14, 0.14, 2.0), (x, -0.75, 0.3), palette.WHITE) for x in (-1.35, -0.45, 0.45, 1.35)
    ]
    bars = [(side * (0.55 + 0.16 * i), side) for side in (-1, 1) for i in range(1, 5)]
    return [
        box((2.9, 0.1, 2.0), (0, 0.8, 0.3), accent),
        *(box((2.9, 0.01, 0.02), (0, 0.74, z), palette.STONE) for z in (0.7, 1.1, 1.5, 1.9)),
        box((0.7, 0.04, 1.6), (0, 0.71, 0.3), palette.RUST),
        *(box((0.5, 0.04, 0.6), (x, 0.71, 1.1), palette.GLOW).glowing() for x in (-0.9, 0.9)),
        box((2.9, 1.8, 0.3), (0, 0, 0), palette.OAK),
        box((0.8, 0.3, 0.15), (0, -1.05, 0), palette.OAK),
        *posts,
        *(box((0.78, 0.06, 0.06), (x, -0.75, 1.02), palette.WHITE) for x in (-0.9, 0.9)),
        *(box((0.05, 0.05, 0.72), (x, -0.75, 0.3), palette.WHITE) for x, _ in bars),
        box((3.1, 2.0, 0.12), (0, 0, 2.3), palette.WHITE),
        box((3.1, 2.0, 0.7), (0, 0, 2.42), (150, 78, 66), taper=(0.5, 0.02)),
    ]


@design(FIXTURES, "Jacuzzi", (170, 108, 66), (152, 98, 70))
def _jacuzzi(accent: Color) -> Solids:
    foam = (
        (-0.5, 0.2),
        (-0.2, -0.3),
        (0.1, 0.35),
        (0.4, -0.1),
        (0.0, 0.0),
        (0.5, 0.3),
        (-0.4, -0.1),
    )
    return [
        drum((1.9, 1.9, 0.8), (0, 0, 0), accent),
        drum((1.98, 1.98, 0.08), (0, 0, 0.8), palette.PINE),
        drum((1.66, 1.66, 0.01), (0, 0, 0.88), (40, 214, 206)).glowing(),
        *(ball((0.3, 0.3, 0.12), (x, y, 0.89), palette.WHITE).glowing() for x, y in foam),
        box((0.7, 0.3, 0.25), (0, -1.1, 0), palette.PINE),
    ]
