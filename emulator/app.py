"""The composition root: builds every part from the settings and joins them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from emulator.carrier import Carrier
from emulator.clock import Clock
from emulator.crowd import Crowd
from emulator.faults import Faults
from emulator.inbound import InboundGateway
from emulator.messages import MessageLog
from emulator.numbers import Numbers
from emulator.phonebook import Phonebook
from emulator.phones import PhonesApi
from emulator.receipts import ReceiptSender
from emulator.rest import RestApi
from emulator.settings import Settings
from emulator.webhooks import WebhookClient


def create_app(settings: Settings) -> FastAPI:
    """An emulator of one account, all of it in memory."""
    clock = Clock(settings.clock_offset_seconds)
    log = MessageLog(clock)
    phonebook = Phonebook(clock)
    faults = Faults(settings.fault_seed)
    numbers = Numbers(clock, phonebook)
    webhooks = WebhookClient(settings)
    receipts = ReceiptSender(settings, webhooks, faults)
    carrier = Carrier(settings, log, phonebook, receipts)
    inbound = InboundGateway(settings, log, phonebook, carrier, webhooks)
    crowd = Crowd(inbound, phonebook, settings.answer_seconds)
    rest = RestApi(
        settings=settings,
        clock=clock,
        log=log,
        phonebook=phonebook,
        carrier=carrier,
        faults=faults,
        numbers=numbers,
    )
    phones = PhonesApi(
        log=log,
        phonebook=phonebook,
        carrier=carrier,
        receipts=receipts,
        inbound=inbound,
        crowd=crowd,
        faults=faults,
        numbers=numbers,
        is_open=settings.open_control,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await webhooks.start()
        receipts.start()
        yield
        await crowd.stop()
        await receipts.stop()
        await webhooks.stop()

    app = FastAPI(
        title="Twilio emulator",
        description=__doc__,
        lifespan=lifespan,
        routes=rest.routes(),
    )
    app.state.log = log
    app.include_router(phones.router())
    return app
