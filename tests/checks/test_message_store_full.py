from check_under_test import judge_one

from keptn_doctor.testing import line, pod_log, world

KEPTN = "control-plane/keptn"
FULL = line("message_store_full", text="JetStream resource limits exceeded for server")
DISK = line("storage_full", text="No space left on device")

FAILS = [
    world(pod_log(KEPTN, FULL, container="nats")),
    world(pod_log(KEPTN, DISK, container="nats")),
    world(pod_log(KEPTN, FULL, container="shipyard-controller")),
]
PASSES = [
    world(pod_log(KEPTN, container="nats")),
    world(pod_log(KEPTN, container="nats"), pod_log(KEPTN, DISK, container="mongodb")),
]


def test_heartbeats_go_on_so_it_degrades():
    assert judge_one(__file__, FAILS[0]).breaks == "degraded"


def test_the_databases_disk_is_another_matter():
    assert judge_one(__file__, PASSES[1]).status == "pass"
