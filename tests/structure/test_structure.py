"""The shape of the house: what may stand where, and nothing without its counterpart."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from service.actions.jobs import HANDLERS
from service.settings import Settings

ROOT = Path(__file__).parents[2]
PRODUCT = sorted(
    path
    for folder in ("service", "webhooks", "emulator")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations/versions" not in str(path)
)


def imported(path: Path) -> set[str]:
    """Top-level names of the packages a module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_every_module_of_the_service_stands_in_a_layer() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = config["tool"]["importlinter"]["contracts"][0]["layers"]
    known = {name.strip() for layer in layers for name in layer.split("|")}
    found = {
        f"service.{path.stem}" for path in (ROOT / "service").iterdir() if path.stem[0] not in "._"
    }
    assert found - known == set()


def test_the_clock_is_read_in_one_place_only() -> None:
    readers = [path for path in PRODUCT if "datetime.now(" in path.read_text("utf-8")]
    allowed = {ROOT / "service" / "clock.py", ROOT / "emulator" / "clock.py"}
    assert set(readers) <= allowed


def test_the_carriers_sdk_is_imported_in_one_place_only() -> None:
    users = [path for path in PRODUCT if "twilio" in imported(path)]
    assert users == [ROOT / "service" / "sms" / "twilio.py"]


def test_nothing_is_deleted_that_unchecked_keys_point_to() -> None:
    wanted = re.compile(
        r"DELETE\s+FROM\s+(program|poll|question|choice|subscriber|delivery)\b", re.IGNORECASE
    )
    found = [path for path in PRODUCT if wanted.search(path.read_text("utf-8"))]
    assert found == []


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_and_stays_small(path: Path) -> None:
    source = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(source))
    assert source.count("\n") <= 320


def test_every_job_that_is_planned_has_a_handler() -> None:
    planned = set()
    for path in PRODUCT:
        planned |= set(re.findall(r"^[A-Z_, ]+_JOB\b.*= (.+)$", path.read_text("utf-8"), re.M))
    names = {name.strip(' "') for line in planned for name in line.split(",")}
    assert names
    assert names <= set(HANDLERS)


def test_every_setting_is_documented() -> None:
    documented = (ROOT / "docs" / "operations.md").read_text("utf-8")
    missing = [
        name.upper() for name in Settings.model_fields if f"`{name.upper()}`" not in documented
    ]
    assert missing == []


def test_no_lock_file_names_a_registry() -> None:
    for lock in ROOT.glob("requirements*.txt"):
        assert "://" not in lock.read_text("utf-8")
