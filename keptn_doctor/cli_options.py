"""The options of the command line, in groups; ``targets`` and ``commands`` read their values.

Like ``cli`` it imports click and nothing heavier, since ``--help`` and completion must answer at
once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import click

from keptn_doctor.usage import UsageError

Decorator = Callable[[Callable[..., int]], Callable[..., int]]


def complete_ids(_context: Any, _parameter: Any, incomplete: str) -> list[str]:
    from keptn_doctor.commands.catalogue import ids  # noqa: PLC0415

    return [check_id for check_id in ids() if check_id.startswith(incomplete)]


def complete_contexts(context: Any, _parameter: Any, incomplete: str) -> list[str]:
    from keptn_doctor.probes.kube_config import read_kubeconfig  # noqa: PLC0415

    try:
        config = read_kubeconfig(context.params.get("kubeconfig") or "", os.environ)
    except UsageError:
        return []
    names = config.contexts if config else ()
    return [name for name in names if name.startswith(incomplete)]


def together(*decorators: Any) -> Decorator:
    def apply(function: Callable[..., int]) -> Callable[..., int]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


def one(*names: str, metavar: str, text: str, **settings: Any) -> Decorator:
    return click.option(*names, metavar=metavar, help=text, **settings)


def many(*names: str, metavar: str, text: str, **settings: Any) -> Decorator:
    return one(*names, metavar=metavar, text=f"{text} May be repeated.", multiple=True, **settings)


def _no_nan(_context: Any, _parameter: Any, value: float | None) -> float | None:
    if value is not None and value != value:  # noqa: PLR0124 - only nan is not itself
        raise click.BadParameter("nan is no number of seconds")
    return value


KUBECONFIG = "Kubeconfig file instead of $KUBECONFIG or ~/.kube/config."
SCENARIO = "What is wrong in the lab: a file, or the name of a packaged scenario."
CHECK_DIRS = "Use the checks in this directory too."

cluster_options = together(
    one(
        "--control-plane",
        metavar="[NAME=]CONTEXT",
        shell_complete=complete_contexts,
        text="Kubeconfig context of the control plane.",
    ),
    many(
        "--execution-plane",
        "execution_planes",
        metavar="[NAME=]CONTEXT",
        shell_complete=complete_contexts,
        text="Kubeconfig context of an execution plane.",
    ),
    one("--kubeconfig", metavar="FILE", text=KUBECONFIG),
    one("--config", metavar="FILE", text="Configuration file instead of ./keptn-doctor.yaml."),
    many(
        "-n",
        "--namespace",
        "namespaces",
        metavar="[PLANE/]NAME",
        text="Look for Keptn services in this namespace of the execution planes only.",
    ),
    one(
        "--control-plane-namespace",
        metavar="NAME",
        text="Namespace of the control plane, when it cannot be found by itself.",
    ),
    click.option("--in-cluster", is_flag=True, help="Use the service account of this pod."),
)

api_options = together(
    one("--endpoint", metavar="URL", text="Keptn API as seen from here, ending in /api."),
    one(
        "--token-file",
        metavar="FILE",
        text="Read the Keptn API token from this file, - for standard input. "
        "The variable KEPTN_API_TOKEN gives it as well.",
    ),
    click.option("--ask-token", is_flag=True, help="Ask for the Keptn API token."),
    one("--ca-file", metavar="FILE", text="Trust these authorities for the endpoint too (PEM)."),
    many(
        "--nameserver",
        "nameservers",
        metavar="ADDRESS[:PORT]",
        text="Ask this name server instead of the system's.",
    ),
    many(
        "--connect-to",
        "connect_to",
        metavar="HOST:PORT:TO-HOST:TO-PORT",
        text="Connect elsewhere, as curl's option does: for tunnels.",
    ),
    one(
        "--proxy",
        metavar="URL",
        text="Reach the endpoint through this http:// or https:// proxy. Write one that wants a "
        "password into the configuration file: other users see command lines.",
    ),
)

lab_options = together(
    click.option("--lab", is_flag=True, help="Look at an embedded pair of clusters instead."),
    one("--scenario", metavar="FILE", text=SCENARIO),
)

check_options = together(
    many("--checks", "check_dirs", metavar="DIR", text=CHECK_DIRS),
    many(
        "--only",
        metavar="ID",
        shell_complete=complete_ids,
        text="Judge with this check only; verdicts may become unknown.",
    ),
    many("--skip", metavar="ID", shell_complete=complete_ids, text="Judge without this check."),
)

output_options = together(
    many(
        "-o",
        "--output",
        "outputs",
        metavar="FORMAT[=FILE]",
        text="text, json or junit, to a file or to standard output; text when not given.",
    ),
    click.option("--short", is_flag=True, help="Show only what is wrong."),
    click.option("-v", "--verbose", is_flag=True, help="Show every finding with its evidence."),
    click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=True,
        help="Colour the text report; auto heeds NO_COLOR.",
    ),
    click.option("--timings", is_flag=True, help="Add where the time went, by look and by phase."),
    click.option("-q", "--quiet", is_flag=True, help="No progress on standard error."),
)

round_trip_options = (
    click.option(
        "--round-trip",
        type=click.Choice(["datastore", "controller", "service"]),
        is_flag=False,
        flag_value="datastore",
        metavar="[LEVEL]",
        help="Send an event through Keptn and look for what comes of it. Without a level, or with "
        "datastore, it is one that nobody acts on, and it stays stored. controller asks a project "
        "for a sequence that it does not have, and leaves one failed sequence. service sends a "
        "task to a Keptn service in a short-lived project of its own.",
    ),
    one("--project", metavar="NAME", text="Keptn project for --round-trip=controller."),
    one("--stage", metavar="NAME", text="Stage of that project."),
    one("--service", metavar="NAME", text="Service of that project."),
    many(
        "--keptn-service",
        "keptn_services",
        metavar="[PLANE/][NAMESPACE/]NAME",
        text="Keptn service for --round-trip=service, when not the only harmless one.",
    ),
    click.option(
        "--allow-deploying",
        is_flag=True,
        help="Let --round-trip=service use tasks that look as if they deployed something.",
    ),
    click.option(
        "--round-trip-timeout",
        type=click.FloatRange(min=1, max=1800),
        callback=_no_nan,
        metavar="SECONDS",
        help="How long to wait for what comes of an event.  [default: 15, beyond the datastore 60]",
    ),
)

run_options = together(
    click.option(
        "--timeout",
        type=click.FloatRange(min=1, max=3600),
        callback=_no_nan,
        metavar="SECONDS",
        help="Stop looking after this time and report what was seen.  [default: 120]",
    ),
    one(
        "--budget",
        metavar="DURATION",
        text="Give the best answer that this time allows: what decides verdicts comes first, and "
        "the report says what was left out.",
    ),
    one("--log-window", metavar="DURATION", text="How far back logs are read.  [default: 15m]"),
    one("--bundle", metavar="FILE", text="Keep what was seen in FILE, for keptn-doctor judge."),
    click.option("--plan", is_flag=True, help="Print what would be touched, and touch nothing."),
    click.option(
        "--probe-pod",
        is_flag=True,
        help="Allow a short-lived probe pod beside Keptn services whose own view is not enough.",
    ),
    *round_trip_options,
    one(
        "--probe-image",
        metavar="IMAGE@DIGEST",
        text="Image of the probe pod, with a busybox shell, instead of the Keptn service's own.",
    ),
    click.option(
        "--probe-service-account",
        is_flag=True,
        help="Run the probe pod under the Keptn service's account, without its token.",
    ),
)
