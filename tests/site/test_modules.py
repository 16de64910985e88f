"""The JavaScript of the page against the Python that it says it equals, on random input."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page

from dminity.detection.boxes import xyxy_to_cxcywh
from dminity.detection.detections import Detections
from dminity.detection.kinds import is_kind_of, most_specific, said_together
from dminity.detection.letterbox import filled_size, letterbox
from dminity.runtime.evidence import cut_out
from dminity.runtime.finding import BoxThresholds, from_thresholds
from dminity.runtime.listing import Home, Shown, list_home, sightings
from dminity.runtime.nms import to_detections
from dminity.runtime.photo import read_photo
from tests.helpers.http_server import http_server

# Height, width; height and width of the input: grown and shrunk, by halves, by hairs, to a line.
SIZES = [
    ((480, 640), (416, 416)),
    ((832, 832), (416, 416)),
    ((417, 415), (416, 416)),
    ((97, 31), (416, 416)),
    ((1, 1), (64, 96)),
    ((3, 500), (256, 256)),
    ((333, 217), (64, 96)),
    ((128, 192), (64, 96)),
    ((999, 1247), (640, 640)),
    ((416, 416), (416, 416)),
]
PROLOGUE = """
  const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const text = array => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(""));
  };
  const of = name => import(new URL(`modules/${name}.js`, location.href));
"""


class Modules:
    """The modules of the page, called from here."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def call(self, body: str, *arguments: Any) -> Any:
        """Run the body of a function of `a`, the arguments; arrays go there as text."""
        given = [
            base64.b64encode(value.tobytes()).decode() if isinstance(value, np.ndarray) else value
            for value in arguments
        ]
        return self.page.evaluate(f"async a => {{ {PROLOGUE} {body} }}", given)


def array(text: str, dtype: type[Any]) -> NDArray[Any]:
    """An array that came from there."""
    return np.frombuffer(base64.b64decode(text), dtype)


@pytest.fixture(scope="module")
def modules(browser: Browser, site: Any) -> Iterator[Modules]:
    """The modules in a page of their origin."""
    with http_server(site) as address:
        # The policy of the page forbids scripts that are not its own.
        page = browser.new_page(bypass_csp=True)
        page.goto(f"{address}/index.html")
        yield Modules(page)
        page.context.close()


def noise(height: int, width: int, channels: int, seed: int) -> NDArray[np.uint8]:
    """Pixels that have nothing to do with each other."""
    shape = (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(("size", "input_size"), SIZES)
def test_letterboxes_are_equal(
    modules: Modules, size: tuple[int, int], input_size: tuple[int, int]
) -> None:
    rgb = noise(*size, 3, seed=size[0])
    filled = filled_size(*size, input_size)
    body = """
      const { filledSize, letterbox, networkInput } = await of("letterbox");
      const [rgb, height, width, inputSize] = a;
      const size = filledSize(height, width, inputSize);
      const padded = letterbox({ rgb: bytes(rgb), height, width }, inputSize, size);
      return { size, padded: text(padded), input: text(networkInput(padded)) };
    """
    made = modules.call(body, rgb, *size, input_size)
    bgr = np.ascontiguousarray(rgb[:, :, ::-1])
    expected = letterbox(bgr, input_size, filled)
    assert tuple(made["size"]) == filled
    padded = array(made["padded"], np.uint8).reshape(*filled, 3)
    np.testing.assert_array_equal(padded[:, :, ::-1], expected)
    blob = cv2.dnn.blobFromImage(expected)
    np.testing.assert_array_equal(array(made["input"], np.float32).reshape(blob.shape), blob)


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_means_of_blocks_are_those_of_pillow(modules: Modules, factor: int) -> None:
    rgba = noise(83, 61, 4, seed=factor)
    rgba[:, :, 3] = 255
    body = "return text((await of('photo')).averaged(bytes(a[0]), 61, 83, a[1]));"
    means = array(modules.call(body, rgba, factor), np.uint8)
    expected = np.asarray(Image.fromarray(rgba[:, :, :3]).reduce(factor))
    np.testing.assert_array_equal(means.reshape(expected.shape), expected)


def encoded(mode: str, form: str, size: tuple[int, int] = (217, 333), **options: Any) -> bytes:
    """A photo's file, of colors that change slowly."""
    height, width = size
    coarse = noise(height // 16 + 2, width // 16 + 2, 4, seed=3)
    pixels = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))
    photo = Image.fromarray(pixels)
    if mode != "RGBA":
        photo = photo.convert("RGB").convert(mode)
    file = io.BytesIO()
    photo.save(file, form, **options)
    return file.getvalue()


