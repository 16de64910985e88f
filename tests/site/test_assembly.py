"""The page's folder: whole or not at all, and small enough."""

import gzip
import hashlib
import json
from pathlib import Path

import onnx
import pytest

from dminity.export.onnx import describe
from dminity.runtime.detector import FINAL_OUTPUTS
from dminity.runtime.model_file import BadOnnxFile, Description
from dminity.site.assembly import NoSite, write_site
from dminity.site.onnxruntime_web import LOCK, NotFetched, fetched
from tests.helpers.browser import NPM, network_of
from tests.helpers.onnx_models import BRIGHT_CLASSES, write_bright_model
from tests.helpers.programs import dminity, errors

# Of a first visit, in bytes, of what takes no more than it has to.
MOST_BYTES = 6_000_000
# What a nano takes in 8 bits (docs/product.md).
INT8_BYTES = 1_300_000


def packed(site: Path) -> int:
    """The bytes that a server sends that compresses."""
    return sum(len(gzip.compress(path.read_bytes())) for path in site.rglob("*") if path.is_file())


def test_the_first_visit_is_small(site: Path) -> None:
    model = network_of(site).stat().st_size
    assert packed(site) - model + INT8_BYTES < MOST_BYTES


def test_the_model_says_what_it_is(site: Path) -> None:
    name = network_of(site).name
    assert name == f"model-{hashlib.sha256((site / name).read_bytes()).hexdigest()[:12]}.onnx"
    assert json.loads((site / "model.json").read_text()) == {
        "file": name,
        "variant": "yolox_nano",
        "classes": list(BRIGHT_CLASSES),
        "input_size": [64, 64],
        "thresholds": [0.5, 0.5],
        "together": [[0], [1]],
        "kinds": [[], []],
    }


def test_the_page_knows_what_is_a_kind_of_what(tmp_path: Path, cache: Path) -> None:
    model = write_bright_model(tmp_path / "model.onnx")
    describe(model, Description("yolox_nano", ("Sofa bed", "Couch"), (64, 64), (0.5, 0.5)))
    write_site(tmp_path / "site", model, cache)
    said = json.loads((tmp_path / "site/model.json").read_text())
    # The sofa bed is a kind of the couch.
    assert said["kinds"] == [[], [0]]
    assert said["together"] == [[0, 1], [0, 1]]


def test_the_same_is_written_twice(site: Path, tmp_path: Path, cache: Path) -> None:
    write_site(tmp_path / "site", write_bright_model(tmp_path / "model.onnx"), cache)
    # An older one is replaced.
    (tmp_path / "site/modules/old.js").touch()
    write_site(tmp_path / "site", tmp_path / "model.onnx", cache)
    first, second = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in (site, tmp_path / "site")
    )
    assert first == second


def test_other_folders_are_not_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "bed.jpg").touch()
    with pytest.raises(NoSite, match="photos holds other files, which would be lost"):
        write_site(folder, write_bright_model(tmp_path / "model.onnx"), tmp_path / "cache")
    assert [path.name for path in folder.iterdir()] == ["bed.jpg"]


def test_a_model_with_suppression_inside_is_refused(tmp_path: Path) -> None:
    model = onnx.load(write_bright_model(tmp_path / "model.onnx"))
    (output,) = model.graph.output
    # "boxes" is there, as a constant.
    for name in FINAL_OUTPUTS[1:]:
        model.graph.node.append(onnx.helper.make_node("Identity", [output.name], [name]))
    model.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        for name in FINAL_OUTPUTS
    )
    del model.graph.output[0]
    onnx.save(model, tmp_path / "nms.onnx")
    with pytest.raises(NoSite, match=r"nms.onnx has non-maximum suppression inside"):
        write_site(tmp_path / "site", tmp_path / "nms.onnx", tmp_path / "cache")


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(BadOnnxFile):
        write_site(tmp_path / "site", tmp_path / "model.onnx", tmp_path / "cache")
    assert not (tmp_path / "site").exists()


def test_without_npm_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotFetched, match="npm is missing"):
        fetched(tmp_path / "cache")
    assert not [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]


@pytest.mark.skipif(NPM is None, reason="there is no npm: apt-get install npm")
def test_a_registry_that_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_noproxy", "127.0.0.1")
    with pytest.raises(NotFetched, match=r"npm could not fetch .* \(code ECONNREFUSED"):
        fetched(tmp_path / "cache")
    assert not [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]


def test_every_package_is_pinned_by_its_checksum() -> None:
    packages = json.loads(LOCK.read_text())["packages"]
    del packages[""]
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())


def test_the_command_names_a_model_that_is_missing(tmp_path: Path) -> None:
    (line,) = errors(dminity(tmp_path, "site", "out"))
    assert line.startswith("models/model-int8.onnx: no such file; get it by `dvc pull")
    assert not (tmp_path / "out").exists()
