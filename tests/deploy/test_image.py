"""The Dockerfile, step by step, and what it starts."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib.metadata import PathDistribution
from pathlib import Path

from packaging.requirements import Requirement

from tests import ROOT
from tests.support.browser import Browser

from .conftest import Site, succeeds
from .fronts import HOST
from .image import Ignored, Stage, steps
from .sandbox import Sandbox
from .stand_in_pip import requirements


def test_the_base_is_pythons_own_image_of_a_fixed_version() -> None:
    bases = [
        rest.split()[0] for name, rest in steps((ROOT / "Dockerfile").read_text()) if name == "FROM"
    ]
    assert len(bases) == 2
    assert len(set(bases)) == 1
    version = re.fullmatch(r"python:(3\.\d+)-slim", bases[0])
    assert version
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"Programming Language :: Python :: {version[1]}" in project["classifiers"]


def test_the_build_sees_what_it_needs_and_nothing_else() -> None:
    ignored = Ignored((ROOT / ".dockerignore").read_text())
    for path in (
        ".git/config",
        ".env",
        ".venv/bin/python",
        "tests/conftest.py",
        "tertulia-data/secret-key",
    ):
        assert ignored(path), path
    assert ignored("src/tertulia/__pycache__/cli.cpython-311.pyc")
    for path in ("requirements.lock", "pyproject.toml", "src/tertulia/cli.py"):
        assert not ignored(path), path


def test_it_runs_as_somebody_without_rights(image: Stage) -> None:
    assert image.user == "tertulia"
    (created,) = [line for line in Sandbox.recorded(image.folder) if line.startswith("useradd")]
    assert created.endswith(" tertulia")
    assert "--uid 10001" in created


def test_its_data_is_a_volume(image: Stage) -> None:
    assert image.volumes == ["/data"]
    assert image.env["TERTULIA_DATA"] == str(image.folder / "data")
    assert (image.folder / "data").stat().st_mode & 0o777 == 0o700


def test_the_project_is_in_it_as_a_wheel(image: Stage) -> None:
    """With all its files; nothing reaches back to the source or the stage that built it."""
    packages = image.packages
    source = ROOT / "src" / "tertulia"
    for suffix in ("*.html", "*.js", "*.css", "*.mo", "*.sql", "*.json", "*.svg"):
        for path in source.rglob(suffix):
            assert (packages / "tertulia" / path.relative_to(source)).is_file(), path
    assert not (packages / "tertulia").is_symlink()
    assert not list(packages.glob("*.pth"))
    done = subprocess.run(
        [image.folder / "opt/tertulia/bin/tertulia", "--version"],
        env=image.env,
        cwd="/",
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_lock_has_all_that_the_project_needs(image: Stage) -> None:
    """The image's pip looks for nothing else: it installs the wheel without what that asks for."""
    locked = {each.name.lower() for each in requirements(ROOT / "requirements.lock")}
    (info,) = image.packages.glob("tertulia-*.dist-info")
    asked = [Requirement(text) for text in PathDistribution(info).requires or []]
    needed = [
        each
        for each in asked
        if not each.marker or any(each.marker.evaluate({"extra": extra}) for extra in ("", "all"))
    ]
    assert needed
    for each in needed:
        assert each.name.lower() in {*locked, "tertulia"}, each.name


def test_the_health_check_tells_life_from_death(image: Stage, site: Site) -> None:
    words = [word.replace("8000", str(site.server.port)) for word in image.healthcheck]
    assert succeeds(words, image.env)
    assert not succeeds([word.replace("/healthz", "/no/such") for word in words], image.env)
    assert not succeeds([word.replace("8000", "1") for word in image.healthcheck], image.env)
    assert image.ports == ["8000"]


def test_docker_starts_the_server_itself(image: Stage, site: Site) -> None:
    """No shell stands between, which would keep SIGTERM to itself: see also the end of `site`."""
    assert site.server.process
    running = Path(f"/proc/{site.server.process.pid}/cmdline").read_bytes().split(b"\0")
    assert Path(running[1].decode()) == image.folder / "opt/tertulia/bin/tertulia"
    assert [*image.entrypoint, *image.command] == ["tertulia", "serve", "--host", "0.0.0.0"]


def test_translations_are_in_it(site: Site) -> None:
    headers = {"Accept-Language": "es", "Host": HOST}
    page = Browser(site.server.url).get("/accounts/login/", headers=headers)
    assert 'lang="es"' in page.text
    assert "Contraseña" in page.text