def turned(orientation: int) -> bytes:
    """A JPEG that says how it is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded("RGB", "JPEG", exif=exif)


PHOTOS = {
    "JPEG": encoded("RGB", "JPEG", quality=95, subsampling=0),
    "JPEG, few colors": encoded("RGB", "JPEG", quality=60, subsampling=2),
    "JPEG, gray": encoded("L", "JPEG"),
    "PNG": encoded("RGB", "PNG"),
    "PNG, transparent": encoded("RGBA", "PNG"),
    "PNG, large": encoded("RGB", "PNG", size=(1100, 901)),
    "WebP": encoded("RGB", "WEBP"),
    "GIF": encoded("RGB", "GIF"),
    **{f"JPEG, turned {number}": turned(number) for number in (3, 6, 7, 8)},
}
# Between 0 and 255: browsers, and their versions, need not unpack photos just as Pillow does.
SAME_COLOR, SAME_COLOR_MEAN = 8, 0.5


@pytest.mark.parametrize("content", PHOTOS.values(), ids=PHOTOS)
def test_photos_are_unpacked_alike(modules: Modules, content: bytes) -> None:
    body = """
      const { openPhoto, readPixels } = await of("photo");
      const { rgb, height, width } = readPixels(await openPhoto(new Blob([bytes(a[0])])), [64, 96]);
      return { rgb: text(rgb), height, width };
    """
    made = modules.call(body, np.frombuffer(content, np.uint8))
    expected = read_photo(content, (64, 96)).bgr
    assert (made["height"], made["width"]) == expected.shape[:2]
    rgb = array(made["rgb"], np.uint8).reshape(expected.shape).astype(int)
    difference = np.abs(rgb[:, :, ::-1] - expected)
    if content[:2] != b"\xff\xd8":
        assert difference.max() <= SAME_COLOR
    # Of a large JPEG, Python averages while it unpacks.
    assert difference.mean() <= SAME_COLOR_MEAN


def predictions(seed: int, anchors: int, classes: int, crowded: bool) -> NDArray[np.float32]:
    """What a network might give: boxes on top of each other, scores that are equal."""
    draw = np.random.default_rng(seed)
    corners = draw.uniform(-5, 60 if crowded else 400, (anchors, 2))
    xyxy = np.concatenate((corners, corners + draw.uniform(0, 90, (anchors, 2))), axis=1)
    scores = draw.choice(np.linspace(0, 1, 23), (anchors, 1 + classes))
    return np.concatenate((xyxy_to_cxcywh(xyxy), scores), axis=1).astype(np.float32)


# A sofa bed is a couch.
KINDS = ("Bed", "Couch", "Sink", "Oven", "Sofa bed", "Towel", "Toilet")


def positions(table: NDArray[np.bool_]) -> list[list[int]]:
    """Where each row is true, as the page's description of a model has it."""
    return [row.nonzero()[0].tolist() for row in table]


def found_there(modules: Modules, raw: NDArray[np.float32], classes: tuple[str, ...]) -> Detections:
    """What the page makes of what a network gives, in a photo of 300 x 401 pixels."""
    body = """
      const { toDetections } = await of("detections");
      const raw = new Float32Array(bytes(a[0]).buffer);
      return toDetections(raw, a[1], [300, 401], [416, 416]);
    """
    found = modules.call(body, raw, positions(said_together(classes)))
    return Detections(
        np.array([one["box"] for one in found]).reshape(-1, 4),
        np.array([one["score"] for one in found]),
        np.array([one["classId"] for one in found], np.int64),
    )


