from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from nodegx.compiler.diagnostics import DiagnosticError
from nodegx.compiler.project import load_project
from nodegx.providers.aws import limits
from nodegx.providers.aws import package as packaging
from nodegx.providers.aws.package import Bundle, Delivery
from nodegx.providers.aws.prepare import Prepared, prepare
from nodegx.providers.errors import ProviderError

from tests.support.projects import copy_example, manual, node, write_project

HTTP = {
    "name": "/#__cloud__/Hello",
    "nodes": [
        node("order", "trigger.webhook", method="POST", path="/hello"),
        node("answer", "cloud.response", body={"hello": "{{ order.body.name }}"}),
    ],
    "connections": [
        {"sourceId": "order", "sourcePort": "received", "targetId": "answer", "targetPort": "run"}
    ],
}


def prepared(root: Path) -> Prepared:
    return prepare(load_project(root))


def bundle_of(root: Path) -> Bundle:
    return next(iter(prepared(root).bundles.values()))


def entries(bundle: Bundle) -> dict[str, zipfile.ZipInfo]:
    with zipfile.ZipFile(bundle.path) as archive:
        return {info.filename: info for info in archive.infolist()}


def test_two_checkouts_give_the_same_bytes(tmp_path: Path) -> None:
    one = copy_example("process-order", tmp_path / "one")
    other = copy_example("process-order", tmp_path / "a" / "longer" / "path")
    for path in other.rglob("*"):
        os.utime(path, (time.time(), 1_000_000_000))
        path.chmod(0o755 if path.is_dir() else 0o600)
    first, second = prepared(one).bundles, prepared(other).bundles
    assert {b.sha256 for b in first.values()} == {b.sha256 for b in second.values()}
    assert all(first[slug].path.read_bytes() == second[slug].path.read_bytes() for slug in first)


def test_process_order_is_small(tmp_path: Path) -> None:
    root = copy_example("process-order", tmp_path / "p")
    bundle = prepared(root).bundles["process_order"]
    assert bundle.zipped <= 200_000
    assert bundle.zipped == bundle.path.stat().st_size
    assert bundle.delivery is Delivery.DIRECT


def test_a_zip_holds_what_the_workflow_uses_and_no_noise(tmp_path: Path) -> None:
    found = entries(bundle_of(write_project(tmp_path, HTTP)))
    assert {"handler.py", "entry.py", "handler.map.json", "mangum/adapter.py"} <= found.keys()
    assert "nodegx/runtime/aws/http.py" in found
    assert "manifest.json" not in found
    assert "nodegx/runtime/history/sqlite.py" not in found
    assert "nodegx/runtime/nodes/http.py" not in found
    for name, info in found.items():
        assert "__pycache__" not in name
        assert not name.endswith(("RECORD", "INSTALLER", ".pyc"))
        assert "/tests/" not in name
        assert info.date_time == (1980, 1, 1, 0, 0, 0)
        assert info.external_attr >> 16 == 0o644
    assert list(found) == sorted(found)


def test_only_http_needs_mangum(tmp_path: Path) -> None:
    found = entries(bundle_of(write_project(tmp_path, manual("Plain"))))
    assert not any(name.startswith(("mangum", "typing_extensions")) for name in found)


def test_a_bundle_runs_on_its_own(tmp_path: Path) -> None:
    bundle = bundle_of(write_project(tmp_path / "p", HTTP))
    with zipfile.ZipFile(bundle.path) as archive:
        archive.extractall(tmp_path / "task")
    event = {
        "version": "2.0",
        "routeKey": "POST /hello",
        "rawPath": "/hello",
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "http": {"method": "POST", "path": "/hello", "sourceIp": "192.0.2.1", "protocol": "H"},
            "stage": "$default",
        },
        "body": '{"name": "Ada"}',
        "isBase64Encoded": False,
    }
    code = f"import json, entry; print(json.dumps(entry.handler({event!r}, None)))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=tmp_path / "task",
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.load(io.StringIO(done.stdout))
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"hello": "Ada"}


