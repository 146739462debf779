"""The command line: names, options and help; what a command does is imported when it runs.

``--help`` and completion must answer at once, so this module imports click and nothing heavier; a
test holds it to that. Every error ends here in one line and an exit code, never in a traceback.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TextIO, cast

import click

from keptn_doctor import __version__, exit_codes
from keptn_doctor.cli_options import (
    CHECK_DIRS,
    KUBECONFIG,
    SCENARIO,
    api_options,
    check_options,
    cluster_options,
    complete_ids,
    lab_options,
    many,
    one,
    output_options,
    run_options,
)
from keptn_doctor.usage import UsageError

PROGRAM = "keptn-doctor"
DEBUG_VARIABLE = "KEPTN_DOCTOR_DEBUG"
_TOLD_AGAIN = 2  # how often a signal came
_ERRORS_BEHIND = 10  # causes can form a cycle
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_EPILOG = "\b\nExit codes:\n" + "\n".join(
    f"  {code:>3}  {text}" for code, text in exit_codes.MEANINGS.items()
)


@click.group(context_settings=_SETTINGS, epilog=_EPILOG, invoke_without_command=True)
@click.version_option(__version__, "-V", "--version", prog_name=PROGRAM)
@click.pass_context
def cli(context: click.Context) -> int:
    """Are the services of your Keptn execution planes connected to the control plane?

    Says for each of them where the path breaks, why, and what mends it. Reads only, unless an
    option says otherwise.

    \b
    Try it without a cluster:    keptn-doctor check --lab
    Look at your own clusters:   keptn-doctor check --control-plane CONTEXT
                                     --execution-plane CONTEXT
    Put that into a file:        keptn-doctor init
    """  # noqa: D301 - the \b is click's mark for "do not rewrap"
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        return exit_codes.USAGE
    return exit_codes.CONNECTED


@cli.command(epilog=_EPILOG)
@cluster_options
@api_options
@lab_options
@check_options
@output_options
@run_options
def check(**options: Any) -> int:
    """Look at the planes and say for every Keptn service whether it is connected.

    Without options, the configuration file decides, or else the current context of the kubeconfig
    plays both planes.

    \b
    Examples:
      keptn-doctor check --lab
      keptn-doctor check --control-plane cp --execution-plane a --execution-plane b
      keptn-doctor check -o text -o json=report.json -o junit=report.xml
    """  # noqa: D301
    from keptn_doctor.commands.check import run  # noqa: PLC0415

    return run(options, os.environ)


@cli.command(epilog=_EPILOG)
@click.argument("bundle", metavar="BUNDLE")
@check_options
@output_options
def judge(**options: Any) -> int:
    """Judge what an earlier run has seen and kept with --bundle; look at nothing."""
    from keptn_doctor.commands.judge import run  # noqa: PLC0415

    return run(options, os.environ)


@cli.command()
@one("--kubeconfig", metavar="FILE", text=KUBECONFIG)
@click.option(
    "--config",
    metavar="FILE",
    default="keptn-doctor.yaml",
    show_default=True,
    help="File to write.",
)
@click.option("--force", is_flag=True, help="Overwrite the file.")
def init(**options: Any) -> int:
    """Look through the kubeconfig's contexts and write a configuration file."""
    from keptn_doctor.commands.init import run  # noqa: PLC0415

    return run(options, os.environ)


@cli.command()
@one("--scenario", metavar="FILE", text=SCENARIO)
@one("--kubeconfig", metavar="OUT", text="Write the lab's kubeconfig here.")
def lab(**options: Any) -> int:
    """Keep the embedded pair of clusters running until Ctrl-C, with a kubeconfig for kubectl."""
    from keptn_doctor.commands.lab import run  # noqa: PLC0415

    return run(options)


