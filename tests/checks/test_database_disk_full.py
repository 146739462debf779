from check_under_test import judge_one

from keptn_doctor.testing import control_plane_runs, keptn_service, line, pod_log, world

SERVICE = keptn_service()
KEPTN = "control-plane/keptn"
FULL = line("storage_full", text="No space left on device")

FAILS = [
    world(SERVICE, control_plane_runs(), pod_log(KEPTN, FULL, container="mongodb")),
    world(SERVICE, pod_log(SERVICE, line("heartbeat", "storage_full"))),
]
PASSES = [
    world(SERVICE, pod_log(KEPTN, container="mongodb")),
    world(SERVICE, pod_log(KEPTN, container="mongodb"), pod_log(SERVICE, FULL)),
]


def test_the_disk_of_an_execution_plane_is_not_the_databases():
    assert judge_one(__file__, PASSES[1]).status == "pass"


def test_the_claim_goes_by_the_name_of_its_version():
    old = world(
        SERVICE, control_plane_runs(version="0.9.2"), pod_log(KEPTN, FULL, container="mongodb")
    )

    assert "pvc mongodata" in judge_one(__file__, old).command
