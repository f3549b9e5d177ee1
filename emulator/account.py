"""What the API tells of the account itself: the account, its sender, its Messaging Service."""

from collections.abc import Mapping

from emulator.messages import API_VERSION
from emulator.settings import Settings


class Account:
    """Read-only resources, made from the settings alone."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def resource(self) -> dict[str, object]:
        """The account."""
        sid = self._settings.account_sid
        return {
            "sid": sid,
            "owner_account_sid": sid,
            "friendly_name": "Emulated account",
            "status": "active",
            "type": "Full",
            "uri": f"/{API_VERSION}/Accounts/{sid}.json",
        }

    def short_codes(self, filters: Mapping[str, str]) -> dict[str, object]:
        """The page of short codes that ``ShortCode`` asks for."""
        owned = [] if self._settings.sender.startswith("+") else [self._sender("short_code", "SC")]
        return self._page("short_codes", owned, "short_code", filters.get("ShortCode"))

    def phone_numbers(self, filters: Mapping[str, str]) -> dict[str, object]:
        """The page of numbers that ``PhoneNumber`` asks for."""
        owned = [self._sender("phone_number", "PN")] if self._settings.sender[:1] == "+" else []
        return self._page(
            "incoming_phone_numbers", owned, "phone_number", filters.get("PhoneNumber")
        )

    def messaging_service(self, sid: str) -> dict[str, object] | None:
        """The Messaging Service, where the account has this one."""
        if not sid or sid != self._settings.messaging_service_sid:
            return None
        return {
            "sid": sid,
            "account_sid": self._settings.account_sid,
            "friendly_name": "Emulated service",
            "inbound_request_url": self._inbound_url or None,
            "inbound_method": "POST",
            "fallback_url": self._settings.fallback_url or None,
            "fallback_method": "POST",
            "use_inbound_webhook_on_number": False,
        }

    def service_senders(self, sid: str, kind: str) -> dict[str, object] | None:
        """The page of ``PhoneNumbers`` or ``ShortCodes`` of a Messaging Service."""
        keys = {"PhoneNumbers": "phone_numbers", "ShortCodes": "short_codes"}
        if kind not in keys or self.messaging_service(sid) is None:
            return None
        is_number = self._settings.sender.startswith("+")
        name = "phone_number" if is_number else "short_code"
        owned = [self._sender(name, "PN" if is_number else "SC")]
        meta = {"key": keys[kind], "page": 0, "page_size": 50, "next_page_url": None}
        return {keys[kind]: owned if is_number == (kind == "PhoneNumbers") else [], "meta": meta}

    @property
    def _inbound_url(self) -> str:
        """As the operator typed it at the carrier: with the public host, where there is one."""
        settings = self._settings
        public = settings.signing_base_url.rstrip("/")
        if not (public and settings.inbound_url):
            return settings.inbound_url
        return f"{public}/{settings.inbound_url.split('/', 3)[-1]}"

    def _sender(self, name: str, prefix: str) -> dict[str, object]:
        return {
            "sid": prefix + "0" * 32,
            "account_sid": self._settings.account_sid,
            name: self._settings.sender,
            "sms_url": self._inbound_url or None,
            "sms_method": "POST",
            "sms_fallback_url": self._settings.fallback_url or None,
            "sms_fallback_method": "POST",
        }

    def _page(
        self, name: str, owned: list[dict[str, object]], key: str, wanted: str | None
    ) -> dict[str, object]:
        found = [item for item in owned if wanted is None or item[key] == wanted]
        return {
            name: found,
            "page": 0,
            "page_size": 50,
            "start": 0,
            "end": max(0, len(found) - 1),
            "next_page_uri": None,
            "previous_page_uri": None,
        }