def test_what_has_not_changed_is_not_made_again(tmp_path: Path) -> None:
    root = write_project(tmp_path, manual("One"), manual("Two"))
    first = prepared(root).bundles
    assert not any(bundle.reused for bundle in first.values())
    before = first["one"].path.stat().st_mtime_ns
    write_project(root, manual("Two", value=2))
    second = prepared(root).bundles
    assert second["one"].reused
    assert second["one"].path.stat().st_mtime_ns == before
    assert not second["two"].reused
    assert second["two"].sha256 != first["two"].sha256
    assert second["one"] != first["one"] or second["one"].sha256 == first["one"].sha256


def test_a_zip_that_somebody_changed_is_made_again(tmp_path: Path) -> None:
    root = write_project(tmp_path, manual("One"))
    bundle = bundle_of(root)
    bundle.path.write_bytes(b"damaged")
    assert bundle_of(root).sha256 == bundle.sha256
    assert zipfile.is_zipfile(bundle.path)


def test_the_bundle_of_a_workflow_that_is_gone_goes_too(tmp_path: Path) -> None:
    root = write_project(tmp_path, manual("One"), manual("Two"))
    gone = prepared(root).bundles["two"].path
    (root / "workflows" / "two.json").unlink()
    assert list(prepared(root).bundles) == ["one"]
    assert not gone.exists()


def test_the_hash_is_written_as_lambda_writes_it(tmp_path: Path) -> None:
    import base64
    import hashlib

    bundle = bundle_of(write_project(tmp_path, manual("One")))
    digest = hashlib.sha256(bundle.path.read_bytes()).digest()
    assert bundle.code_sha256 == base64.b64encode(digest).decode()


def test_sizes(tmp_path: Path) -> None:
    bundle = bundle_of(write_project(tmp_path, manual("One")))
    found = entries(bundle)
    assert bundle.sizes.packages == 0
    assert bundle.sizes.total == sum(info.file_size for info in found.values())
    runtime = [info.file_size for name, info in found.items() if name.startswith("nodegx/")]
    assert bundle.sizes.runtime == sum(runtime)


def test_large_bundles_go_through_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DIRECT", 1000)
    assert bundle_of(write_project(tmp_path, manual("One"))).delivery is Delivery.S3


def test_what_is_too_large_for_a_zip_gets_a_dockerfile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_project(tmp_path, HTTP)
    monkeypatch.setattr(limits, "UNZIPPED", 10_000)
    bundle = bundle_of(root)
    assert bundle.delivery is Delivery.IMAGE
    text = (bundle.path / "Dockerfile").read_text()
    assert "FROM public.ecr.aws/lambda/python:3.13-arm64" in text
    assert 'CMD ["entry.handler"]' in text
    assert (bundle.path / "code" / "handler.py").is_file()
    assert (bundle.path / "code" / "nodegx" / "runtime" / "aws" / "entry.py").is_file()
    assert (bundle.path / "packages" / "mangum" / "adapter.py").is_file()
    assert bundle_of(root).reused
    name = bundle.path.with_suffix(".image")
    name.write_text("123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop@sha256:0")
    assert bundle_of(root).reused
    assert name.exists()
    monkeypatch.undo()
    assert bundle_of(root).delivery is Delivery.DIRECT
    assert not name.exists()
    assert not bundle.path.exists()


def test_an_image_of_older_code_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UNZIPPED", 10_000)
    bundle = bundle_of(write_project(tmp_path, manual("One")))
    name = bundle.path.with_suffix(".image")
    name.write_text("123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop@sha256:0")
    assert not bundle_of(write_project(tmp_path, manual("One", value=2))).reused
    assert not name.exists()


def test_workflows_with_errors_are_not_bundled(tmp_path: Path) -> None:
    broken = manual("One", value="{{ nothing.here }}")
    with pytest.raises(DiagnosticError, match="nothing"):
        prepared(write_project(tmp_path, broken))


def test_functions_that_were_not_compiled(tmp_path: Path) -> None:
    root = write_project(tmp_path, manual("One"))
    ready = prepared(root)
    (ready.home / "functions" / "one" / "entry.py").unlink()
    with pytest.raises(ProviderError, match="missing"):
        packaging.package(root, ready.home, ready.plan.functions)
