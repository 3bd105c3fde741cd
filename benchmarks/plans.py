"""What the database does for each reading of the protocol and the pages, with millions of messages.

    .venv/bin/python benchmarks/plans.py [--messages 5000000] [--database sqlite|postgres|both]

Two private databases of each kind are filled, one with a fiftieth of the messages of the other;
each reading is run in both by turns. planning/README.md says how. Exit status 1: a fault.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.planning import bases, report  # noqa: E402
from benchmarks.planning.cluster import Cluster  # noqa: E402
from benchmarks.planning.gather import Measured, furnish, take, versions  # noqa: E402
from benchmarks.planning.learn import learnt  # noqa: E402
from benchmarks.planning.town import Sizes  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "plans.md"
FRACTION = 50
KINDS = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


def main() -> int:
    """Print the tables, and keep them."""
    asked = _arguments()
    kinds = list(KINDS) if asked.database == "both" else [asked.database]
    sizes = {"small": Sizes(asked.messages).part(FRACTION), "large": Sizes(asked.messages)}
    with tempfile.TemporaryDirectory(prefix="tertulia-plans-") as made:
        folder = Path(made)
        cluster = Cluster(folder / "postgres") if "postgres" in kinds else None
        try:
            return _run(asked, kinds, sizes, folder, cluster)
        finally:
            if cluster is not None:
                cluster.stop()


def _run(
    asked: argparse.Namespace,
    kinds: list[str],
    sizes: dict[str, Sizes],
    folder: Path,
    cluster: Cluster | None,
) -> int:
    urls: dict[str, str | None] = {}
    if cluster is not None:
        cluster.start()
        urls |= {f"postgres_{size}": cluster.create(size) for size in sizes}
    if "sqlite" in kinds:
        urls |= {f"sqlite_{size}": None for size in sizes}
    bases.set_up(folder, urls)
    began = datetime.now(UTC)
    sections, faults = [], 0
    for kind in kinds:
        measured, heading, notes = _measure(kind, sizes)
        told = report.section(heading, measured, kind, sizes) + notes
        print(report.statements(measured, kind))
        print("\n".join(told))
        sections.append(told)
        faults += report.faults(measured, kind)
    if asked.messages >= Sizes.rooms * FRACTION:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(report.document(began, sizes, sections), encoding="utf-8")
        print(f"\nkept in {RESULTS.relative_to(ROOT)}")
    return 1 if faults else 0


def _measure(kind: str, sizes: dict[str, Sizes]) -> tuple[list[Measured], str, list[str]]:
    made = {}
    for size, of in sizes.items():
        made[f"{kind}_{size}"] = furnish(f"{kind}_{size}", of, lambda line: print(line, flush=True))
    measured = take(made, timed=True)
    with bases.using(f"{kind}_large") as connection:
        heading = versions(connection)
    return measured, heading, learnt(kind, made, measured)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--messages", type=int, default=5_000_000)
    parser.add_argument("--database", choices=[*KINDS, "both"], default="both")
    asked = parser.parse_args()
    if asked.messages < 1_000 * FRACTION:
        parser.error(f"--messages must be at least {1_000 * FRACTION}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
