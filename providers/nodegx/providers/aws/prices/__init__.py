"""List prices, a dated file each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodegx.providers.errors import ProviderError

DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of one region.

    Args:
        date: month in which they were valid.
        region: of which they are.
        currency: such as `USD`.
        sources: where they are published.
        units: price of one unit, by its name; `lambda.gbSecond` by architecture.
    """

    date: str
    region: str
    currency: str
    sources: dict[str, str]
    units: dict[str, Any]

    def of(self, name: str) -> float:
        """Price of one unit."""
        return float(self.units[name])

    def gb_second(self, architecture: str) -> float:
        """Price of a GB-second."""
        return float(self.units["lambda.gbSecond"][architecture])


def load_prices(region: str, path: Path | None = None) -> Prices:
    """The prices of a region from a file, by default the latest one here. Regions that the file
    does not have are given those of us-east-1; `Prices.region` tells.

    Raises:
        ProviderError: the file is damaged.
    """
    path = path or max(Path(__file__).parent.glob("*.json"))
    try:
        data: dict[str, Any] = json.loads(path.read_bytes())
        known = region if region in data["regions"] else DEFAULT_REGION
        return Prices(
            data["date"], known, data["currency"], data["sources"], data["regions"][known]
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ProviderError(f"the prices in {path} cannot be read: {error!r}") from None
