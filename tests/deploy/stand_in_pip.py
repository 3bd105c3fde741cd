"""Run as a program in place of pip: what the Dockerfile and the guide ask of it, without a network.

    --python VENV install --require-hashes -r LOCK   links what the lock names
    --python VENV wheel … --wheel-dir FOLDER .        builds with the build backend that is in VENV
    --python VENV install --no-deps WHEEL | .         installs for real

Links lead to the tests' own environment, which was installed from a lock with the same versions:
fetching them anew would take a quarter of a minute. What the lock does not name stays out of VENV,
and a line without a hash or in another version is refused, as pip does it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

UV = Path(sys.executable).with_name("uv")


def main() -> None:
    """What pip would do."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--python", type=Path, required=True)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("install", "wheel"):
        command = commands.add_parser(name, allow_abbrev=False)
        for flag in ("no-deps", "no-build-isolation", "require-hashes", "force-reinstall"):
            command.add_argument(f"--{flag}", action="store_true")
        command.add_argument("--only-binary", choices=[":all:"])
        command.add_argument("-r", "--requirement", type=Path)
        command.add_argument("--wheel-dir", type=Path)
        command.add_argument("what", nargs="*", type=Path)
    options = parser.parse_args()
    venv = options.python
    if options.command == "wheel":
        build(venv, options.what[0], options.wheel_dir)
    elif options.requirement:
        assert options.require_hashes
        link(venv, options.requirement)
    else:
        # Nothing is fetched: neither what it needs nor what builds it.
        assert options.no_deps
        install(venv, options.what[0])


def requirements(lock: Path) -> list[Requirement]:
    """What the lock asks for here; every line must be one version with hashes."""
    found = []
    for line in lock.read_text().replace("\\\n", " ").splitlines():
        text = line.partition("#")[0].strip()
        if not text:
            continue
        assert "--hash=sha256:" in text, f"no hash: {text}"
        requirement = Requirement(text.partition("--hash")[0].strip())
        assert [each.operator for each in requirement.specifier] == ["=="], text
        if not requirement.marker or requirement.marker.evaluate():
            found.append(requirement)
    return found


def link(venv: Path, lock: Path) -> None:
    """The locked packages, and nothing besides, in VENV."""
    target = site_packages(venv)
    for requirement in requirements(lock):
        present = distribution(requirement.name)
        assert present.version in requirement.specifier, (present.version, str(requirement))
        for path in top_level(present):
            if not (target / path.name).exists():
                (target / path.name).symlink_to(path)


def top_level(present: Distribution) -> set[Path]:
    """The folders and files of a distribution in its site-packages."""
    base = Path(str(present.locate_file("")))
    names = {file.parts[0] for file in present.files or []}
    return {base / name for name in names if name not in ("..", "__pycache__")}


def build(venv: Path, source: Path, folder: Path) -> None:
    """The project's wheel, by hatchling, which the lock brings along."""
    command = [str(venv / "bin" / "python"), "-m", "hatchling", "build", "-t", "wheel", "-d"]
    subprocess.run([*command, str(folder.absolute())], cwd=source, check=True, capture_output=True)


def install(venv: Path, what: Path) -> None:
    """A wheel, or a source tree by way of its wheel."""
    with tempfile.TemporaryDirectory() as folder:
        if what.is_dir():
            build(venv, what, Path(folder))
            (what,) = Path(folder).glob("*.whl")
        command = [str(UV), "pip", "install", "-q", "--offline", "--no-deps", "--reinstall"]
        subprocess.run([*command, "--python", str(venv / "bin/python"), str(what)], check=True)


def site_packages(venv: Path) -> Path:
    """Of VENV."""
    (found,) = venv.glob("lib/python3*/site-packages")
    return found


if __name__ == "__main__":
    main()
