"""``keptn-doctor lab``: keeps a world up, so that kubectl and the doctor can look at it."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

from keptn_doctor.lab.configuration import configuration
from keptn_doctor.lab.scenario import Scenario
from keptn_doctor.lab.start import start
from keptn_doctor.lab.world import Lab
from keptn_doctor.usage import UsageError


async def keep(
    scenario: Scenario,
    kubeconfig_out: Path | None = None,
    *,
    say: Callable[[str], None] = print,
    stop: asyncio.Event | None = None,
) -> None:
    """Run a scenario's world until Ctrl-C, TERM or ``stop``; write a kubeconfig for kubectl.

    ``kubeconfig_out`` is removed at the end. Raises UsageError when it exists already (a
    kubeconfig is never overwritten) or cannot be written.
    """
    if kubeconfig_out is not None:
        _reserve(kubeconfig_out)
    stopped = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    handled = _handle(loop, stopped)
    try:
        async with start(scenario) as lab:
            file = lab.kubeconfig if kubeconfig_out is None else kubeconfig_out
            if kubeconfig_out is not None:
                _fill(kubeconfig_out, lab.kubeconfig)
            config = lab.folder / "keptn-doctor.yaml"
            config.write_text(configuration(lab.targets(), file), encoding="utf-8")
            for line in description(lab, file, config):
                say(line)
            await stopped.wait()
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
        if kubeconfig_out is not None:
            _remove(kubeconfig_out)


def _handle(
    loop: asyncio.AbstractEventLoop, stopped: asyncio.Event
) -> tuple[signal.Signals, ...]:
    handled = (signal.SIGINT, signal.SIGTERM)
    for number in handled:
        loop.add_signal_handler(number, stopped.set)
    return handled


def _reserve(out: Path) -> None:
    """Create the file at once, so that the complaint comes before the lab."""
    try:
        out.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise UsageError(f"{out} exists already: choose another file for the lab") from None
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from None


def _fill(out: Path, made: Path) -> None:
    if made.exists():
        shutil.copyfile(made, out)
    else:  # the scenario's operator has no kubeconfig
        _remove(out)


def _remove(out: Path) -> None:
    out.unlink(missing_ok=True)


def description(lab: Lab, kubeconfig: Path, config: Path) -> Iterator[str]:
    """What is where, line by line, and how to look at it."""
    scenario = lab.scenario
    yield f"The lab is running: {scenario.title} (Keptn {scenario.version})"
    yield ""
    home = scenario.control_plane
    yield f"control plane    context {home.context}, namespace {home.namespace}"
    yield f"                 endpoint {lab.endpoint}"
    for name, plane in lab.plan.planes.items():
        services = ", ".join(plane.services) or "no Keptn services"
        yield f"{name:<16} context {plane.context}, namespace {plane.namespace}: {services}"
    yield ""
    yield "Addresses and names of the world are virtual: kubectl reaches the three clusters, but"
    yield f"curl does not reach {lab.endpoint}. Through the clusters it goes like this:"
    yield ""
    yield f"  export KUBECONFIG={kubeconfig}"
    yield f"  kubectl --context {scenario.control_plane.context} get pods -A"
    for plane in lab.plan.planes.values():
        service = next(iter(plane.services), "")
        if service:
            where = f"--context {plane.context} -n {plane.namespace}"
            yield f"  kubectl {where} logs deploy/{service} --all-containers"
    yield ""
    yield "The doctor in another terminal sees it as --lab does, virtual names included, with:"
    yield ""
    yield f"  keptn-doctor check --config {config}"
    yield ""
    yield "Ctrl-C ends it and removes everything."
