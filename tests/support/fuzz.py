"""How many inputs a fuzzer tries.

`TERTULIA_FUZZ=20000 bin/test tests/server/test_fuzz_framing.py` tries so many in each of its tests,
new ones each time; without it a few hundred, always the same.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

LONG = int(os.environ.get("TERTULIA_FUZZ", "0"))


def fuzz(examples: int) -> settings:
    """Settings for a test that tries so many inputs in its short form."""
    return settings(
        max_examples=LONG or examples,
        derandomize=not LONG,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
