"""``jobs list`` and ``jobs retry``: background work that waits or has failed for good."""

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.common import AsJson, print_json, print_table, with_runtime

if TYPE_CHECKING:
    from service.runtime import Runtime

app = typer.Typer(no_args_is_help=True, help="Background jobs: what waits, what failed for good.")


@app.command("list")
def list_(
    dead: Annotated[bool, typer.Option("--dead", help="Only those that failed for good.")] = False,
    as_json: AsJson = False,
) -> None:
    """Jobs that are not done, dead ones first.

    Example: `pollwire jobs list --dead`
    """
    from service.actions.jobs import list_jobs

    found = with_runtime(lambda runtime, _: list_jobs(runtime, dead_only=dead))
    if as_json:
        print_json(found)
        return
    columns = ["id", "state", "name", "key", "run_at", "attempts", "last_error"]
    rows = [[job[name] for name in columns] for job in found]
    print_table("", columns, rows, none="No job is dead." if dead else "No job waits.")


@app.command()
def retry(
    job: Annotated[int, typer.Argument(help="The job's id.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Give a dead job another life, once what killed it is mended.

    Example: `pollwire jobs retry 12`
    """
    from service.actions.jobs import retry_job

    async def revive(runtime: "Runtime") -> None:
        await retry_job(runtime, job)

    with_runtime(lambda runtime, _: revive(runtime))
    if as_json:
        print_json({"id": job, "state": "ready"})
    else:
        print(f"Job {job} is due.")
