"""The container files as data: the Dockerfile's instructions, the Compose file's services."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
DOCKERFILE, COMPOSE_FILE = ROOT / "Dockerfile", ROOT / "docker-compose.yml"
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")


@dataclass
class Stage:
    """One stage of the Dockerfile."""

    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        """The arguments of each instruction of a name."""
        return [rest for instruction, rest in self.instructions if instruction == name]

    def words(self, name: str) -> list[str]:
        """The words of the one instruction of a name, in its exec form."""
        (rest,) = self.all(name)
        return list(json.loads(rest))

    @property
    def environment(self) -> dict[str, str]:
        """What ENV sets."""
        pairs = [pair for rest in self.all("ENV") for pair in rest.split()]
        return dict(pair.split("=", 1) for pair in pairs)

    @property
    def health_check(self) -> list[str]:
        """The command of HEALTHCHECK."""
        (rest,) = self.all("HEALTHCHECK")
        return list(json.loads(rest.partition("CMD ")[2]))


def read_stages() -> list[Stage]:
    """The Dockerfile's stages in order."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.startswith("#")]
    stages: list[Stage] = []
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        name, _, rest = line.partition(" ")
        if name == "FROM":
            stages.append(Stage(rest))
        elif name:
            stages[-1].instructions.append((name, " ".join(rest.split())))
    return stages


def read_services(variables: Mapping[str, str]) -> dict[str, Any]:
    """The Compose file's services with each variable filled in as Compose does."""

    def fill(match: re.Match[str]) -> str:
        value = variables.get(match["name"], "")
        if not value and match["kind"] == "?":
            raise KeyError(f"{match['name']}: {match['rest']}")
        return value or (match["rest"] if match["kind"] == "-" else "")

    def walk(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: walk(value) for key, value in node.items()}
        if isinstance(node, list):
            return [walk(value) for value in node]
        return _VARIABLE.sub(fill, node) if isinstance(node, str) else node

    services: dict[str, Any] = walk(yaml.safe_load(COMPOSE_FILE.read_text()))["services"]
    return services
