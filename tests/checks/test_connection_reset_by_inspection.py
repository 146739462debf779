from check_under_test import judge_one
from exposure_worlds import policies_seen, tls_seen

from keptn_doctor.testing import keptn_service, line, own_request, pod_log, world

SERVICE = keptn_service()
RESET = pod_log(SERVICE, line("not_registered", "tcp_reset"))
REFUSED = pod_log(SERVICE, line("poll", "tls_untrusted"))

FAILS = [
    world(SERVICE, RESET, tls_seen(SERVICE)),
    world(SERVICE, REFUSED, tls_seen(SERVICE)),
]
PASSES = [world(SERVICE, own_request(SERVICE), tls_seen(SERVICE))]


def test_a_certificate_that_is_bad_for_everybody_is_no_inspection():
    bad = world(SERVICE, REFUSED, tls_seen(SERVICE, "certificate-self-signed"))

    assert judge_one(__file__, bad).status == "unknown"


def test_a_mesh_sidecar_comes_first():
    mesh = policies_seen(mesh=("istio sidecar in helm-service-x",))

    assert judge_one(__file__, world(SERVICE, RESET, tls_seen(SERVICE), mesh)).status == "skip"
