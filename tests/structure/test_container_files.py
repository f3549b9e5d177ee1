"""The Dockerfile and the Compose file: valid, linted, and with the properties they promise."""

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.container_files import COMPOSE_FILE, DOCKERFILE, ROOT, read_services, read_stages

BIN = Path(sys.executable).parent
SERVICES = read_services({"POSTGRES_PASSWORD": "tests"})
BUILD, IMAGE = read_stages()


def run(*command: str) -> str:
    """Run a tool of the environment; gives what it said, nothing when all is well."""
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]], capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_the_compose_file_fits_the_compose_schema() -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    assert run("check-jsonschema", *schema, str(COMPOSE_FILE)) == ""


def test_the_linter_has_nothing_to_say_about_the_dockerfile() -> None:
    assert run("hadolint", str(DOCKERFILE)) == ""


def test_both_stages_stand_on_the_same_slim_python() -> None:
    assert BUILD.base.removesuffix(" AS build") == IMAGE.base
    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", IMAGE.base)


def test_every_package_comes_from_a_lock_file_as_a_wheel() -> None:
    steps = [step for run in BUILD.all("RUN") for step in run.split(" && ")]
    installs = [step for step in steps if " install " in step]
    locked = "--require-hashes --only-binary :all: -r requirements"
    ours = "install --no-deps --no-index dist/*.whl"
    assert len(installs) == 3
    assert all(locked in step or ours in step for step in installs)
    assert any(step.endswith("-r requirements.txt") for step in installs)
    assert not any("pip install" in run for run in IMAGE.all("RUN"))


def test_what_builds_the_wheel_is_locked_to_the_last_package() -> None:
    needed, waiting = set(), ["hatchling"]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in needed:
            continue
        needed.add(name)
        found = [Requirement(line) for line in requires(name) or ()]
        waiting += [r.name for r in found if r.marker is None or r.marker.evaluate({"extra": ""})]
    (listed,) = re.findall(r"kept = /\^\(([\w|-]+)\)==/", DOCKERFILE.read_text())
    assert set(listed.split("|")) == needed


def test_the_image_runs_pollwire_as_somebody_who_is_not_root() -> None:
    (user,) = IMAGE.all("USER")
    assert all(int(number) >= 1000 for number in user.split(":"))
    assert IMAGE.words("ENTRYPOINT") == ["pollwire"]
    assert IMAGE.words("CMD") == ["serve"]
    assert IMAGE.all("EXPOSE") == [IMAGE.environment["PORT"]]
    assert "/healthz" in " ".join(IMAGE.health_check)
    names = [name for name, _ in IMAGE.instructions]
    assert names.index("USER") > max(i for i, name in enumerate(names) if name == "RUN")


def test_only_what_is_built_reaches_the_image() -> None:
    assert [rest for rest in IMAGE.all("COPY") if "--from=build" not in rest] == []
    copied = {word for rest in BUILD.all("COPY") for word in rest.split()[:-1]}
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    assert allowed[1] == "*"
    assert {line[1:] for line in allowed if line.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)


def test_the_client_programs_are_of_the_servers_version() -> None:
    major = SERVICES["postgres"]["image"].partition(":")[2]
    assert any(f"postgresql-client-{major} " in f"{run} " for run in IMAGE.all("RUN"))


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_comes_back_and_is_watched_where_it_listens(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
    silent = service.get("healthcheck", {}).get("disable", False)
    assert silent == (name in ("migrate", "worker"))
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    for other, condition in service.get("depends_on", {}).items():
        completed = other == "migrate"
        expected = "service_completed_successfully" if completed else "service_healthy"
        assert condition == {"condition": expected}


def test_only_the_emulator_waits_to_be_asked_for() -> None:
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["emulator"]


def test_a_missing_password_is_refused() -> None:
    with pytest.raises(KeyError, match="POSTGRES_PASSWORD"):
        read_services({})
