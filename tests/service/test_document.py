"""The OpenAPI document, held to the service by requests that schemathesis makes of it."""

import sys
from pathlib import Path

import pytest

from tests.helpers import processes
from tests.helpers.programs import ENVIRONMENT
from tests.helpers.service import Service

pytestmark = pytest.mark.slow

# As many requests of each kind to each route; their seed is always the same.
EXAMPLES = 15


def test_what_the_document_allows_and_forbids_is_answered(service: Service, tmp_path: Path) -> None:
    command = [
        Path(sys.executable).parent / "schemathesis", "run",
        f"http://127.0.0.1:{service.port}/openapi.json",
        "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,"
        "response_schema_conformance",
        "--phases", "examples,coverage,fuzzing",
        "--max-examples", str(EXAMPLES), "--seed", "1", "--generation-database", "none",
        "--request-timeout", "600", "--no-color",
    ]  # fmt: skip
    done = processes.run([*map(str, command)], tmp_path, ENVIRONMENT)
    assert done.returncode == 0, done.stdout[-6000:]
    assert {line["status"] for line in service.lines("request")} & set(range(500, 600)) == set()
    assert service.ask("/healthz").status == 200
