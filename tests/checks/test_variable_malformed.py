from check_under_test import judge_one

from keptn_doctor.testing import keptn_service, line, pod_log, world

SERVICE = keptn_service()
BAD = keptn_service(malformed_variables=("HTTP_SSL_VERIFY",))
COMPLAINT = line("bad_env", signature="dist.env.process", text="Failed to process env var: x")
FAILS = [world(BAD, pod_log(BAD)), world(SERVICE, pod_log(SERVICE, COMPLAINT))]
PASSES = [world(SERVICE, pod_log(SERVICE))]


def test_the_variable_is_named_and_removed():
    finding = judge_one(__file__, FAILS[0])

    assert "HTTP_SSL_VERIFY" in finding.summary
    assert finding.command.endswith("HTTP_SSL_VERIFY-")


def test_a_skipped_registration_is_another_fault():
    skipped = line("bad_env", signature="dist.reg.skip.env")

    assert judge_one(__file__, world(SERVICE, pod_log(SERVICE, skipped))).status == "pass"
