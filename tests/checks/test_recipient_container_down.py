from check_under_test import judge_one

from keptn_doctor.testing import (
    container,
    keptn_service,
    line,
    pod_log,
    pod_of,
    workload_of,
    world,
)

SERVICE = keptn_service(recipient="127.0.0.1:9000")
FAILED = line("local_delivery", text="Sending CloudEvent with ID 1 to 127.0.0.1 failed")

FAILS = [world(SERVICE, pod_log(SERVICE, FAILED))]
PASSES = [
    world(SERVICE, pod_log(SERVICE)),
    world(SERVICE, pod_log(SERVICE, line("local_delivery", age=4000))),
]


def test_the_port_that_the_service_declares_is_offered():
    pod = pod_of(SERVICE, container(), container("helm-service", ports=(8080,)))
    finding = judge_one(
        __file__, world(SERVICE, pod_log(SERVICE, FAILED), workload_of(SERVICE, pod))
    )

    assert "127.0.0.1:9000" in finding.summary
    assert "PUBSUB_RECIPIENT_PORT=8080" in finding.command


def test_an_sdk_service_has_no_recipient():
    sdk = keptn_service(client="sdk", client_version="0.3.0")

    assert judge_one(__file__, world(sdk, pod_log(sdk, FAILED))).status == "skip"
