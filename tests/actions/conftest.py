"""What tests of actions share."""

import pytest

from tests.conftest import MovableClock
from tests.fakes import FakeGateway
from tests.lost import Lost


@pytest.fixture
def lost(gateway: FakeGateway, clock: MovableClock) -> Lost:
    """Texts that reach the carrier and no webhook of ours."""
    return Lost(gateway, clock)
