"""Which cluster plays which part: named, configured, or guessed from the current context."""

from __future__ import annotations

import re

from keptn_doctor.model.base import Record
from keptn_doctor.targets.config_file import ClusterSection
from keptn_doctor.targets.records import ClusterTarget
from keptn_doctor.targets.sources import NO_CLUSTER, Sources, commas
from keptn_doctor.usage import UsageError

_POD = ClusterTarget(name="in-cluster", in_cluster=True)
_NAME = re.compile(r"[A-Za-z0-9][\w.@:-]*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1123, as Kubernetes has it
_NO_NAMESPACE = "cannot be a namespace: a-z, 0-9 and - only, 63 at most"
_RESERVED = ("control-plane", "endpoint")  # first words of subject paths that are no plane


class Choice(Record, frozen=True, kw_only=True):
    """The clusters of a run; ``guessed`` when nobody said which is an execution plane."""

    control_plane: ClusterTarget | None = None
    planes: tuple[ClusterTarget, ...] = ()
    guessed: bool = False


def choose_clusters(sources: Sources, *, has_api: bool) -> Choice:
    """The clusters of a run. Without any, ``has_api`` says that the Keptn API alone will do.

    Raises:
        UsageError: nothing to look at, an unknown context, or one name for two clusters.
    """
    control_plane, planes = _chosen(sources)
    if control_plane is None and not planes:
        control_plane = _guess(sources, has_api=has_api)
    guessed = control_plane is not None and not planes
    if guessed and control_plane:
        planes = (control_plane,)
    choice = Choice(
        control_plane=_control_plane_namespace(sources, control_plane),
        planes=_plane_namespaces(sources, planes),
        guessed=guessed,
    )
    _refuse_twins(choice)
    return choice


def plane_name(context: str) -> str:
    """A name for reports made from a context's: no slashes, which part subject paths."""
    short = context.rpartition("cluster/")[2] if context.startswith("arn:") else context
    name = re.sub(r"[^\w.@:-]+", "-", short).strip("-._:@") or "cluster"
    return f"{name}-cluster" if name in _RESERVED else name


def _chosen(sources: Sources) -> tuple[ClusterTarget | None, tuple[ClusterTarget, ...]]:
    options, content = sources.options, sources.content
    control, _ = sources.first(options.control_plane, "KEPTN_DOCTOR_CONTROL_PLANE")
    planes = options.execution_planes or commas(
        sources.environ.get("KEPTN_DOCTOR_EXECUTION_PLANES", "")
    )
    if options.in_cluster and control and planes:
        raise UsageError(
            "--in-cluster stands for the control plane or for the execution plane: leave out "
            "--control-plane or --execution-plane"
        )
    if options.in_cluster:
        if planes:
            return _POD, tuple(_named(sources, text) for text in planes)
        return (_named(sources, control), (_POD,)) if control else (_POD, ())
    section = content.control_plane
    configured = section if section and (section.context or section.in_cluster) else None
    if control and not (configured and configured.name == control):
        control_plane: ClusterTarget | None = _named(sources, control)
    else:
        control_plane = _of_file(sources, configured, "control-plane") if configured else None
    if planes:
        return control_plane, tuple(_plane(sources, text) for text in planes)
    return control_plane, tuple(
        _of_file(sources, plane, f"execution-planes[{index}]")
        for index, plane in enumerate(content.execution_planes)
    )


def _plane(sources: Sources, text: str) -> ClusterTarget:
    """A plane that the file names, else a context."""
    for index, section in enumerate(sources.content.execution_planes):
        if section.name == text:
            return _of_file(sources, section, f"execution-planes[{index}]")
    return _named(sources, text)


def _named(sources: Sources, text: str) -> ClusterTarget:
    """``CONTEXT`` or ``NAME=CONTEXT``; a context may hold an equals sign itself."""
    paths = sources.kubeconfig_paths
    config = sources.kubeconfig(paths)
    name, separator, context = text.partition("=")
    if text in config.contexts or not separator:
        name, context = plane_name(text), text
    config.context(context)
    if not _usable(name):
        raise UsageError(f"{text}: {name!r} cannot be a name: {_NAME_RULE}")
    return ClusterTarget(name=name, context=context, kubeconfig=paths)


def _of_file(sources: Sources, section: ClusterSection, field: str) -> ClusterTarget:
    file = sources.file
    assert file is not None
    if section.in_cluster == bool(section.context):
        raise file.error(field, "needs either a context or in-cluster: true")
    if section.name and not _usable(section.name):
        raise file.error(f"{field}.name", f"{section.name!r} cannot be a name: {_NAME_RULE}")
    for index, namespace in enumerate(section.namespaces):
        if not _LABEL.fullmatch(namespace):
            raise file.error(f"{field}.namespaces[{index}]", f"{namespace!r} {_NO_NAMESPACE}")
    if section.in_cluster:
        return ClusterTarget(
            name=section.name or _POD.name, in_cluster=True, namespaces=section.namespaces
        )
    paths = file.beside(section.kubeconfig) or sources.kubeconfig_paths
    try:
        sources.kubeconfig(paths).context(section.context)
    except UsageError as error:
        raise file.error(f"{field}.context", f"cannot be used: {error}") from error
    return ClusterTarget(
        name=section.name or plane_name(section.context),
        context=section.context,
        kubeconfig=paths,
        namespaces=section.namespaces,
    )


_NAME_RULE = (
    "letters, digits and . _ - @ : only, a letter or digit first, "
    "and neither control-plane nor endpoint"
)


def _usable(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and name not in _RESERVED


def _guess(sources: Sources, *, has_api: bool) -> ClusterTarget | None:
    """The current context, else the pod's own cluster, else nothing if the API alone will do."""
    paths = sources.kubeconfig_paths
    config = sources.kubeconfig_if_any(paths)
    if config and config.current_context:
        config.context(config.current_context)
        return ClusterTarget(
            name=plane_name(config.current_context),
            context=config.current_context,
            kubeconfig=paths,
        )
    if sources.environ.get("KUBERNETES_SERVICE_HOST"):
        return _POD
    if has_api:
        return None
    if config is None:
        raise UsageError(NO_CLUSTER)
    known = ", ".join(sorted(config.contexts)) or "none"
    raise UsageError(
        f"{config.files[0]} has no current-context: name contexts with --execution-plane and "
        f"--control-plane (it has {known})"
    )


def _control_plane_namespace(
    sources: Sources, target: ClusterTarget | None
) -> ClusterTarget | None:
    namespace = sources.options.control_plane_namespace
    if target is None or not namespace:
        return target
    return _with_namespaces(target, (namespace,))


def _plane_namespaces(
    sources: Sources, planes: tuple[ClusterTarget, ...]
) -> tuple[ClusterTarget, ...]:
    """A namespace holds for every plane, ``PLANE/NAMESPACE`` for one; both replace the file's."""
    asked = sources.options.namespaces or commas(sources.environ.get("KEPTN_DOCTOR_NAMESPACES", ""))
    for text in asked:
        plane, separator, namespace = text.partition("/")
        if separator and not (namespace and any(p.name == plane for p in planes)):
            known = ", ".join(p.name for p in planes) or "none"
            raise UsageError(f"--namespace {text}: there is no plane {plane!r} (there is {known})")
    return tuple(
        _with_namespaces(plane, wanted) if (wanted := _wanted(plane.name, asked)) else plane
        for plane in planes
    )


def _wanted(plane: str, asked: tuple[str, ...]) -> tuple[str, ...]:
    parts = (text.rpartition("/") for text in asked)
    return tuple(dict.fromkeys(name for owner, _, name in parts if owner in ("", plane)))


def _with_namespaces(target: ClusterTarget, namespaces: tuple[str, ...]) -> ClusterTarget:
    for namespace in namespaces:
        if not _LABEL.fullmatch(namespace):
            raise UsageError(f"--namespace: {namespace!r} {_NO_NAMESPACE}")
    return ClusterTarget(
        name=target.name,
        context=target.context,
        kubeconfig=target.kubeconfig,
        in_cluster=target.in_cluster,
        namespaces=namespaces,
    )


def _refuse_twins(choice: Choice) -> None:
    """One name for two clusters would make reports ambiguous; one cluster in two parts is fine."""
    seen: dict[str, ClusterTarget] = {}
    for plane in choice.planes:
        if plane.name in seen:
            raise UsageError(
                f"two execution planes are called {plane.name!r}: give them names of their own "
                "with --execution-plane NAME=CONTEXT or with name: in the file"
            )
        seen[plane.name] = plane
    control = choice.control_plane
    twin = seen.get(control.name) if control else None
    if control and twin and _place(control) != _place(twin):
        raise UsageError(
            f"the control plane and an execution plane are both called {control.name!r}: give one "
            "of them another name"
        )


def _place(target: ClusterTarget) -> tuple[str, str, bool]:
    return target.context, target.kubeconfig, target.in_cluster
