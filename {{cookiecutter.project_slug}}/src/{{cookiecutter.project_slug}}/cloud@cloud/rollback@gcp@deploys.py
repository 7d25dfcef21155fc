"""`cloud rollback`: Cloud Run sends all requests to an earlier revision."""

import re

from .. import UserError
from .provider import NAME, place
from .service import describe
from .shell import Command, printed

LISTED = "table(metadata.name, metadata.creationTimestamp, spec.containers[0].image)"


def rollback_commands(to: str) -> list[Command]:
    """Send requests to an earlier revision; without one, show which gets them, and list all.

    Args:
        to: Name of the revision, or nothing.

    Raises:
        UserError: A setting is missing, or `to` is no name of a revision.
    """
    if to:
        if not re.fullmatch(f"{NAME}-[a-z0-9-]+", to):
            raise UserError(f"--to {to}: name a revision, which begins with {NAME}-")
        update = ["gcloud", "run", "services", "update-traffic", NAME, *place()]
        return [Command([*update, f"--to-revisions={to}=100"])]
    listed = ["gcloud", "run", "revisions", "list", f"--service={NAME}", *place()]
    return [
        Command([*describe(), "--format=yaml(status.traffic)"]),
        Command([*listed, "--sort-by=~metadata.creationTimestamp", f"--format={LISTED}"]),
    ]


def return_commands() -> list[Command]:
    """Make the commands that return to what is in service now.

    Raises:
        UserError: A setting is missing, or there is no service.
    """
    revision = "--format=value(status.traffic[0].revisionName)"
    return rollback_commands(printed([*describe(), revision]))
