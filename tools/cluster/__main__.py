"""The cluster for tests, on the command line: `PYTHONPATH=tools python -m cluster up`."""

from __future__ import annotations

import argparse
import sys

from cluster import lifecycle
from cluster.choice import ChoiceError
from cluster.commands import CommandError
from cluster.hooks import Hooks, connect
from cluster.memory import lock
from cluster.packets import EndpointError
from cluster.programs import images


def parser() -> argparse.ArgumentParser:
    """Returns the commands."""
    top = argparse.ArgumentParser(prog="cluster", description="The cluster for tests; see tools/cluster/README.md.")
    commands = top.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring a cluster up, or find it again; prints one line to evaluate")
    up.add_argument("--nodes", type=int, default=1, help="nodes there are to be, at least")
    commands.add_parser("down", help="end it; leaves nothing")
    commands.add_parser("status", help="what is up")
    commands.add_parser("images", help="build the images and print their archives")
    commands.add_parser("prefetch", help="build everything that a bare node needs, and bring nothing up")
    load = commands.add_parser("load-image", help="make an archive's images known to every node")
    load.add_argument("archive")
    commands.add_parser("audit-log", help="print the API server's audit log, one JSON object a line")
    inside = commands.add_parser("node-exec", help="run a command on a node: node-exec [--node NAME] -- COMMAND ...")
    inside.add_argument("--node", default="")
    inside.add_argument("argv", nargs=argparse.REMAINDER)
    for verb in ("restart", "stop", "start"):
        one = commands.add_parser(verb, help=f"{verb} a component of a node")
        one.add_argument("component")
        one.add_argument("--node", default="")
    drop = commands.add_parser("drop-packets", help="freeze the traffic between two endpoints")
    drop.add_argument("first", nargs="?", help="an address, apiserver, node/N, pod/NS/N or service/NS/N")
    drop.add_argument("second", nargs="?")
    drop.add_argument("--undo", action="store_true", help="let all traffic pass again")
    commands.add_parser("add-node", help="add a node; prints its name")
    remove = commands.add_parser("remove-node", help="end a node as a failing machine would")
    remove.add_argument("name")
    return top


def hooks() -> Hooks:
    """Returns the running cluster's hooks."""
    cluster_hooks = connect()
    if cluster_hooks is None:
        raise CommandError("KUBECONFIG is that of a cluster that `up` did not make: it has no hooks")
    return cluster_hooks


def act(options: argparse.Namespace) -> int:
    """Runs one command; returns the exit code."""
    match options.command:
        case "up":
            line = lifecycle.up(nodes=options.nodes)
            print(line)
        case "down":
            lifecycle.down()
        case "status":
            print(lifecycle.status())
        case "images":
            images.main()
        case "prefetch":
            lifecycle.prefetch()
        case "audit-log":
            sys.stdout.writelines(hooks().audit_lines())
        case "node-exec":
            argv = options.argv[1:] if options.argv[:1] == ["--"] else options.argv
            result = hooks().node_exec(*argv, node=options.node, check=False, timeout=3600)
            sys.stdout.write(result.stdout)
            sys.stderr.write(result.stderr)
            return result.returncode
        case _:
            with lock():
                change(options)
    return 0


def change(options: argparse.Namespace) -> None:
    """Runs a command that changes the running cluster, under its lock."""
    cluster_hooks = hooks()
    match options.command:
        case "load-image":
            cluster_hooks.load_image(options.archive)
        case "restart" | "stop" | "start":
            getattr(cluster_hooks, options.command)(options.component, options.node)
        case "drop-packets" if options.undo:
            cluster_hooks.pass_packets()
        case "drop-packets":
            if not (options.first and options.second):
                raise EndpointError("drop-packets needs two endpoints, or --undo")
            cluster_hooks.drop_packets(options.first, options.second)
        case "add-node":
            print(cluster_hooks.add_node())
        case "remove-node":
            cluster_hooks.remove_node(options.name)


def main() -> int:
    """Runs the command; its errors are one paragraph, not a traceback."""
    try:
        return act(parser().parse_args())
    except (CommandError, ChoiceError, EndpointError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
