"""`make tools`: fetches and builds what tests run in processes of their own, so that no test has to
wait for it. Says which engine deployments are tested with."""

from __future__ import annotations

import subprocess

from nodegx.providers.aws.emulator import ministack, pulumi_build

from tests.support import runtime_api


def main() -> None:
    """See above."""
    print("emulated cloud:", ministack.environment())
    print("Lambda's runtime client:", runtime_api.client())
    pulumi = pulumi_build.find_or_build()
    version = subprocess.run([pulumi, "version"], capture_output=True, text=True, check=True)
    print(f"engine: pulumi {version.stdout.strip()}, {pulumi}")


if __name__ == "__main__":
    main()
