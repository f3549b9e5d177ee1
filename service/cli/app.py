"""All command groups put together."""

import typer

from service.cli import (
    alerts,
    classify,
    database,
    deliveries,
    demo,
    doctor,
    jobs,
    poll,
    processes,
    program,
    review,
    slot,
    staff,
    subscribers,
)

app = typer.Typer(
    name="pollwire",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    add_completion=False,
    help="Weekly polls by text message. New here? Run `pollwire demo`.",
)
app.command()(demo.demo)
app.command()(processes.serve)
app.command()(processes.worker)
app.command()(processes.run)
app.command()(database.migrate)
app.command()(database.backup)
app.command()(database.restore)
app.command()(doctor.doctor)
app.command()(classify.classify)
app.add_typer(program.app, name="program")
app.add_typer(poll.app, name="poll")
app.add_typer(slot.app, name="slot")
app.add_typer(jobs.app, name="jobs")
app.add_typer(review.app, name="review")
app.add_typer(subscribers.app, name="subscribers")
app.add_typer(staff.app, name="staff")
app.add_typer(alerts.app, name="alerts")
app.add_typer(deliveries.app, name="deliveries")
