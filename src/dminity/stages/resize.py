"""resize: published photos to training photos, straight into the VOC folder."""

from dminity.core.files import replacing_folder
from dminity.core.memory import keep_freed_memory
from dminity.core.stage import MERGED, RAW, VOC, run
from dminity.data import tables
from dminity.data.resizing import resize_photos
from dminity.params import load_params


def main() -> None:
    """Resize every photo of the merged table."""
    keep_freed_memory()
    params = load_params()
    images = tables.read(MERGED / "images.parquet")
    with replacing_folder(VOC / "JPEGImages") as folder:
        photos = [
            (RAW / bucket / split / f"{image_id}.jpg", folder / f"{image_id}.jpg")
            for bucket, split, image_id in zip(
                images["bucket"], images["split"], images["image_id"], strict=True
            )
        ]
        resize_photos(photos, params.image_size, params.jpeg_quality)


if __name__ == "__main__":
    run(main)
