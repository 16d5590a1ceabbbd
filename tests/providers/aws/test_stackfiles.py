from __future__ import annotations

from pathlib import Path

import pytest
from nodegx.providers.aws.stackfiles import (
    check_name,
    choose_stack,
    read_stack,
    select_stack,
    selected_stack,
    stack_names,
    stack_path,
)
from nodegx.providers.errors import ProviderError


def write(root: Path, stack: str, text: str = "config: {}\n") -> None:
    path = stack_path(root, stack)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_what_a_file_says(tmp_path: Path) -> None:
    write(
        tmp_path,
        "prod",
        """
encryptionsalt: v1:abc
config:
  aws:region: eu-west-1
  my-shop:production: "true"
  my-shop:secret.KEY: {secure: v1:xyz}
  my-shop:functions:
    orders: {memory: 512}
    broken: 7
""",
    )
    file = read_stack(tmp_path, "My Shop", "prod")
    assert file.exists
    assert file.region == "eu-west-1"
    assert file.production
    assert file.needs_passphrase
    assert file.overrides("orders") == {"memory": 512}
    assert file.overrides("broken") == {}
    assert file.overrides("other") == {}


def test_a_key_in_a_vault_needs_no_passphrase(tmp_path: Path) -> None:
    write(tmp_path, "prod", "secretsprovider: awskms://alias/shop\n")
    file = read_stack(tmp_path, "shop", "prod")
    assert not file.needs_passphrase
    assert file.provider == "awskms://alias/shop"


def test_no_file(tmp_path: Path) -> None:
    file = read_stack(tmp_path, "shop", "dev")
    assert (file.exists, file.region, file.production) == (False, None, False)
    assert file.needs_passphrase


@pytest.mark.parametrize("text", ["a: [", "- list\n", "text"])
def test_damaged_files(tmp_path: Path, text: str) -> None:
    write(tmp_path, "dev", text)
    with pytest.raises(ProviderError):
        read_stack(tmp_path, "shop", "dev")


def test_an_empty_file(tmp_path: Path) -> None:
    write(tmp_path, "dev", "")
    assert read_stack(tmp_path, "shop", "dev").config == {}


def test_the_stack_to_use(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="has no stacks"):
        choose_stack(tmp_path, None)
    write(tmp_path, "dev")
    assert choose_stack(tmp_path, None) == "dev"
    write(tmp_path, "prod")
    assert stack_names(tmp_path) == ["dev", "prod"]
    with pytest.raises(ProviderError, match="no stack is selected") as caught:
        choose_stack(tmp_path, None)
    assert "dev, prod" in caught.value.hint
    select_stack(tmp_path, "prod")
    assert selected_stack(tmp_path) == "prod"
    assert choose_stack(tmp_path, None) == "prod"
    assert choose_stack(tmp_path, "dev") == "dev"


@pytest.mark.parametrize("name", ["", "a b", "../dev", "-x", "a" * 101, "ä"])
def test_names_that_stacks_cannot_have(name: str) -> None:
    with pytest.raises(ProviderError, match="no name for a stack"):
        check_name(name)