@pytest.mark.parametrize("crowded", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_suppression_keeps_the_same(modules: Modules, seed: int, crowded: bool) -> None:
    raw = predictions(seed, anchors=300, classes=7, crowded=crowded)
    expected = to_detections(raw, KINDS, (300, 401), (416, 416))
    found = found_there(modules, raw, KINDS)
    np.testing.assert_array_equal(found.scores, expected.scores)
    np.testing.assert_array_equal(found.class_ids, expected.class_ids)
    np.testing.assert_array_equal(found.xyxy_pixels, expected.xyxy_pixels)


def test_nothing_is_found_in_nothing(modules: Modules) -> None:
    raw = predictions(0, anchors=20, classes=2, crowded=False)
    raw[:, 4] = 0
    assert len(found_there(modules, raw, KINDS[:2]).scores) == 0


@pytest.mark.parametrize("seed", range(4))
def test_a_thing_keeps_its_most_specific_name(modules: Modules, seed: int) -> None:
    raw = predictions(seed, anchors=60, classes=7, crowded=True)
    found = to_detections(raw, KINDS, (300, 401), (416, 416))
    expected = most_specific(found, KINDS)
    body = """
      const { mostSpecific } = await of("detections");
      return mostSpecific(a[0], a[1]);
    """
    left = modules.call(body, in_javascript(found), positions(is_kind_of(KINDS).T))
    assert left == in_javascript(expected)
    assert len(left) < len(found.scores)


CLASSES = ("Bed", "Couch", "Oven", "Sofa bed", "Toilet")
THRESHOLDS = (0.3, 0.45, 0.9, 0.05, 1.0)


def random_photos(seed: int) -> list[Detections]:
    """What might be found in the photos of a home; scores are often equal."""
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(8):
        count = int(draw.integers(0, 9))
        scores = np.sort(draw.choice(np.linspace(0.01, 1, 12), count))[::-1]
        boxes = draw.uniform(0, 400, (count, 4))
        found.append(Detections(boxes, scores, draw.integers(0, len(CLASSES), count)))
    return found


def in_javascript(found: Detections) -> list[dict[str, Any]]:
    """Detections as the page has them."""
    return [
        {"box": box, "score": score, "classId": number}
        for box, score, number in zip(
            found.xyxy_pixels.tolist(), found.scores.tolist(), found.class_ids.tolist(), strict=True
        )
    ]


def in_python(home: Home) -> list[dict[str, Any]]:
    """A home's list, to be compared."""
    return [
        {
            "amenity": listed.amenity,
            "count": listed.at_least,
            "confidence": listed.confidence,
            "photo": listed.evidence.photo if listed.evidence else None,
            "boxes": listed.evidence.xyxy_pixels.tolist() if listed.evidence else [],
            "verdict": listed.verdict,
        }
        for listed in home.amenities
    ]


def lists(
    modules: Modules, photos: list[Detections], claimed: list[str] | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What a home has by the page, and by Python."""
    shown = Shown()
    for number, found in enumerate(photos):
        sure = from_thresholds(found, BoxThresholds(THRESHOLDS))
        shown.add(sightings(str(number), sure, CLASSES))
    body = """
      const { fromThresholds, SHOWN_SCORE } = await of("detections");
      const { listHome } = await of("listing");
      const [photos, best, classes, kinds, claimed] = a;
      const looked = photos.map((found, number) => (
        { photo: String(number), found: fromThresholds(found, { best, others: SHOWN_SCORE }) }
      ));
      return listHome(looked, classes, kinds, claimed && new Set(claimed)).map(
        ({ amenity, count, confidence, evidence, verdict }) => ({
          amenity, count, confidence, verdict,
          photo: evidence && evidence.photo, boxes: evidence ? evidence.boxes : [],
        })
      );
    """
    kinds = positions(is_kind_of(CLASSES).T)
    photos_there = list(map(in_javascript, photos))
    listed = modules.call(body, photos_there, THRESHOLDS, CLASSES, kinds, claimed)
    return listed, in_python(list_home("home", shown, CLASSES, claimed))


@pytest.mark.parametrize("claimed", [None, ["Bed", "Toilet", "Couch"]])
@pytest.mark.parametrize("seed", range(5))
def test_lists_are_equal(modules: Modules, seed: int, claimed: list[str] | None) -> None:
    listed, expected = lists(modules, random_photos(seed), claimed)
    assert listed == expected


@pytest.mark.parametrize(("seen", "claimed"), [("Sofa bed", "Couch"), ("Couch", "Sofa bed")])
def test_a_claim_of_a_couch_or_of_a_kind_of_it_is_judged_alike(
    modules: Modules, seen: str, claimed: str
) -> None:
    photos = [
        Detections(each.xyxy_pixels, each.scores, np.full_like(each.class_ids, CLASSES.index(seen)))
        for each in random_photos(0)
    ]
    listed, expected = lists(modules, photos, [claimed])
    assert listed == expected
    verdicts = {one["amenity"]: one["verdict"] for one in listed}
    assert verdicts["Couch"] == "confirmed"
    assert verdicts["Sofa bed"] == ("not claimed" if seen == "Sofa bed" else "not seen")


@pytest.mark.parametrize(
    "box", [[10.2, 20.7, 90.1, 50.0], [0, 0, 0, 0], [150, 90, 160, 100], [30, 40, 30, 40]]
)
def test_evidence_is_cut_out_alike(modules: Modules, box: list[float]) -> None:
    body = "return (await of('listing')).cutout([a[0]], 160, 100);"
    part = modules.call(body, box)
    jpeg = cut_out(np.zeros((100, 160, 3), np.uint8), np.array([box], np.float64))
    width, height = Image.open(io.BytesIO(jpeg)).size
    # Python's last pixel is inside; the page's edge is a line.
    assert part["width"] in (width - 1, width)
    assert part["height"] in (height - 1, height)


def test_numbers_are_rounded_as_python_rounds(modules: Modules) -> None:
    draw = np.random.default_rng(0)
    values = [
        *draw.uniform(0, 1000, 300).tolist(),
        *(draw.integers(0, 8000, 300) / 8).tolist(),
        *(draw.integers(0, 100_000, 100) / 1000).tolist(),
        0.125, 0.375, 2.675, 1.005, 0.03125, 0.0, 1.0, 0.99995,
    ]  # fmt: skip
    for digits in (2, 4):
        body = "const { rounded } = await of('formats'); return a[0].map(v => rounded(v, a[1]));"
        assert modules.call(body, values, digits) == [round(value, digits) for value in values]


def test_photos_that_are_removed_never_get_to_the_worker(modules: Modules) -> None:
    body = """
      const real = globalThis.Worker;
      let worker;
      globalThis.Worker = class {
        sent = [];
        constructor() { worker = this; }
        postMessage({ id }) { this.sent.push(id); }
      };
      const { Looking } = await of("looking");
      const looking = new Looking();
      globalThis.Worker = real;
      looking.ready.catch(() => {});
      const told = [];
      const look = (name, wanted) => looking.look(new Blob(), {
        wanted: () => wanted,
        begun: () => told.push(`${name} begun`),
        seen: () => told.push(`${name} seen`),
        failed: reason => told.push(`${name}: ${reason}`),
      });
      look("first", true);
      look("removed", false);
      look("second", true);
      const before = [...worker.sent];
      worker.onmessage({ data: { id: 0, begun: true } });
      worker.onmessage({ data: { id: 0, seen: {} } });
      const after = [...worker.sent];
      worker.onerror({ message: "gone", preventDefault() {} });
      look("third", true);
      return { before, after, told, sent: worker.sent };
    """
    made = modules.call(body)
    assert made["before"] == [0]
    assert made["after"] == made["sent"] == [0, 2]
    reason = "it cannot be looked at (gone)"
    assert made["told"] == ["first begun", "first seen", f"second: {reason}", f"third: {reason}"]


def test_of_a_dropped_folder_photos_are_taken_as_the_commands_have_them(modules: Modules) -> None:
    body = """
      const { listenForFiles } = await of("files");
      const file = (path, content) => ({
        isFile: true, isDirectory: false, name: path.split("/").at(-1), fullPath: path,
        file: (take, refuse) => content === null ? refuse(new Error()) : take(new Blob([content])),
      });
      const folder = (path, inside) => ({
        isFile: false, isDirectory: true, name: path.split("/").at(-1), fullPath: path,
        createReader: () => {
          const rest = [inside, []];
          return { readEntries: take => take(rest.shift()) };
        },
      });
      const flat = folder("/flat", [
        folder("/flat/attic", [file("/flat/attic/a.png", "123")]),
        folder("/flat/.git", [file("/flat/.git/b.png", "1")]),
        file("/flat/z.JPG", "12"), file("/flat/notes.txt", "1"), file("/flat/.b.jpg", "1"),
        file("/flat/b.jpg", null),
      ]);
      const taken = new Promise(resolve => listenForFiles(resolve));
      const items = [flat, file("/alone.txt", "1")]
        .map(entry => ({ kind: "file", webkitGetAsEntry: () => entry }));
      const drop = new Event("drop", { cancelable: true });
      Object.defineProperty(drop, "dataTransfer", { value: { types: ["Files"], items } });
      document.dispatchEvent(drop);
      return (await taken).map(({ name, file }) => [name, file.size]);
    """
    assert modules.call(body) == [
        # What is dropped by itself is said to be no photo, and so is what cannot be read.
        ["alone.txt", 1],
        ["flat/b.jpg", 0],
        ["flat/z.JPG", 2],
        ["flat/attic/a.png", 3],
    ]
