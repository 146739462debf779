from check_under_test import judge_one

from keptn_doctor.api import Components
from keptn_doctor.testing import keptn_service, line, pod_log, seen, world

SERVICE = keptn_service()
REFUSED = line("send", "event_rejected", age=900, text="triggeredid must be set")
ON = Components(settings={"api-service/EVENT_VALIDATION_ENABLED": "true"})

FAILS = [
    world(SERVICE, pod_log(SERVICE, REFUSED)),
    world(SERVICE, pod_log(SERVICE, REFUSED), seen("control-plane/keptn", ON)),
]
PASSES = [
    world(SERVICE, pod_log(SERVICE)),
    world(SERVICE, pod_log(SERVICE, line("send", "nats_down")), seen("control-plane/keptn", ON)),
]


def test_the_reason_is_quoted_with_the_setting():
    finding = judge_one(__file__, FAILS[1])

    assert "triggeredid must be set" in finding.detail
    assert "eventValidation of api-service is on" in finding.summary


def test_the_setting_alone_is_no_fault():
    assert judge_one(__file__, PASSES[1]).status == "pass"
