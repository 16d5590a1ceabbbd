"""What AWS Lambda takes. Sizes in bytes. Source: AWS Lambda Developer Guide, "Lambda quotas"."""

from __future__ import annotations

UNZIPPED = 250 * 1024 * 1024
"""A function's code with its layers, unpacked."""
DIRECT = 50_000_000
"""A zip sent with the request itself; larger ones go through S3. The quota is 50 MB, and as text in
a request somewhat more passes, but not reliably."""
ZIPPED = 262_144_000
"""A zip that comes from S3."""
UNRESERVED = 100
"""Concurrent executions of an account that functions cannot reserve."""
