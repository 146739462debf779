from keptn_doctor.testing import keptn_service, workload_of, world

SERVICE = keptn_service()
FAILS = [world(SERVICE, workload_of(SERVICE, desired=0))]
PASSES = [
    world(SERVICE, workload_of(SERVICE)),
    world(SERVICE, workload_of(SERVICE, desired=None, workload_kind="DaemonSet")),
]