@cli.command()
@click.argument("role", type=click.Choice(["control-plane", "execution-plane"]))
@many(
    "-n",
    "--namespace",
    "namespaces",
    metavar="NAME",
    text="Grant in this namespace only, not in all of them.",
)
@click.option("--namespaces-only", is_flag=True, help="No cluster-wide rights; all are optional.")
@click.option("--probe-pod", is_flag=True, help="Add what --probe-pod needs.")
@many("--checks", "check_dirs", metavar="DIR", text=CHECK_DIRS)
@many("--only", metavar="ID", shell_complete=complete_ids, text="Only what this check needs.")
@many("--skip", metavar="ID", shell_complete=complete_ids, text="Without what it alone needs.")
@one("--user", metavar="NAME", text="Grant it to this user, not to a new ServiceAccount.")
@one("--group", metavar="NAME", text="Grant it to this group, not to a new ServiceAccount.")
def rbac(**options: Any) -> int:
    """Print manifests with the least rights that a run can use, for kubectl apply -f -."""
    from keptn_doctor.commands.rights import rbac as run  # noqa: PLC0415

    return run(options)


@cli.command()
@cluster_options
@api_options
@click.option("--dry-run", is_flag=True, help="Only list what would be removed.")
def cleanup(**options: Any) -> int:
    """Remove probe pods and projects of round trips that a killed run left, and nothing else.

    Those of a run that is still going on are among them: nothing tells them apart.
    """
    from keptn_doctor.commands.cleanup import run  # noqa: PLC0415

    return run(options, os.environ)


@cli.command()
@click.argument("check_id", metavar="ID", shell_complete=complete_ids)
@many("--checks", "check_dirs", metavar="DIR", text=CHECK_DIRS)
def explain(check_id: str, check_dirs: tuple[str, ...]) -> int:
    """Explain one check: what its failing means, how it decides, what to do."""
    from keptn_doctor.commands.catalogue import explain as run  # noqa: PLC0415

    return run(check_id, check_dirs)


