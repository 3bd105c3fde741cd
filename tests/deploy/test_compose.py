"""compose.yml: what it promises, and each command in it run by hand."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
import urllib.parse
from pathlib import Path

import psycopg
import pytest

from tertulia.testing.services import find_program
from tests import ROOT
from tests.support.browser import Browser

from . import compose
from .conftest import Services, Site, installed, succeeds
from .fronts import URL, Caddy
from .image import Stage
from .sandbox import Sandbox

FILE = ROOT / "compose.yml"


def test_images_are_of_a_fixed_major_version(services: Services) -> None:
    images = {name: service["image"] for name, service in services.items() if "image" in service}
    assert set(images) == {"db", "redis", "proxy"}
    for image in images.values():
        assert re.fullmatch(r"[a-z]+:\d+(-alpine)?", image), image
    for name in ("tertulia", "secrets"):
        assert services[name]["build"] == "."


def test_only_the_proxy_is_reached_from_outside(services: Services) -> None:
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    assert [port.split(":")[0] for port in services["proxy"]["ports"]] == ["80", "443", "443"]
    networks = {name: set(service.get("networks", [])) for name, service in services.items()}
    assert networks["db"] == networks["redis"] == {"back"}
    assert networks["proxy"] == {"front"}
    assert compose.read(FILE)["networks"]["back"] == {"internal": True}


def test_everything_comes_back_after_a_restart_of_the_machine(services: Services) -> None:
    for name, service in services.items():
        assert service["restart"] == ("no" if name == "secrets" else "unless-stopped"), name


def test_each_waits_for_what_it_needs(services: Services) -> None:
    for service in services.values():
        for name, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[name], name
            else:
                assert how["condition"] == "service_completed_successfully"
                assert name == "secrets"
    assert set(services["tertulia"]["depends_on"]) == {"secrets", "db", "redis"}
    assert set(services["proxy"]["depends_on"]) == {"tertulia"}


def test_volumes_and_files_are_there(services: Services) -> None:
    named = set(compose.read(FILE)["volumes"])
    for service in services.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (ROOT / source).is_file() if source.startswith("./") else source in named


def test_it_starts_without_settings(services: Services) -> None:
    """Every variable has a default, and .env.example names all that there are."""
    bare = compose.read(FILE)["services"]
    assert bare["tertulia"]["environment"]["TERTULIA_URL"] == "http://localhost"
    example = (ROOT / ".env.example").read_text()
    offered = set(re.findall(r"^#?(\w+)=", example, re.MULTILINE))
    assert offered == set(re.findall(r"\$\{(\w+)", FILE.read_text()))
    given = compose.settings(re.sub(r"^#(\w+=)", r"\1", example, flags=re.MULTILINE))
    assert compose.read(FILE, given)["services"]["proxy"]["environment"]["TERTULIA_URL"] == URL
    assert services["tertulia"]["environment"]["TERTULIA_WORKERS"] == "2"


@pytest.mark.parametrize("name", ["compose.yml", ".env.example", "deploy/environment"])
def test_the_server_knows_every_setting_in(name: str) -> None:
    """One that is misspelt would do nothing, and nobody would hear of it."""
    known = (ROOT / "src/tertulia/project/environment.py").read_text()
    # Of the Caddyfile, whose address it is.
    words = set(re.findall(r"\bTERTULIA_\w+", (ROOT / name).read_text())) - {"TERTULIA_UPSTREAM"}
    assert words
    for word in words:
        assert f'"{word}"' in known, word


def test_the_site_comes_up_with_two_workers_and_says_how_to_begin(site: Site) -> None:
    assert len(site.workers()) == 2
    assert f"Set up the first administrator: {URL}/accounts/setup/" in site.server.tail(0, 100_000)


def test_secrets_are_made_once_and_are_nobody_elses(site: Site, tmp_path: Path) -> None:
    files = {path.name: path.read_text() for path in site.secrets.iterdir()}
    assert set(files) == {"secret-key", "postgres-password", "pgpass"}
    for path in site.secrets.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len({files["secret-key"], files["postgres-password"]}) == 2
    assert all(len(files[name].strip()) >= 48 for name in ("secret-key", "postgres-password"))
    again = Sandbox(tmp_path / "machine")
    shutil.copytree(site.secrets, again.path("/secrets"))
    shutil.copy(ROOT / "deploy" / "make-secrets.sh", again.path("/make-secrets.sh"))
    again.run("sh /make-secrets.sh /secrets", cwd=again.folder)
    assert {path.name: path.read_text() for path in again.path("/secrets").iterdir()} == files


def test_the_database_is_entered_by_the_password_in_the_file(site: Site) -> None:
    assert "password" not in site.env["DATABASE_URL"]
    url = site.env["DATABASE_URL"]
    with psycopg.connect(url, passfile=site.env["PGPASSFILE"]) as connection:
        (names,) = connection.execute("SELECT count(*) FROM tertulia_chat_room").fetchone() or ()
        assert names is not None
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, passfile="/dev/null")


def test_the_data_folder_of_the_image_holds_no_second_key(site: Site) -> None:
    assert not (Path(site.env["TERTULIA_DATA"]) / "secret-key").exists()


def test_the_servers_health_check_sees_the_whole(
    site: Site, services: Services, image: Stage
) -> None:
    words = compose.health_command(services["tertulia"])
    here = [word.replace("8000", str(site.server.port)) for word in words]
    assert any("/readyz" in word for word in words)
    assert succeeds(here, image.env)
    assert not succeeds([word.replace("8000", "1") for word in words], image.env)


def test_the_databases_health_check(site: Site, services: Services) -> None:
    program, *words = compose.health_command(services["db"])
    name = urllib.parse.urlsplit(site.env["DATABASE_URL"]).path[1:]
    here = [word.replace("--dbname=tertulia", f"--dbname={name}") for word in words]
    command = [find_program(program), *here]
    assert succeeds([*command, f"--port={site.postgres.port}"], {})
    assert not succeeds([*command, "--port=1"], {})


def test_redis_health_check_and_that_it_keeps_nothing(site: Site, services: Services) -> None:
    program, *words = compose.health_command(services["redis"])
    command = [find_program(program), "-p", str(site.redis_port)]
    assert succeeds([*command, *words], {})
    for setting in ("save", "appendonly"):
        done = subprocess.run([*command, "config", "get", setting], capture_output=True, text=True)
        assert done.stdout.split()[1:] in ([], ["no"]), done.stdout


def test_the_proxys_health_check_asks_caddy(caddy: Caddy, services: Services) -> None:
    words = compose.health_command(services["proxy"])
    assert words[:2] == ["wget", "-q"]
    address = words[-1].replace("2019", str(caddy.admin))
    parts = urllib.parse.urlsplit(address)
    answer = Browser(f"http://{parts.netloc}").get(parts.path)
    assert answer.status == 200
    assert services["proxy"]["environment"]["TERTULIA_UPSTREAM"] == "tertulia:8000"


def test_the_default_address_needs_no_certificate(tmp_path: Path, services: Services) -> None:
    """http://localhost is served as it is, for a first look."""
    caddy = installed("caddy")
    bare = compose.read(FILE)["services"]["proxy"]["environment"]
    done = subprocess.run(
        [caddy, "adapt", "--config", ROOT / "deploy" / "Caddyfile"],
        env={**bare, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert '"listen":[":80"]' in done.stdout
    assert "tertulia:8000" in done.stdout


def test_what_the_server_is_not_given_it_does_not_need(services: Services) -> None:
    """A root without rights, that cannot be written to."""
    server = services["tertulia"]
    assert server["read_only"] is True
    assert server["cap_drop"] == ["ALL"]
    assert server["security_opt"] == ["no-new-privileges:true"]
    assert server["tmpfs"] == ["/tmp"]
