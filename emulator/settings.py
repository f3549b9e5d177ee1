"""What the emulator can be told, from the command line or the environment."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any


class OptoutMode(StrEnum):
    """Who answers STOP: nobody but the product, the carrier, or Advanced Opt-Out."""

    NONE = "none"
    DEFAULT = "default"
    ADVANCED = "advanced"


@dataclass(frozen=True, slots=True)
class Span:
    """Shortest and longest time something may take, in seconds."""

    least: float
    most: float

    @classmethod
    def parse(cls, text: str) -> "Span":
        """Reads ``0.5,8``; a single figure is both ends.

        >>> Span.parse("0.5,8")
        Span(least=0.5, most=8.0)
        """
        least, _, most = text.partition(",")
        span = cls(float(least), float(most or least))
        if not 0 <= span.least <= span.most:
            raise ValueError(f"not a span of seconds: {text}")
        return span


@dataclass(frozen=True, slots=True)
class Settings:
    """One emulator's account, its product's addresses and its temper."""

    host: str = "127.0.0.1"
    port: int = 9000
    account_sid: str = "AC" + "0" * 32
    auth_token: str = "emulator"  # noqa: S105 - of an account that exists nowhere
    api_key_sid: str = ""
    api_key_secret: str = ""
    inbound_url: str = ""
    signing_base_url: str = ""
    fallback_url: str = ""
    sender: str = "33550"
    messaging_service_sid: str = ""
    optout_mode: OptoutMode = OptoutMode.NONE
    latency_ms: float = 0.0
    concurrency_limit: int = 100
    queue_limit: int = 200_000
    queue_seconds: float = 36_000.0
    segments_per_second: float = 0.0
    receipt_seconds: Span = Span(0.05, 0.5)
    answer_seconds: Span = Span(0.5, 8.0)
    connect_retries: int = 1
    connect_retry_seconds: float = 1.0
    clock_offset_seconds: float = 0.0
    seed: int = 1
    fault_seed: int = 0
    undelivered_share: float = 0.01
    open_control: bool = False


HELP = {
    "host": "address to listen on",
    "port": "port to listen on",
    "account_sid": "the one account that exists here",
    "auth_token": "its token: Basic auth of REST calls and key of webhook signatures",
    "api_key_sid": "optional second Basic-auth user",
    "api_key_secret": "its password",
    "inbound_url": "where inbound texts are posted; may end in #ct=&rt=&tt=&rc=&rp=",
    "signing_base_url": "public scheme and host to sign for, where it differs from the posted one",
    "fallback_url": "asked when the inbound URL fails",
    "sender": "the short code or number that the account owns",
    "messaging_service_sid": "optional Messaging Service that the sender belongs to",
    "optout_mode": "none (short code), default (long code) or advanced",
    "latency_ms": "added to every REST create",
    "concurrency_limit": "REST requests in flight before 429",
    "queue_limit": "texts waiting at the carrier before 21611 (30001 with a service)",
    "queue_seconds": "the same as a time: the sender's traffic that may wait",
    "segments_per_second": "the sender's speed limit; 0 is none",
    "receipt_seconds": "MIN,MAX from acceptance to the final receipt",
    "answer_seconds": "MIN,MAX that a simulated member takes to answer",
    "connect_retries": "repeats of a webhook whose connection failed",
    "connect_retry_seconds": "pause before such a repeat",
    "clock_offset_seconds": "added to real time in every date shown",
    "seed": "decides delays and who is unreachable",
    "fault_seed": "decides whom planned trouble befalls",
    "undelivered_share": "share of numbers that texts do not reach",
    "open_control": "serve /emulator to other machines too (true or false)",
}


def _truth(text: str) -> bool:
    return text.strip().lower() in {"1", "true", "yes", "on"}


def _reader(kind: Any) -> Any:
    return {Span: Span.parse, bool: _truth}.get(kind, kind)


def read_settings(
    arguments: Sequence[str], environment: Mapping[str, str] = os.environ
) -> Settings:
    """Reads options; ``EMULATOR_<NAME>`` stands in for any that is not given.

    Raises:
        SystemExit: an option is unknown or cannot be read.
    """
    parser = argparse.ArgumentParser(prog="python -m emulator", description=__doc__)
    for field in fields(Settings):
        given = environment.get(f"EMULATOR_{field.name.upper()}")
        parser.add_argument(
            "--" + field.name.replace("_", "-"),
            type=_reader(field.type),
            default=field.default if given is None else given,
            help=HELP[field.name],
        )
    return Settings(**vars(parser.parse_args(arguments)))
