"""Style and fonts: served for good under addresses that name their content."""

import hashlib
import json
import re
from pathlib import Path

import httpx
import pytest

from service.web.assets import STATIC
from service.web.templating import TEMPLATES
from tests.markup import Page

VENDORED = [STATIC / "vendor", Path(__file__).parents[1] / "browser" / "vendor"]


async def addresses(client: httpx.AsyncClient) -> list[str]:
    page = Page((await client.get("/")).text)
    return [link for link in page.all("href") if link.startswith("/static/")]


async def test_every_asset_a_page_names_is_served_for_good(client: httpx.AsyncClient) -> None:
    found = await addresses(client)
    assert len(found) == 4
    for address in found:
        answer = await client.get(address)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert hashlib.sha256(answer.content).hexdigest()[:12] in address


async def test_the_style_sheet_names_the_very_fonts_that_pages_preload(
    client: httpx.AsyncClient,
) -> None:
    found = await addresses(client)
    (style,) = [address for address in found if address.endswith(".css")]
    fonts = re.findall(r'url\("([^"]+)"\)', (await client.get(style)).text)
    assert sorted(fonts) == sorted(address for address in found if address.endswith(".woff2"))


async def test_an_address_of_another_version_gets_this_one_but_not_for_good(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/static/000000000000/app.css")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize(
    "name", ["vendor/manifest.json", "../templates/base.html", "%2e%2e/ops.py", "app.cs"]
)
async def test_nothing_but_assets_is_served(name: str, client: httpx.AsyncClient) -> None:
    assert (await client.get(f"/static/000000000000/{name}")).status_code == 404


def test_pages_bring_no_script_no_inline_style_and_nothing_from_elsewhere() -> None:
    sources = {path: path.read_text() for path in TEMPLATES.rglob("*.html")}
    sources[STATIC / "app.css"] = (STATIC / "app.css").read_text()
    assert len(sources) > 5
    for path, source in sources.items():
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|https?://|@import", source), path


@pytest.mark.parametrize("folder", VENDORED, ids=["web", "browser tests"])
def test_vendored_files_are_exactly_those_of_the_manifest(folder: Path) -> None:
    packages = json.loads((folder / "manifest.json").read_text())["packages"]
    listed = {name: digest for package in packages for name, digest in package["files"].items()}
    there = {path.name: path.read_bytes() for path in folder.iterdir()}
    del there["manifest.json"]
    assert {n: hashlib.sha256(content).hexdigest() for n, content in there.items()} == listed


@pytest.mark.parametrize("folder", VENDORED, ids=["web", "browser tests"])
def test_every_vendored_package_names_its_licence_and_brings_its_text(folder: Path) -> None:
    for package in json.loads((folder / "manifest.json").read_text())["packages"]:
        assert package["licence"] in ("OFL-1.1", "MPL-2.0")
        assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"])
        assert any(name.endswith("-licence.txt") for name in package["files"])
