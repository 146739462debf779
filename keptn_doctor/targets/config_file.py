"""``keptn-doctor.yaml``: which clusters play which part, and how to reach them.

The file holds no secret: it may say where a token is, never what it is. Everything in it is
checked when it is read, and every complaint is one line with file, line, field and what is allowed.
Which of the clusters exist is not asked here.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Any

import msgspec
import yaml

from keptn_doctor.named_file import read_named
from keptn_doctor.probes.kube_config import yaml_position
from keptn_doctor.usage import UsageError

DEFAULT_NAME = "keptn-doctor.yaml"
_MAX_BYTES = 1024 * 1024
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Section(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"
):
    """Fields are written with dashes: ``tls-server-name``."""


class ClusterSection(_Section, frozen=True, kw_only=True):
    """A cluster: a kubeconfig context, or the one that the doctor runs in."""

    name: str = ""  # in reports; the context's name by default
    context: str = ""
    kubeconfig: str = ""  # "" = KUBECONFIG, then ~/.kube/config; relative to this file
    in_cluster: bool = False
    namespaces: tuple[str, ...] = ()  # to search; none = all that can be listed


class ControlPlaneSection(ClusterSection, frozen=True, kw_only=True):
    """A control plane: its cluster, its API, or both."""

    endpoint: str = ""  # "https://keptn.example.com/api"
    token_file: str = ""  # relative to this file
    token_env: str = ""  # name of an environment variable


class NetworkSection(_Section, frozen=True, kw_only=True):
    """This machine's way to the Keptn endpoint."""

    nameservers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    ndots: int | None = None
    connect_to: tuple[str, ...] = ()  # "host:port:to-host:to-port", as curl's option
    ca_file: str = ""
    proxy: str = ""


class TimeoutSection(_Section, frozen=True, kw_only=True):
    """Time limits in seconds."""

    connect: float | None = None
    request: float | None = None
    kubernetes: float | None = None
    run: float | None = None


class UpstreamSection(_Section, frozen=True, kw_only=True):
    """A Git repository for the projects of round trips, where Keptn wants one."""

    url: str  # "https://git.example.com/keptn-doctor.git"
    user: str = ""
    token_file: str = ""  # relative to this file
    token_env: str = ""  # name of an environment variable


class RoundTripSection(_Section, frozen=True, kw_only=True):
    """Where round trips go, once ``--round-trip`` asks for one."""

    project: str = ""  # level controller
    stage: str = ""
    service: str = ""
    keptn_services: tuple[str, ...] = ()  # level service: "[PLANE/][NAMESPACE/]NAME"
    timeout: float | None = None  # seconds
    upstream: UpstreamSection | None = None


class ConfigFile(_Section, frozen=True, kw_only=True):
    """The whole file."""

    version: int = 1
    control_plane: ControlPlaneSection | None = None
    execution_planes: tuple[ClusterSection, ...] = ()
    network: NetworkSection = NetworkSection()
    timeouts: TimeoutSection = TimeoutSection()
    log_window: str = ""  # "15m"
    round_trip: RoundTripSection = RoundTripSection()


class LoadedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was read, with the lines that its fields stand on."""

    path: Path
    content: ConfigFile
    root: Any = None

    def error(self, field: str, problem: str) -> UsageError:
        """A complaint about a field such as ``execution-planes[0].context``."""
        return _error(self.path, self.root, field, problem)

    def beside(self, name: str) -> str:
        """A path of the file's, or several joined as in KUBECONFIG, relative to its folder."""
        parts = (self.path.parent / Path(part).expanduser() for part in name.split(os.pathsep))
        return os.pathsep.join(str(part) for part in parts) if name else ""


def load_config(path: Path) -> LoadedConfig:
    """Read and check a file; raises UsageError."""
    try:
        raw = read_named(path, most=_MAX_BYTES + 1)
        if len(raw) > _MAX_BYTES:
            raise UsageError(f"{path}: more than {_MAX_BYTES >> 20} MiB is no configuration")
        text = raw.decode()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not a text file") from error
    return parse_config(path, text)