@cli.command()
@many("--checks", "check_dirs", metavar="DIR", text=CHECK_DIRS)
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
def checks(check_dirs: tuple[str, ...], *, as_json: bool) -> int:
    """List all checks by the layer of the path that they look at."""
    from keptn_doctor.commands.catalogue import listing  # noqa: PLC0415

    return listing(check_dirs, as_json=as_json)


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the completion script for a shell.

    \b
    bash:  keptn-doctor completion bash > ~/.local/share/bash-completion/completions/keptn-doctor
    zsh:   keptn-doctor completion zsh > "${fpath[1]}/_keptn-doctor"
    fish:  keptn-doctor completion fish > ~/.config/fish/completions/keptn-doctor.fish
    """  # noqa: D301
    from click.shell_completion import get_completion_class  # noqa: PLC0415

    kind = get_completion_class(shell)
    assert kind is not None, "the argument's choices are click's own shells"
    click.echo(kind(cli, {}, PROGRAM, _completion_variable()).source())
    return exit_codes.CONNECTED


def _completion_variable() -> str:
    return f"_{PROGRAM.replace('-', '_').upper()}_COMPLETE"


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit the process with its code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _handle_signals(_Stop())
    if sys.stderr is sys.__stderr__:
        sys.stderr = _standard_error()
    code = _guarded(given)
    _handle_signals(signal.SIG_IGN)  # the interpreter's own end is no place to be stopped at
    sys.exit(code)


class _MayBeLost(io.FileIO):
    """A place that may be full or gone: what cannot be said there changes no outcome."""

    def write(self, data: Any) -> int:
        with contextlib.suppress(OSError):
            return super().write(data) or 0
        return len(data)


def _standard_error() -> TextIO:
    if sys.stderr is None:  # closed by the caller of the process
        return Path(os.devnull).open("w", encoding="utf-8")
    place = cast(BinaryIO, _MayBeLost(sys.stderr.fileno(), "w", closefd=False))
    return io.TextIOWrapper(
        place, encoding=sys.stderr.encoding, errors="backslashreplace", write_through=True
    )


class _Stop:
    """Until a run takes over both signals, TERM ends it as Ctrl-C does.

    The second one must not tear the few lines apart that tell of the first; who sends a third means
    it.
    """

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, _number: int, _frame: object) -> None:
        self._count += 1
        if self._count != _TOLD_AGAIN:
            raise KeyboardInterrupt


def _handle_signals(handler: _Stop | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def _guarded(arguments: list[str]) -> int:
    try:
        code = cli.main(
            arguments,
            prog_name=PROGRAM,
            complete_var=_completion_variable(),
            standalone_mode=False,
        )
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else PROGRAM
        what = f"{error.format_message().rstrip('.')}; see {command} --help"
        return _fail(arguments, exit_codes.USAGE, what)
    except click.ClickException as error:
        return _fail(arguments, exit_codes.USAGE, error.format_message())
    except UsageError as error:
        return _fail(arguments, exit_codes.USAGE, str(error))
    except (KeyboardInterrupt, click.Abort):
        return _fail(arguments, exit_codes.INTERRUPTED, "interrupted before anything was looked at")
    except SystemExit:
        if _completion_variable() in os.environ:
            raise
        return exit_codes.CONNECTED  # click's own answer to a reader who has gone
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EIO):
            return _fail(arguments, exit_codes.DOCTOR_FAILED, _bug(error))
        from keptn_doctor.commands.outputs import give_up  # noqa: PLC0415

        give_up(sys.stdout)
        what = f"cannot write to standard output: {error.strerror}"
        return _fail(arguments, exit_codes.DOCTOR_FAILED, what)
    except Exception as error:  # noqa: BLE001 - the last border: a bug is one line and a code
        return _fail(arguments, exit_codes.DOCTOR_FAILED, _bug(error))
    return code if isinstance(code, int) else exit_codes.CONNECTED


def _fail(arguments: list[str], code: int, error: str) -> int:
    """Say one line, leave it in the promised reports, and give the exit code back."""
    error = _one_line(error)
    click.echo(f"{PROGRAM}: {error}", err=True)
    if next((word for word in arguments if not word.startswith("-")), "") in ("check", "judge"):
        from keptn_doctor.commands.outputs import OutputFailedError, promised  # noqa: PLC0415
        from keptn_doctor.commands.reports import write_failure  # noqa: PLC0415

        reports = [output for output in promised(arguments) if f" {output.file}: " not in error]
        try:
            write_failure(reports, exit_code=code, error=error)
        except OutputFailedError as second:
            click.echo(f"{PROGRAM}: {second}", err=True)
    return code


def _bug(error: Exception) -> str:
    """A bug in one line: its type and place, never its text, which may quote anything."""
    import traceback  # noqa: PLC0415

    if os.environ.get(DEBUG_VARIABLE):
        _print_places(error)
    own = [f for f in traceback.extract_tb(error.__traceback__) if "keptn_doctor" in f.filename]
    where = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "unknown place"
    return (
        f"a bug of keptn-doctor {__version__}: {type(error).__name__} at {where}; please report it "
        f"with the output of the same command under {DEBUG_VARIABLE}=1"
    )


def _print_places(error: BaseException) -> None:
    """A traceback, and those of the errors behind it, without the texts of the errors."""
    import traceback  # noqa: PLC0415

    behind: BaseException | None = error
    for _ in range(_ERRORS_BEHIND):
        if behind is None:
            return
        click.echo(f"{type(behind).__name__}, raised here:", err=True)
        click.echo("".join(traceback.format_tb(behind.__traceback__)), err=True, nl=False)
        behind = behind.__cause__ or behind.__context__


def _one_line(text: str) -> str:
    """Fit for one line and for any encoding; file names may hold bytes that are no text."""
    return " ".join(text.encode(errors="backslashreplace").decode().split())
