"""Where a setting may come from, in order: option, environment variable, configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from keptn_doctor.probes.kube_config import Kubeconfig, read_kubeconfig
from keptn_doctor.targets.config_file import DEFAULT_NAME, ConfigFile, LoadedConfig, load_config
from keptn_doctor.targets.options import Options
from keptn_doctor.usage import UsageError

NO_CLUSTER = (
    "no kubeconfig was found: name one with --kubeconfig or KUBECONFIG, give --endpoint to look at "
    "a Keptn API alone, or try keptn-doctor check --lab, which needs no cluster"
)


class Sources:
    """What was given, and the files that it leads to; each file is read once."""

    def __init__(self, options: Options, environ: Mapping[str, str], cwd: Path) -> None:
        self.options, self.environ = options, environ
        self.file = self._load(cwd)
        self.content = self.file.content if self.file else ConfigFile()
        self.kubeconfig_paths = options.kubeconfig or environ.get("KEPTN_DOCTOR_KUBECONFIG", "")
        self._read: dict[str, Kubeconfig | None] = {}

    def first(self, option: str, *variables: str) -> tuple[str, str]:
        """The option or the first variable that is set, and what to call it in a complaint."""
        if option:
            return option, ""
        for name in variables:
            value = self.environ.get(name, "").strip()
            if value:
                return value, name
        return "", ""

    def kubeconfig(self, paths: str) -> Kubeconfig:
        """The kubeconfig of these paths ("" = the usual one); raises UsageError."""
        config = self.kubeconfig_if_any(paths)
        if config is None:
            raise UsageError(NO_CLUSTER)
        return config

    def kubeconfig_if_any(self, paths: str) -> Kubeconfig | None:
        """The same, None when none was named and the usual one does not exist."""
        if paths not in self._read:
            self._read[paths] = read_kubeconfig(paths, self.environ)
        return self._read[paths]

    def _load(self, cwd: Path) -> LoadedConfig | None:
        named, _ = self.first(self.options.config, "KEPTN_DOCTOR_CONFIG")
        if named:
            return load_config(cwd / Path(named).expanduser())
        usual = cwd / DEFAULT_NAME
        return load_config(usual) if usual.is_file() else None


def commas(text: str) -> tuple[str, ...]:
    """The parts of a list in one variable."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
