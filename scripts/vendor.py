"""Re-create the vendored files and their manifests from npm packages. Needs npm; run by hand.

Example: `python scripts/vendor.py` after raising a version below, then run the tests.
"""

import hashlib
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_FONTS = ROOT / "service/web/static/vendor"
_BROWSER_TESTS = ROOT / "tests/browser/vendor"
PACKAGES = [
    (
        _FONTS,
        "@fontsource-variable/inter",
        "5.3.0",
        {
            "files/inter-latin-wght-normal.woff2": "inter-latin-wght-normal.woff2",
            "LICENSE": "inter-licence.txt",
        },
    ),
    (
        _FONTS,
        "@fontsource/newsreader",
        "5.3.0",
        {
            "files/newsreader-latin-600-normal.woff2": "newsreader-latin-600-normal.woff2",
            "LICENSE": "newsreader-licence.txt",
        },
    ),
    (
        _BROWSER_TESTS,
        "axe-core",
        "4.14.1",
        {"axe.min.js": "axe.min.js", "LICENSE": "axe-licence.txt"},
    ),
]


def fetch(folder: Path, name: str, version: str, files: dict[str, str]) -> dict[str, Any]:
    """Put ``files`` (path in the package: name here) into ``folder``; gives their manifest."""
    digests = {}
    with tempfile.TemporaryDirectory() as scratch:
        command = ["npm", "pack", "--silent", f"{name}@{version}"]
        packed = subprocess.run(command, cwd=scratch, check=True, capture_output=True, text=True)
        with tarfile.open(Path(scratch) / packed.stdout.strip()) as archive:
            package = json.loads(_content(archive, "package.json"))
            for source, target in files.items():
                content = _content(archive, source)
                (folder / target).write_bytes(content)
                digests[target] = hashlib.sha256(content).hexdigest()
    return {
        "name": name,
        "version": package["version"],
        "licence": package["license"],
        "files": digests,
    }


def _content(archive: tarfile.TarFile, path: str) -> bytes:
    member = archive.extractfile(f"package/{path}")
    assert member is not None  # noqa: S101  (a plain file)
    return member.read()


def main() -> None:
    """Fetch everything and write one manifest a folder."""
    manifests: dict[Path, list[dict[str, Any]]] = {}
    for folder, name, version, files in PACKAGES:
        folder.mkdir(parents=True, exist_ok=True)
        manifests.setdefault(folder, []).append(fetch(folder, name, version, files))
    for folder, packages in manifests.items():
        content = json.dumps({"packages": packages}, indent=2) + "\n"
        (folder / "manifest.json").write_text(content)


if __name__ == "__main__":
    main()
