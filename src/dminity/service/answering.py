"""From a request with photos to its answer."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

from dminity.detection.detections import Detections
from dminity.runtime.answers import home_answer, photo_answer, unread
from dminity.runtime.claims import BadClaims, parse_claims
from dminity.runtime.finding import LITTLE_MEMORY, Failed, Seen
from dminity.runtime.inputs import Picture
from dminity.runtime.listing import Shown, Sighting, list_home, sightings
from dminity.runtime.photo import Photo
from dminity.service.detecting import Detecting
from dminity.service.metrics import Metrics
from dminity.service.model_in_use import ModelInUse, evaluation
from dminity.service.refusals import Refusal, busy
from dminity.service.settings import Limits
from dminity.service.uploads import NAME_LETTERS, Memory, Upload, read_upload

Made = TypeVar("Made")
HOME, CLAIMS = "home", "claims"


@dataclass(frozen=True)
class Answering:
    """What answers need.

    limits: of a request. memory: what uploads take of it. models: the model in use. detecting: the
    threads that look. metrics: what is counted.
    """

    limits: Limits
    memory: Memory
    models: ModelInUse
    detecting: Detecting
    metrics: Metrics

    async def detect(self, request: Request) -> dict[str, Any]:
        """What is in photos.

        Raises:
            Refusal: if that is not answered.
        """
        async with self._upload(request, ()) as upload:
            model = self.models.current
            results = await self.detecting.look_at(upload.photos, model, _nothing)
            seen, failed = _parted(results)
            classes = model.detector.description.classes
            return {
                "photos": [photo_answer(photo, classes) for photo in seen],
                "failed": unread(failed),
            }

    async def listing(self, request: Request) -> dict[str, Any]:
        """What a home has.

        Raises:
            Refusal: if that is not answered.
        """
        async with self._upload(request, (HOME, CLAIMS)) as upload:
            model = self.models.current
            classes = model.detector.description.classes
            name = upload.fields.get(HOME, "").strip()[:NAME_LETTERS] or HOME
            claimed = _claimed(upload.fields, name, classes)

            def sight(picture: Picture, _: Photo, found: Detections) -> list[Sighting]:
                return sightings(picture.name, found, classes)

            seen, failed = _parted(await self.detecting.look_at(upload.photos, model, sight))
            shown = Shown()
            for photo in seen:
                shown.add(photo.made)
            home = list_home(name, shown, classes, claimed)
            return {"homes": [home_answer(home)], "failed": unread(failed)}

    @asynccontextmanager
    async def _upload(self, request: Request, wanted: Collection[str]) -> AsyncIterator[Upload]:
        """What a request sends, while it has a place among those that are looked at.

        Raises:
            Refusal: if it does not get one, or takes too long.
        """
        self.detecting.refuse_if_full()
        upload, complete = Upload(), False
        try:
            async with asyncio.timeout(self.limits.seconds):
                with self.metrics.step("upload"):
                    await self._read(request, wanted, upload)
                complete = True
                with self.detecting.place():
                    yield upload
        except TimeoutError as error:
            if complete:
                raise busy("time", f"not done in {self.limits.seconds:g} s; send less") from error
            raise Refusal(
                408, "time", f"the upload took more than {self.limits.seconds:g} s"
            ) from error
        finally:
            self.memory.give_back(upload.size_bytes)
            request.state.said.update(bytes=upload.size_bytes, photos=len(upload.photos))

    async def _read(self, request: Request, wanted: Collection[str], upload: Upload) -> None:
        """Read the body of a request.

        Raises:
            Refusal: if it is none that can be answered.
        """
        headers = request.headers.get("Content-Type", ""), request.headers.get("Content-Length", "")
        try:
            await read_upload(request.stream(), headers, wanted, self.limits, self.memory, upload)
        except ClientDisconnect as error:
            # Nobody hears it; it is counted.
            raise Refusal(400, "left", "the client left") from error


def describe(models: ModelInUse) -> dict[str, Any]:
    """What a service says of its model."""
    model = models.current
    description = model.detector.description
    figures, presence = evaluation(models.path, description)
    return {
        "version": version("dminity"),
        "sha256": model.sha256,
        "variant": description.variant,
        "classes": list(description.classes),
        "thresholds": dict(zip(description.classes, description.thresholds, strict=True)),
        "input_size": list(description.input_size),
        "figures": figures,
        "presence": presence,
    }


def _nothing(*_: object) -> Path | None:
    """What is made of a photo that nobody wants saved."""
    return None


def _parted(
    results: Sequence[Seen[Made] | Failed],
) -> tuple[list[Seen[Made]], list[Failed]]:
    """What was seen, and what could not be read.

    Raises:
        Refusal: if nothing could, or there was too little memory.
    """
    seen = [result for result in results if isinstance(result, Seen)]
    failed = [result for result in results if isinstance(result, Failed)]
    if any(result.reason == LITTLE_MEMORY for result in failed):
        raise busy("memory", "too little memory just now; try again in a moment")
    if not seen:
        raise Refusal(422, "photo", "none of the photos could be read", unread(failed))
    return seen, failed


def _claimed(fields: Mapping[str, str], home: str, classes: Sequence[str]) -> frozenset[str] | None:
    """What the owner claims; None if nothing is said.

    Raises:
        Refusal: if it cannot be understood.
    """
    if CLAIMS not in fields:
        return None
    try:
        return parse_claims(fields[CLAIMS], CLAIMS, [home], classes)[home]
    except BadClaims as error:
        raise Refusal(422, "claims", str(error)) from error
