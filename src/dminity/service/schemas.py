"""The answers of a service: those of `predict --json` and `listing --json`, and its own."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class Detection(BaseModel):
    """An amenity in a photo."""

    model_config = ConfigDict(populate_by_name=True)

    label: str = Field(alias="class", examples=["Bathtub"])
    score: float = Field(ge=0, le=1, examples=[0.9312])
    box: list[float] = Field(
        min_length=4,
        max_length=4,
        description="left, top, right, bottom in pixels of the upright photo",
        examples=[[88.2, 310.5, 702.0, 641.77]],
    )


class PhotoAnswer(BaseModel):
    """What was found in a photo, in falling order of the scores."""

    photo: str = Field(description="its name, as it was sent", examples=["bath.jpg"])
    width: int = Field(examples=[1024])
    height: int = Field(examples=[683])
    detections: list[Detection]
    saved: str | None = Field(description="null: a service saves nothing", examples=[None])


class FailedPhoto(BaseModel):
    """A photo that could not be read."""

    photo: str = Field(examples=["notes.jpg"])
    reason: str = Field(examples=["it is no photo, or of a kind that is not read"])


class PhotosAnswer(BaseModel):
    """What `predict --json` prints."""

    photos: list[PhotoAnswer]
    failed: list[FailedPhoto]


class AmenityAnswer(BaseModel):
    """An amenity that a home has, or is claimed to have."""

    amenity: str = Field(examples=["Bed"])
    at_least: int = Field(ge=0, examples=[2])
    confidence: float = Field(ge=0, le=1, examples=[0.9518])
    photo: str | None = Field(description="the one that shows most", examples=["bedroom.jpg"])
    boxes: list[list[float]] = Field(examples=[[[25.98, 53.9, 105.11, 96.37]]])
    claim: str | None = Field(
        description="confirmed, not seen, not claimed, or null without claims",
        examples=["confirmed"],
    )


class HomeAnswer(BaseModel):
    """What a home has."""

    home: str = Field(examples=["flat-1"])
    photos: int = Field(ge=0, examples=[12])
    amenities: list[AmenityAnswer]


class HomesAnswer(BaseModel):
    """What `listing --json` prints, of the one home that was sent."""

    homes: list[HomeAnswer]
    failed: list[FailedPhoto]


class ModelAnswer(BaseModel):
    """The model in use."""

    version: str = Field(description="of dminity", examples=["0.1.0"])
    sha256: str = Field(description="of the model's file", examples=[SHA256])
    variant: str = Field(examples=["yolox_nano"])
    classes: list[str] = Field(examples=[["Bed", "Sink"]])
    thresholds: dict[str, float] = Field(
        description="from which score on a photo shows it", examples=[{"Bed": 0.25, "Sink": 0.4}]
    )
    input_size: list[int] = Field(
        min_length=2, max_length=2, description="height, width", examples=[[416, 416]]
    )
    figures: dict[str, Any] | None = Field(
        description="of this file in metrics/export.json beside it; null if they are of another",
        examples=[{"coco": {"AP": 0.4516, "AP50": 0.8064}, "presence_precision": 0.9278}],
    )
    presence: dict[str, Any] | None = Field(
        description="metrics/presence.json, likewise: how often `a photo shows it` is right",
        examples=[{"precision": 0.9278, "recall": 0.8117, "photos": 150}],
    )


class Health(BaseModel):
    """That a service is there, or ready."""

    status: str = Field(examples=["ok"])


class Problem(BaseModel):
    """Why a request was not answered."""

    error: str = Field(examples=["more than 32 MB; send fewer photos at a time"])
    request: str = Field(description="its X-Request-ID", examples=["5f0c5d3c4f7d4b1c"])
    failed: list[FailedPhoto] = Field(description="photos that could not be read, if that is why")
