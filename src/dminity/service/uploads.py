"""Photos and fields of a multipart form, read as they arrive: in memory, and within limits.

Starlette's own reader writes what is larger than 1 MB to the disk, and counts when all is there.
"""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from dminity.service.refusals import Refusal, busy
from dminity.service.settings import MB, Limits

PHOTOS = "photos"
FORM = b"multipart/form-data"
# A name, or a list of 30 amenities: those of more are none of ours.
FIELD_BYTES = 100_000
# Of a name that is given back.
NAME_LETTERS = 255


@dataclass(frozen=True)
class UploadedPhoto:
    """A photo's file; its name is what the sender calls it, and only goes back to them."""

    name: str
    content: bytes


@dataclass
class Upload:
    """What a form holds; `size_bytes` is that of its body so far."""

    photos: list[UploadedPhoto] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    size_bytes: int = 0


@dataclass
class Memory:
    """What the uploads of all requests take of the memory."""

    limit_bytes: int
    held_bytes: int = 0

    def take(self, size_bytes: int) -> None:
        """Hold more.

        Raises:
            Refusal: if that is more than all may have.
        """
        if self.held_bytes + size_bytes > self.limit_bytes:
            raise busy("memory", "too many uploads at once; try again in a moment")
        self.held_bytes += size_bytes

    def give_back(self, size_bytes: int) -> None:
        """Hold less."""
        self.held_bytes -= size_bytes


async def read_upload(
    chunks: AsyncIterator[bytes],
    headers: tuple[str, str],
    wanted: Collection[str],
    limits: Limits,
    memory: Memory,
    upload: Upload,
) -> None:
    """Read a form into `upload`, whose bytes count as held; who made it gives them back.

    Args:
        chunks: of the body, as they arrive.
        headers: Content-Type and Content-Length; empty if they are not there.
        wanted: the names of fields that may be there, besides the photos.
        limits: of the request.
        memory: of all requests.
        upload: an empty one.

    Raises:
        Refusal: if it is too large, no such form, or has no photo.
    """
    content_type, length = headers
    too_large = Refusal(
        413, "bytes", f"more than {limits.request_bytes / MB:g} MB; send fewer photos at a time"
    )
    # Before a byte of it is read.
    if length.isdecimal() and int(length) > limits.request_bytes:
        raise too_large
    form = _Form(upload, wanted, limits.photos)
    parser = _parser(content_type, form)
    async for chunk in chunks:
        if upload.size_bytes + len(chunk) > limits.request_bytes:
            raise too_large
        memory.take(len(chunk))
        upload.size_bytes += len(chunk)
        try:
            parser.write(chunk)
        except FormParserError as error:
            raise Refusal(400, "form", "the form is damaged; send multipart/form-data") from error
    if not form.ended:
        raise Refusal(400, "form", "the form is cut off; send it to its last boundary")
    if not upload.photos:
        raise Refusal(422, "form", f"there is no photo; send files as {PHOTOS!r}")


def _parser(content_type: str, form: "_Form") -> MultipartParser:
    """What hands the parts of a body over to a form.

    Raises:
        Refusal: if the body is no form.
    """
    kind, options = parse_options_header(content_type)
    if kind != FORM:
        raise Refusal(415, "form", f"send photos as multipart/form-data, in the field {PHOTOS!r}")
    try:
        return MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": form.begin,
                "on_header_field": form.header_name,
                "on_header_value": form.header_value,
                "on_header_end": form.header_end,
                "on_headers_finished": form.headers_end,
                "on_part_data": form.data,
                "on_part_end": form.end,
                "on_end": form.finish,
            },
        )
    except (KeyError, FormParserError) as error:
        raise Refusal(400, "form", "Content-Type names no boundary, or one too long") from error


class _Form:
    """What a parser says of a form, part by part.

    Args:
        upload: what is filled.
        wanted: the names of fields that may be there.
        most_photos: how many photos may be there.
    """

    def __init__(self, upload: Upload, wanted: Collection[str], most_photos: int) -> None:
        self.upload = upload
        self.wanted = wanted
        self.most_photos = most_photos
        self.ended = False
        self.begin()

    def begin(self) -> None:
        """A part begins."""
        self._name, self._value = b"", b""
        self._disposition = ""
        self._field, self._file_name = "", ""
        self._content = bytearray()

    def header_name(self, data: bytes, start: int, end: int) -> None:
        """A piece of a header's name."""
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        """A piece of its value."""
        self._value += data[start:end]

    def header_end(self) -> None:
        """A header is complete."""
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value.decode("latin-1")
        self._name, self._value = b"", b""

    def headers_end(self) -> None:
        """The part's content follows: is it wanted?

        Raises:
            Refusal: if not.
        """
        _, options = parse_options_header(self._disposition)
        self._field, self._file_name = (
            options.get(key, b"").decode(errors="replace")[:NAME_LETTERS]
            for key in (b"name", b"filename")
        )
        if self._field == PHOTOS:
            if len(self.upload.photos) == self.most_photos:
                raise Refusal(
                    413, "photos", f"more than {self.most_photos} photos; send fewer at a time"
                )
        elif self._field in self.upload.fields:
            raise Refusal(422, "form", f"{self._field} is there twice")
        elif self._field not in self.wanted:
            known = ", ".join((PHOTOS, *self.wanted))
            raise Refusal(422, "form", f"there is no field {self._field!r}; there are {known}")

    def data(self, data: bytes, start: int, end: int) -> None:
        """A piece of the part's content.

        Raises:
            Refusal: if it is too long for a field.
        """
        self._content += data[start:end]
        if self._field != PHOTOS and len(self._content) > FIELD_BYTES:
            raise Refusal(413, "bytes", f"{self._field} has more than {FIELD_BYTES} bytes")

    def end(self) -> None:
        """The part is complete.

        Raises:
            Refusal: if a field is no text.
        """
        if self._field == PHOTOS:
            name = self._file_name or f"photo {len(self.upload.photos) + 1}"
            self.upload.photos.append(UploadedPhoto(name, bytes(self._content)))
        else:
            try:
                self.upload.fields[self._field] = self._content.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise Refusal(422, "form", f"{self._field} is not in UTF-8") from error
        self._content = bytearray()

    def finish(self) -> None:
        """The form is complete."""
        self.ended = True
