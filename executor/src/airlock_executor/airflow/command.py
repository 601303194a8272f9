"""The program ``airlock-executor``: looks whether this Airflow and its cluster are ready for TaskRuns."""

import argparse
import asyncio
import sys

from airlock_executor import preflight
from airlock_executor.airflow import configuration, preflights
from airlock_executor.kube import errors
from airlock_executor.kube.api import Cluster
from airlock_executor.preflight import Facts
from airlock_executor.settings import Settings, SettingsError


def main(argv: list[str] | None = None) -> int:
    """Runs the program; returns 0 if all is well or accepted, 1 for errors, 2 for settings that are wrong."""
    parser = argparse.ArgumentParser(prog="airlock-executor", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="say what would keep tasks from running, and what would open too much")
    known = "must be known to the API server; take one that only the secrets backend has"
    check.add_argument("--connection", metavar="ID", action="append", default=[], help=f"a connection that {known}")
    check.add_argument("--variable", metavar="KEY", action="append", default=[], help=f"a variable that {known}")
    words = parser.parse_args(argv)
    try:
        settings = configuration.read()
    except SettingsError as e:
        print(f"error    settings: {e}", file=sys.stderr)  # noqa: T201 - this is what was asked for
        return 2
    facts = preflights.with_replies(asyncio.run(_facts(settings)), words.connection, words.variable)
    every = preflight.findings(facts, settings)
    refused = preflight.refused(every, settings)
    for finding in every:
        word = "error" if finding in refused else "accepted" if finding.error else "warning"
        print(f"{word:<8} {finding.name}: {finding.text}")  # noqa: T201
    if not every:
        print(f"all is well: TaskRuns of {settings.name} in {', '.join(settings.namespaces)}")  # noqa: T201
    return 1 if refused else 0


async def _facts(settings: Settings) -> Facts:
    cluster = Cluster(settings.kubeconfig, settings.context, seconds=settings.request_seconds, connections=4)
    try:
        await cluster.open()
        return await preflights.gather(cluster, settings)
    except errors.KubernetesError as e:
        return Facts(unreachable=str(e))
    finally:
        await cluster.close()
