"""The templates: compiled at start, strict about names, escaping everything."""

from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from service.web.assets import Assets
from service.web.bodies import Body, make_body

TEMPLATES = Path(__file__).parent / "templates"
_HTML = "text/html; charset=utf-8"


class Templates:
    """Renders pages.

    Args:
        assets: whose addresses the pages name.
    """

    def __init__(self, assets: Assets) -> None:
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.globals["asset"] = assets.url
        environment.filters.update(number=number, day=day, typeset=typeset)
        self._compiled: dict[str, Template] = {
            name: environment.get_template(name) for name in environment.list_templates()
        }

    def page(self, name: str, **values: Any) -> Body:
        """A whole page, ready to be answered."""
        return make_body(self._compiled[name].render(values).encode(), _HTML)


def number(value: float) -> str:
    """A number as it is read in English, without needless decimals.

    >>> number(1234), number(12.5), number(12.0)
    ('1,234', '12.5', '12')
    """
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def typeset(text: str) -> str:
    """A text written for phones, which know straight apostrophes only, as it is printed.

    >>> typeset("What is your practice's plan?")
    'What is your practice’s plan?'
    """
    return text.replace("'", "’")


def day(value: date) -> str:
    """A day as it is written in English.

    >>> day(date(2021, 3, 30))
    'March 30, 2021'
    """
    return f"{value:%B} {value.day}, {value.year}"
