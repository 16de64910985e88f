"""What the photos of homes show, home by home, all cores at work."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dminity.commands.looking import Looking
from dminity.detection.detections import Detections
from dminity.runtime.detector import OnnxDetector
from dminity.runtime.evidence import cut_out
from dminity.runtime.finding import BoxThresholds, find_all, on_copy
from dminity.runtime.homes import HomePhotos
from dminity.runtime.inputs import Picture, pictures
from dminity.runtime.listing import Shown, Sighting, sightings
from dminity.runtime.photo import Photo


def shown_by(
    homes: Sequence[HomePhotos],
    detector: OnnxDetector,
    watch: Looking,
    every_s: float,
    threads: int,
    cut: bool,
) -> dict[str, Shown]:
    """What each home's photos show.

    Args:
        homes: with their photos.
        detector: whose thresholds decide.
        watch: what counts the photos.
        every_s: of a video, a frame in so many seconds.
        threads: how many photos are looked at at once.
        cut: whether the evidence is cut out of the photos.
    """
    home_of: dict[str, str] = {}

    def of_homes() -> Iterator[Picture]:
        for home in homes:
            for picture in pictures(home.inputs, every_s):
                home_of[picture.name] = home.name
                yield picture

    def sight(picture: Picture, photo: Photo, found: Detections) -> list[Sighting]:
        seen = sightings(picture.name, found, description.classes)
        # While the photo is in memory.
        return [_with_cutout(sighting, photo) for sighting in seen] if cut else seen

    description = detector.description
    shown = {home.name: Shown() for home in homes}
    thresholds = BoxThresholds(description.thresholds)
    results = find_all(of_homes(), detector, thresholds, sight, threads)
    for seen in watch.over(results):
        shown[home_of[seen.name]].add(seen.made)
    return shown


def _with_cutout(sighting: Sighting, photo: Photo) -> Sighting:
    """A sighting with the part of the photo that shows it."""
    return replace(sighting, cutout=cut_out(photo.bgr, on_copy(sighting.xyxy_pixels, photo)))
