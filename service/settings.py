"""The environment, read once. Nothing below may import it."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.domain.masking import mask_address, mask_secret, mask_sid
from service.errors import SettingsError

TWILIO_API = "https://api.twilio.com"


class Settings(BaseSettings):
    """All settings; each is the environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    database_url: str | None = None
    data_dir: Path = Field(default=Path("var"), validate_default=True)
    public_base_url: str = "http://127.0.0.1:8000"
    number_key: SecretStr | None = None
    secret_key: SecretStr | None = None
    twilio_account_sid: str | None = None
    twilio_auth_token: SecretStr | None = None
    twilio_api_key_sid: str | None = None
    twilio_api_key_secret: SecretStr | None = None
    twilio_api_base_url: str = TWILIO_API
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    web_concurrency: int = Field(default=1, ge=1)
    send_rate: int | None = Field(default=None, ge=1)
    send_concurrency: int = Field(default=25, ge=1)
    settle_seconds: float = Field(default=900, ge=12)
    alert_webhook_url: SecretStr | None = None
    auto_pause_percent: int = Field(default=20, ge=1, le=100)
    pollwire_clock_start: datetime | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"

    @field_validator("public_base_url", "twilio_api_base_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        parts = _parts(value)
        if parts is None or parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError("must be an address such as https://polls.example.org")
        return value.rstrip("/")

    @field_validator("alert_webhook_url")
    @classmethod
    def _is_secret_address(cls, value: SecretStr | None) -> SecretStr | None:
        parts = _parts(value.get_secret_value()) if value else None
        if value and (parts is None or parts.scheme not in ("http", "https") or not parts.netloc):
            raise ValueError("must be an address such as https://hooks.example.org/pollwire")
        return value

    @field_validator("data_dir")
    @classmethod
    def _is_absolute(cls, value: Path) -> Path:
        return value.resolve()

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, value: str | None) -> str | None:
        parts = _parts(value or "")
        if value is not None and (parts is None or parts.scheme not in ("postgresql", "postgres")):
            raise ValueError(
                "must be postgresql://user:password@host:port/database, "
                "with signs such as / @ # in the password written as %2F %40 %23"
            )
        return value

    @field_validator("pollwire_clock_start")
    @classmethod
    def _is_aware(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("must name its zone, such as 2021-03-30T10:00:00-06:00")
        return None if value is None else value.astimezone(UTC)

    @model_validator(mode="after")
    def _keeps_real_time_at_twilio(self) -> Self:
        if self.pollwire_clock_start and self.is_twilio:
            raise ValueError("POLLWIRE_CLOCK_START cannot be set with Twilio's own API")
        return self

    @model_validator(mode="after")
    def _signs_alerts(self) -> Self:
        if self.alert_webhook_url and not self.secret_key:
            raise ValueError("ALERT_WEBHOOK_URL needs SECRET_KEY, under which alerts are signed")
        return self

    @property
    def is_twilio(self) -> bool:
        """Whether texts really go out: the API is Twilio's own."""
        return (urlsplit(self.twilio_api_base_url).hostname or "").endswith(".twilio.com")

    @property
    def auth_tokens(self) -> tuple[str, ...]:
        """Tokens that webhooks may be signed with; several during a rotation."""
        typed = self.twilio_auth_token.get_secret_value() if self.twilio_auth_token else ""
        return tuple(token.strip() for token in typed.split(",") if token.strip())

    @property
    def rest_credentials(self) -> tuple[str, str] | None:
        """User name and password for the API: the API key where set, else sid and token."""
        if self.twilio_api_key_sid and self.twilio_api_key_secret:
            return self.twilio_api_key_sid, self.twilio_api_key_secret.get_secret_value()
        if self.twilio_account_sid and self.auth_tokens:
            return self.twilio_account_sid, self.auth_tokens[0]
        return None


def _parts(address: str) -> SplitResult | None:
    """An address taken apart; ``None`` instead of an error that would quote its password."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts


def read_settings(**overrides: object) -> Settings:
    """The settings from the environment.

    Raises:
        SettingsError: naming the variable and what is wrong with it, never its value.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError(_sentences(error)[0]) from None


def settings_problems() -> list[str]:
    """What is wrong with the environment, each with its variable's name, never its value."""
    try:
        Settings()
    except ValidationError as error:
        return _sentences(error)
    return []


def _sentences(error: ValidationError) -> list[str]:
    return [
        (str(found["loc"][0]).upper() + ": " if found["loc"] else "")
        + found["msg"].removeprefix("Value error, ")
        for found in error.errors(include_input=False, include_url=False)
    ]


def shown_settings() -> dict[str, str]:
    """Every setting as it is set, right or wrong, fit to be shown to others."""
    given = {name.upper(): value for name, value in os.environ.items()}
    return {
        name.upper(): _shown(name, field, given.get(name.upper(), ""))
        for name, field in Settings.model_fields.items()
    }


def _shown(name: str, field: FieldInfo, value: str) -> str:
    if not value:
        return "not set" if field.default is None else f"{field.default} (default)"
    if field.annotation == SecretStr | None:
        return mask_secret(value)
    if name.endswith("_sid"):
        return mask_sid(value)
    return mask_address(value) if name.endswith("_url") else value
