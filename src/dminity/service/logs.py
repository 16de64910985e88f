"""What a service says of its work: a line of JSON for each event, and nothing of a photo."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from dminity.core.errors import first_line

LOG = logging.getLogger("dminity.service")


class JsonLines(logging.Formatter):
    """An event as a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            fields["error"] = f"{type(error).__name__}: {first_line(error)}"
            # Without the lines of code that a page of text would have.
            fields["trace"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(error.__traceback__)
            ]
        return json.dumps(fields, default=str)


def install() -> None:
    """Let all that is logged be lines of JSON on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    LOG.setLevel(logging.INFO)
    # It quotes bytes of what it cannot read.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


def event(name: str, level: int = logging.INFO, **fields: object) -> None:
    """Say what happened."""
    LOG.log(level, name, extra={"fields": fields})