def parse_config(path: Path, text: str) -> LoadedConfig:
    """Check a text as if it stood in ``path``; raises UsageError."""
    try:
        loader = _LOADER(text)
        try:
            root = loader.get_single_node()
            _refuse_doubles(path, root)
            data = loader.construct_document(root) if root is not None else None
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise UsageError(f"{path}{yaml_position(error)}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is not a configuration: {error}") from error
    if not isinstance(data, dict):
        raise UsageError(f"{path}: is no configuration: it must have fields such as control-plane")
    try:
        content = msgspec.convert(data, ConfigFile)
    except msgspec.ValidationError as error:
        raise _explained(path, root, str(error)) from error
    loaded = LoadedConfig(path=path, content=content, root=root)
    if content.version != 1:
        raise loaded.error("version", "must be 1: a newer keptn-doctor may know more")
    return loaded


def _refuse_doubles(path: Path, root: Any) -> None:
    """YAML lets the last of two equal keys win; a person would not."""
    pending, walked = [root], set()
    while pending:
        node = pending.pop()
        if id(node) in walked:  # an alias: one node in several places, or within itself
            continue
        walked.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            pending += node.value
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if str(key.value) in seen:
                    line = key.start_mark.line + 1
                    raise UsageError(f"{path}:{line}: {key.value} is given twice")
                seen.add(str(key.value))
                pending.append(value)


_AT = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<where>.*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_EXPECTED = re.compile(r"Expected `(.*)`, got `(.*)`")
_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "array": "a list",
    "object": "a mapping of fields",
    "bool": "true or false",
    "null": "nothing",
}


def _explained(path: Path, root: Any, message: str) -> UsageError:
    match = _AT.fullmatch(message)
    what, where = (match["what"], match["where"] or "") if match else (message, "")
    if unknown := _UNKNOWN.fullmatch(what):
        return _unknown_field(path, root, where, unknown[1])
    if expected := _EXPECTED.fullmatch(what):
        wanted = " or ".join(_WORDS.get(w, w) for w in expected[1].split(" | "))
        what = f"must be {wanted}, not {_WORDS.get(expected[2], expected[2])}"
    return _error(path, root, where, what)


def _unknown_field(path: Path, root: Any, parent: str, name: str) -> UsageError:
    field = f"{parent}.{name}" if parent else name
    if name in ("token", "api-token", "password"):
        return _error(
            path, root, field, "a secret has no place in this file: use token-file or token-env"
        )
    known = sorted(_fields(parent))
    near = difflib.get_close_matches(name.replace("_", "-"), known, n=1)
    advice = f"did you mean {near[0]}?" if near else f"allowed are {', '.join(known)}"
    return _error(path, root, field, f"is no field: {advice}")


def _fields(parent: str) -> tuple[str, ...]:
    sections: dict[str, type[_Section]] = {
        "": ConfigFile,
        "control-plane": ControlPlaneSection,
        "network": NetworkSection,
        "timeouts": TimeoutSection,
        "round-trip": RoundTripSection,
        "round-trip.upstream": UpstreamSection,
    }
    section = sections.get(parent, ClusterSection)
    return section.__struct_encode_fields__


def _error(path: Path, root: Any, field: str, problem: str) -> UsageError:
    line = _line_of(root, field)
    return UsageError(f"{path}:{line}: {field} {problem}" if field else f"{path}: {problem}")


def _line_of(root: Any, field: str) -> int:
    """The line of a field, or of the nearest thing around it that stands in the file."""
    node, line = root, 1
    for name, index in re.findall(r"([\w-]+)|\[(\d+)\]", field):
        if isinstance(node, yaml.MappingNode) and name:
            found = next((pair for pair in node.value if pair[0].value == name), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and index and int(index) < len(node.value):
            node = node.value[int(index)]
            line = node.start_mark.line + 1
        else:
            break
    return line
