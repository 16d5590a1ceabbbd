"""Container images, for functions whose packages are too many for a zip."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from nodegx.compiler.targets.aws.plan import Function

from .platforms import Platform
from .zipping import Content

BASE = "public.ecr.aws/lambda/python"
DOCKERFILE = """\
# The function of {workflow}. Its packages exceed what Lambda takes as a zip.
FROM {base}:{python}-{architecture}
COPY packages/ ${{LAMBDA_TASK_ROOT}}/
COPY code/ ${{LAMBDA_TASK_ROOT}}/
CMD ["{handler}"]
"""


def write_context(
    directory: Path, function: Function, code: Mapping[str, bytes], packages: Mapping[str, Content]
) -> None:
    """Writes everything `docker build` needs: a Dockerfile, the code and the packages.

    Args:
        directory: where to; what was there is replaced.
        function: the function.
        code: its own files and our runtime's, by name.
        packages: the files of its packages, by name.
    """
    shutil.rmtree(directory, ignore_errors=True)
    for part, files in (("code", code), ("packages", packages)):
        for name, content in files.items():
            target = directory / part / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copyfile(content, target)
            else:
                target.write_bytes(content)
    text = DOCKERFILE.format(
        workflow=function.workflow.replace("\n", " "),
        base=BASE,
        python=Platform.of(function.runtime, function.architecture).python,
        architecture=function.architecture,
        handler=function.handler,
    )
    (directory / "Dockerfile").write_text(text, "utf-8")


def reference(directory: Path) -> Path:
    """The file that names the image built from a directory: a URI with a digest."""
    return directory.with_suffix(".image")


def forget(directory: Path) -> None:
    """Removes a directory to build an image from, and the name of the image that was."""
    reference(directory).unlink(missing_ok=True)
    shutil.rmtree(directory, ignore_errors=True)


def instructions(slug: str, directory: Path, architecture: str, repository: str) -> str:
    """The commands that build and push an image and tell the program of it."""
    platform = "linux/arm64" if architecture == "arm64" else "linux/amd64"
    tag = f"{repository}:{slug}"
    return (
        f"docker buildx build --platform {platform} --provenance=false --push -t {tag} {directory} "
        f"&& docker inspect --format '{{{{index .RepoDigests 0}}}}' {tag} > {reference(directory)}"
    )
