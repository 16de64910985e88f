"""What the service answers: what the commands print of the same photos; its document; its state."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.helpers.detectors import random_detector
from tests.helpers.onnx_models import export
from tests.helpers.photos import jpeg
from tests.helpers.programs import dminity
from tests.helpers.service import Part, Service, photos, serving, wait_for

CLAIMS = b"\xef\xbb\xbfamenity\r\nsink\r\n"


def write_photos(folder: Path) -> list[Path]:
    """Photos as people have them, and a file that is none."""
    pixels = np.random.default_rng(0).integers(0, 255, (97, 161, 3), np.uint8)
    photo = Image.fromarray(pixels)
    turned = Image.Exif()
    turned[0x0112] = 6
    photo.save(folder / "turned.jpg", exif=turned)
    photo.save(folder / "odd.webp")
    photo.convert("RGBA").save(folder / "clear.png")
    photo.convert("L").save(folder / "gray.tif")
    photo.convert("P").save(folder / "few colors.gif")
    photo.resize((1611, 970)).save(folder / "größer.jpg")
    (folder / "notes.jpg").write_text("no photo")
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos."""
    folder = tmp_path_factory.mktemp("photos")
    write_photos(folder)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that sees something in any photo."""
    path = tmp_path_factory.mktemp("random") / "model.onnx"
    return export(random_detector(seed=0), path, 0.02)


def parts(folder: Path) -> list[Part]:
    """All of them as a form."""
    return [("photos", path.name, path.read_bytes()) for path in sorted(folder.iterdir())]


@pytest.mark.slow
def test_detect_answers_what_predict_prints(model: Path, folder: Path, tmp_path: Path) -> None:
    names = [path.name for path in sorted(folder.iterdir())]
    printed = dminity(folder, "predict", *names, "--json", "--model", model)
    with serving(model, log=tmp_path / "log") as service:
        answer = service.send("/v1/detect", parts(folder))
    assert answer.status == 200
    assert answer.json == json.loads(printed.stdout)
    assert [item["photo"] for item in answer.json["failed"]] == ["notes.jpg"]
    assert all(photo["detections"] for photo in answer.json["photos"])


def test_listing_answers_what_listing_prints(
    service: Service, bright: Path, tmp_path: Path
) -> None:
    home = tmp_path / "flat-1"
    home.mkdir()
    write_photos(home)
    (home / "bright.jpg").write_bytes(jpeg())
    (tmp_path / "claims.csv").write_bytes(CLAIMS)
    arguments = ("listing", home, "--claims", tmp_path / "claims.csv", "--json", "--model", bright)
    printed = json.loads(dminity(tmp_path, *arguments).stdout.replace(f"{home}/", ""))
    few = [part for part in parts(home) if part[1] in ("bright.jpg", "notes.jpg", "turned.jpg")]
    fields: list[Part] = [("home", None, b"flat-1"), ("claims", None, CLAIMS)]
    answer = service.send("/v1/listing", [*few, *fields])
    assert answer.status == 200
    printed["homes"][0]["photos"] = 2
    assert answer.json == printed
    assert [(item["amenity"], item["claim"]) for item in answer.json["homes"][0]["amenities"]] == [
        ("Bed", "not claimed"),
        ("Sink", "not seen"),
    ]


def test_without_claims_nothing_is_said_of_them(service: Service) -> None:
    (home,) = service.send("/v1/listing", photos(jpeg())).json["homes"]
    assert home["home"] == "home"
    assert [item["claim"] for item in home["amenities"]] == [None]


def test_names_are_told_back_and_not_used(service: Service) -> None:
    names = ["../../etc/passwd", "<script>.jpg", "bad 🛁.jpg", "x" * 1000, ""]
    answer = service.send("/v1/detect", [("photos", name, jpeg()) for name in names])
    assert answer.status == 200
    told = [photo["photo"] for photo in answer.json["photos"]]
    assert told == [*names[:3], "x" * 255, "photo 5"]


def test_the_model_is_described(service: Service, bright: Path) -> None:
    told = service.ask("/v1/model").json
    assert told["sha256"] == hashlib.sha256(bright.read_bytes()).hexdigest()
    assert (told["variant"], told["input_size"]) == ("yolox_nano", [64, 64])
    assert told["thresholds"] == {"Bed": 0.5, "Sink": 0.5}
    assert list(told["thresholds"]) == told["classes"]
    assert told["figures"] is None


def test_figures_are_told_if_they_are_those_of_the_file(bright: Path, tmp_path: Path) -> None:
    model = tmp_path / "models" / "model.onnx"
    for path in (model, tmp_path / "metrics" / "export.json"):
        path.parent.mkdir()
    model.write_bytes(bright.read_bytes())
    figures = {"coco": {"AP": 0.5}}
    (tmp_path / "metrics/export.json").write_text(json.dumps({"model": figures}))
    classes = {"Bed": {"threshold": 0.5}, "Sink": {"threshold": 0.5}}
    presence = {"precision": 0.9, "per_class": classes}
    (tmp_path / "metrics/presence.json").write_text(json.dumps(presence))
    with serving(model, "--watch", log=tmp_path / "log") as service:
        told = service.ask("/v1/model").json
        # As another training would have them.
        classes["Bed"]["threshold"] = 0.25
        (tmp_path / "metrics/presence.json").write_text(json.dumps(presence))
        of_another = service.ask("/v1/model").json
    assert told["figures"] == figures
    assert told["presence"]["per_class"]["Bed"] == {"threshold": 0.5}
    assert (of_another["figures"], of_another["presence"]) == (None, None)


def test_health_readiness_and_metrics(service: Service) -> None:
    assert service.ask("/healthz").json == {"status": "ok"}
    assert service.ask("/readyz").json == {"status": "ready"}
    before = service.metric('dminity_photos_total{result="seen"}')
    assert service.detect(jpeg(), jpeg()).status == 200
    assert service.metric('dminity_photos_total{result="seen"}') == before + 2
    refused = service.metric('dminity_rejected_total{reason="form"}')
    assert service.ask("/v1/detect", b"").status == 415
    assert service.metric('dminity_rejected_total{reason="form"}') == refused + 1
    for step in ("upload", "wait", "read", "look"):
        assert service.metric(f'dminity_step_seconds_count{{step="{step}"}}') > 0
    assert service.metric("dminity_queue") == 0
    assert service.ask("/nowhere/at/all").status == 404
    assert b"nowhere" not in service.ask("/metrics").body


def test_a_request_has_an_id_and_a_line(service: Service) -> None:
    answer = service.ask("/healthz", headers={"X-Request-ID": "mine-7"})
    assert answer.headers["x-request-id"] == "mine-7"
    other = service.ask("/healthz", headers={"X-Request-ID": "a b\tc"})
    named = other.headers["x-request-id"]
    assert named != "a b\tc"
    assert line_of(service, "mine-7")["status"] == line_of(service, named)["status"] == 200


def line_of(service: Service, request: str) -> dict[str, Any]:
    """What is logged of a request; it is written after the answer."""
    lines: list[dict[str, Any]] = []

    def is_there() -> bool:
        lines[:] = [line for line in service.lines("request") if line["request"] == request]
        return bool(lines)

    wait_for(is_there, "it is not logged")
    (line,) = lines
    return line


def test_the_log_says_nothing_of_photos(service: Service) -> None:
    secret = "my-bathroom-at-4-elm-street"
    parts: list[Part] = [("photos", f"{secret}.jpg", jpeg()), ("photos", secret, b"garbage")]
    request = service.send("/v1/detect", parts).headers["x-request-id"]
    service.send("/v1/detect", [(secret, secret, secret.encode())])
    service.ask(f"/{secret}?{secret}", headers={"X-Secret": secret}, method="GET")
    kind = {"Content-Type": f"multipart/form-data; boundary={secret}"}
    last = service.ask("/v1/detect", f"--{secret}\r\n{secret} \r\n".encode(), kind)
    line_of(service, last.headers["x-request-id"])
    line = line_of(service, request)
    assert (line["photos"], line["status"], line["path"]) == (2, 200, "/v1/detect")
    assert secret not in service.log.read_text()


def test_the_document_has_examples_and_no_foreign_origin(service: Service) -> None:
    document = service.ask("/openapi.json").json
    assert {"/v1/detect", "/v1/listing", "/v1/model", "/healthz", "/readyz"} < set(
        document["paths"]
    )
    form = document["paths"]["/v1/detect"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert form["schema"]["properties"]["photos"]["maxItems"] == 5
    for schema in ("Detection", "AmenityAnswer", "ModelAnswer", "Problem"):
        properties = document["components"]["schemas"][schema]["properties"]
        assert any("examples" in content for content in properties.values()), schema
    assert service.ask("/docs").status == 404
