"""A user's mistake is one clear line and exit status 2."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from tertulia.testing.processes import free_port

from .conftest import Run, check_refused


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["serve", "--nonsense"], "--nonsense"),
        (["--nonsense"], "--nonsense"),
        (["frobnicate"], "frobnicate"),
        (["serve", "extra"], "extra"),
        (["serve", "--port", "abc"], "abc"),
        (["serve", "--port", "70000"], "70000"),
        (["serve", "--port", "-1"], "port"),
        (["serve", "--port", ""], "port"),
        (["serve", "--workers", "0"], "workers"),
        (["serve", "--workers", "two"], "two"),
        (["serve", "--workers", "-2"], "workers"),
        (["serve", "--host", "no.such.host.invalid"], "no.such.host.invalid"),
        (["serve", "--host", "203.0.113.7"], "203.0.113.7"),
        (["createuser"], "NAME"),
        (["token"], "NAME"),
        (["token", "nobody"], "nobody"),
        (["createuser", ""], "name"),
        (["createuser", "a b"], "name"),
        (["createuser", "x" * 200], "name"),
        (["manage", "frobnicate"], "frobnicate"),
        (["migrate", "extra"], "extra"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_bad_arguments(run: Run, arguments: list[str], word: str) -> None:
    done = run(*arguments)
    check_refused(done)
    assert word.lower() in done.stderr.lower()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://u:geheim@127.0.0.1/x"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "postgres://u:geheim@127.0.0.1:99999/x"),
        ("DATABASE_URL", "postgres://u:geheim@127.0.0.1"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:////no/such/folder/at/all/chat.sqlite3"),
        ("REDIS_URL", "nonsense"),
        ("REDIS_URL", "http://:geheim@127.0.0.1:6379"),
        ("REDIS_URL", "redis://127.0.0.1:notaport/0"),
        ("TERTULIA_URL", "chat.example.org"),
        ("TERTULIA_URL", "ftp://chat.example.org"),
        ("TERTULIA_URL", "https://chat.example.org/path"),
        ("TERTULIA_SIGNUP", "maybe"),
        ("TERTULIA_LOG", "xml"),
        ("TERTULIA_LIMITS", "perhaps"),
        ("TERTULIA_WORKERS", "many"),
        ("TERTULIA_WORKERS", "0"),
        ("TERTULIA_CORS_ORIGINS", "*"),
        ("TERTULIA_CORS_ORIGINS", "example.org"),
        ("TERTULIA_SECRET_KEY_FILE", "/no/such/file"),
    ],
)
def test_bad_settings(run: Run, name: str, value: str) -> None:
    done = run("serve", "--port", str(free_port()), **{name: value})
    check_refused(done, name if "no/such/folder" not in value else "no/such/folder")
    assert "geheim" not in done.stderr + done.stdout


@pytest.mark.parametrize("command", [["createuser", "ana"], ["migrate"], ["manage", "check"]])
def test_bad_settings_are_told_by_every_command(run: Run, command: list[str]) -> None:
    check_refused(run(*command, TERTULIA_SIGNUP="maybe"), "TERTULIA_SIGNUP")


def test_a_database_that_does_not_answer_is_named_without_its_password(run: Run) -> None:
    port = free_port()
    url = f"postgres://someone:geheim@127.0.0.1:{port}/chat"
    for arguments in (["serve", "--port", str(free_port())], ["token", "ana"], ["migrate"]):
        done = run(*arguments, DATABASE_URL=url)
        check_refused(done, str(port))
        assert "geheim" not in done.stderr + done.stdout


def test_a_port_in_use(run: Run) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        check_refused(run("serve", "--port", str(port)), str(port), "in use")


def test_several_workers_need_redis(run: Run) -> None:
    url = "postgres://u@127.0.0.1/x"
    check_refused(run("serve", "--workers", "2", DATABASE_URL=url), "REDIS_URL")
    check_refused(run("serve", TERTULIA_WORKERS="2", DATABASE_URL=url), "REDIS_URL")


def test_several_workers_need_postgresql(run: Run) -> None:
    check_refused(run("serve", "--workers", "2", REDIS_URL="redis://127.0.0.1:1/0"), "SQLite")


def test_a_data_folder_that_is_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    check_refused(run("serve", "--data", str(tmp_path / "file")), str(tmp_path / "file"))


def test_a_database_that_is_no_database(run: Run, tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(b"this is no database at all, " * 100)
    done = run("serve", "--port", str(free_port()), DATABASE_URL=f"sqlite:///{tmp_path}/noise")
    check_refused(done, "noise")


# What works


def test_an_account_and_its_token(run: Run) -> None:
    assert run("createuser", "ana").returncode == 0
    done = run("token", "ana")
    assert done.returncode == 0
    assert re.fullmatch(r"\S{20,}\n", done.stdout)
    assert done.stderr == ""
    assert run("token", "ana").stdout != done.stdout


def test_only_the_hash_of_a_token_is_kept(run: Run, tmp_path: Path) -> None:
    run("createuser", "ana")
    token = run("token", "ana").stdout.strip()
    for file in (tmp_path / "data").rglob("*"):
        if file.is_file():
            assert token.encode() not in file.read_bytes()


def test_an_account_with_a_password(run: Run) -> None:
    done = run("createuser", "ana", "--password-stdin", stdin="a quiet warm room\n")
    assert done.returncode == 0, done.stderr
    code = (
        "from django.contrib.auth import authenticate as a; "
        "print(a(username='ana', password='a quiet warm room'))"
    )
    assert run("manage", "shell", "-c", code).stdout.strip().endswith("ana")


@pytest.mark.parametrize("password", ["", "short", "12345678901", "password"])
def test_a_password_that_will_not_do(run: Run, password: str) -> None:
    check_refused(run("createuser", "ana", "--password-stdin", stdin=password + "\n"))
    check_refused(run("token", "ana"), "ana")


def test_an_administrator(run: Run) -> None:
    assert run("createuser", "root", "--admin").returncode == 0
    code = "from django.contrib.auth.models import User; u = User.objects.get(); "
    code += "print(u.is_superuser, u.is_staff)"
    assert run("manage", "shell", "-c", code).stdout.strip().endswith("True True")


@pytest.mark.parametrize("second", ["ana", "ANA", "ａｎａ"])
def test_a_name_is_taken_once(run: Run, second: str) -> None:
    run("createuser", "ana")
    check_refused(run("createuser", second), "taken")


@pytest.mark.parametrize("name", ["ñandú", "咖啡", "о_о", "a.b+c@d-e"])
def test_names_of_any_script(run: Run, name: str) -> None:
    assert run("createuser", name).returncode == 0
    assert run("token", name).returncode == 0


def test_migrate_twice(run: Run) -> None:
    for _ in range(2):
        done = run("migrate")
        assert done.returncode == 0, done.stderr


def test_any_management_command(run: Run) -> None:
    assert run("manage", "check").returncode == 0
    assert run("manage", "makemigrations", "--check", "--dry-run").returncode == 0


def test_help_and_version(run: Run) -> None:
    assert "serve" in run("--help").stdout
    assert re.search(r"\d+\.\d+", run("--version").stdout)
    for command in ("serve", "createuser", "token", "migrate"):
        done = run(command, "--help")
        assert done.returncode == 0
        assert done.stderr == ""


def test_the_default_data_folder_is_in_the_working_folder(run: Run, tmp_path: Path) -> None:
    assert run("createuser", "ana", TERTULIA_DATA="").returncode == 0
    assert (tmp_path / "tertulia-data").is_dir()
