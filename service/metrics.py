"""What a process counts of itself, and the database's backlog as last read, for Prometheus.

Each process has its own registry, made by its composition root: nothing is global, and no label
ever holds a number.
"""

import collections
import math
from collections.abc import Iterable, Mapping
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_KNOWN_ALREADY = "duplicate"


class Metrics:
    """The figures of one process.

    Attributes:
        registry: what a scrape reads.
        database_up: whether the last look at the database succeeded.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._texts_in = Counter(
            "pollwire_texts_in",
            "Texts received by this process, by what they were read as",
            ["label"],
            registry=registry,
        )
        self._texts_read_as = cache(self._texts_in.labels)
        self._requests = Histogram(
            "pollwire_webhook_seconds",
            "Time to answer a webhook, by endpoint and HTTP status",
            ["endpoint", "status"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._answered = cache(self._requests.labels)
        self._batch_sizes = Histogram(
            "pollwire_batch_size",
            "Webhooks handled in one transaction",
            ["endpoint"],
            buckets=_SIZES,
            registry=registry,
        )
        self._batch_seconds = Histogram(
            "pollwire_batch_seconds",
            "Time of one such transaction",
            ["endpoint"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._webhook_queue = Gauge(
            "pollwire_webhook_queue",
            "Webhooks that wait in this process for a transaction",
            ["endpoint"],
            registry=registry,
        )
        self.database_up = Gauge(
            "pollwire_database_up", "1 when the database answered this scrape", registry=registry
        )
        self._texts_out = _gauge(
            registry,
            "pollwire_texts_out_recent",
            "Texts among the ledger's newest 50,000 rows, by purpose and state",
            "purpose",
            "state",
        )
        self._unsettled = _gauge(
            registry,
            "pollwire_deliveries_unsettled",
            "Texts not known to be at the carrier",
            "state",
        )
        self._delivery_age = _gauge(
            registry, "pollwire_delivery_oldest_due_seconds", "How long the first text due waits"
        )
        self._jobs = _gauge(
            registry, "pollwire_jobs", "Background jobs, by name and state", "name", "state"
        )
        self._job_age = _gauge(
            registry, "pollwire_job_oldest_due_seconds", "How long the first job due waits"
        )
        self._polls = _gauge(registry, "pollwire_polls", "Polls, by state", "state")
        self._texts_backfilled = _gauge(
            registry,
            "pollwire_texts_backfilled",
            "Texts ever taken in from the carrier's list because their webhook got lost",
        )

    def count_texts_in(self, labels: Iterable[str]) -> None:
        """Texts were taken in and read as these; an empty label is one known already."""
        for label, texts in collections.Counter(labels).items():
            self._texts_read_as(label or _KNOWN_ALREADY).inc(texts)

    def observe_request(self, endpoint: str, status: int, seconds: float) -> None:
        """A webhook was answered."""
        self._answered(endpoint, status).observe(seconds)

    def observe_batch(self, endpoint: str, size: int, seconds: float) -> None:
        """A group of webhooks was handled."""
        self._batch_sizes.labels(endpoint).observe(size)
        self._batch_seconds.labels(endpoint).observe(seconds)

    def set_webhook_queue(self, endpoint: str, waiting: int) -> None:
        """So many webhooks wait."""
        self._webhook_queue.labels(endpoint).set(waiting)

    def set_backlog(
        self,
        *,
        texts_out: Mapping[tuple[str, str], int],
        unsettled: Mapping[str, int],
        delivery_age_seconds: float,
        jobs: Mapping[tuple[str, str], int],
        job_age_seconds: float,
        polls: Mapping[str, int],
        texts_backfilled: int,
    ) -> None:
        """The database's figures, in place of those read before."""
        self.forget_backlog()
        for pair, people in texts_out.items():
            self._texts_out.labels(*pair).set(people)
        for state, count in unsettled.items():
            self._unsettled.labels(state).set(count)
        for pair, count in jobs.items():
            self._jobs.labels(*pair).set(count)
        for state, count in polls.items():
            self._polls.labels(state).set(count)
        self._delivery_age.set(delivery_age_seconds)
        self._job_age.set(job_age_seconds)
        self._texts_backfilled.set(texts_backfilled)

    def forget_backlog(self) -> None:
        """The database is away: rather no figures than old ones."""
        for gauge in (self._texts_out, self._unsettled, self._jobs, self._polls):
            gauge.clear()
        for single in (self._delivery_age, self._job_age, self._texts_backfilled):
            single.set(math.nan)

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)


def _gauge(registry: CollectorRegistry, name: str, meaning: str, *labels: str) -> Gauge:
    return Gauge(name, meaning, labels, registry=registry)
