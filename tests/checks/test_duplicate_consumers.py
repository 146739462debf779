from check_under_test import CATALOGUE, judge_one

from keptn_doctor.api import ExecutionPlane, Subscription
from keptn_doctor.testing import integration, keptn_service, run_check, uniform, world

SERVICE = keptn_service()
EVENT = "sh.keptn.event.deployment.triggered"


def _record(namespace, *, age=4.0, event=EVENT, **lists):
    return integration(
        age, id=namespace, namespace=namespace, subscriptions=(Subscription(event=event, **lists),)
    )


def _world(own, other):
    return world(SERVICE, uniform(own, other))


OWN = _record("keptn-exec")
DEV, PROD = _record("keptn-exec", stages=("dev",)), _record("other", stages=("prod",))

FAILS = [_world(OWN, _record("keptn")), _world(DEV, _record("other", stages=("dev", "prod")))]
PASSES = [
    _world(OWN, _record("keptn", age=9000)),
    _world(DEV, PROD),
    _world(OWN, _record("keptn", event="sh.keptn.event.test.triggered")),
    _world(OWN, integration(id="x", name="jmeter-service")),
]


def test_the_copy_beside_the_control_plane_is_the_one_to_scale_down():
    finding = judge_one(__file__, FAILS[0])

    assert "keptn/helm-service beside the control plane" in finding.summary
    assert "-n keptn scale deployment/helm-service --replicas=0" in finding.command


def test_filters_that_exclude_each_other_are_how_stages_are_split():
    assert judge_one(__file__, _world(DEV, PROD)).status == "pass"


def test_a_record_whose_heartbeat_stopped_takes_nothing():
    assert judge_one(__file__, PASSES[0]).status == "pass"


def test_copies_that_meet_by_way_of_a_third_one_are_one_cause():
    dev, both, prod = (
        _record(name, stages=stages)
        for name, stages in (("a", ("dev",)), ("b", ("dev", "prod")), ("c", ("prod",)))
    )
    services = [keptn_service(namespace=n, integration_namespace=n) for n in ("a", "b", "c")]

    one, two, three = (
        set(judge_one(__file__, world(service, uniform(dev, both, prod))).at_fault)
        for service in services
    )

    assert one & two
    assert two & three
    assert not one & three


def test_the_command_is_for_the_cluster_of_the_copy():
    there = keptn_service(plane="exec-b", namespace="other", integration_namespace="other")
    plane = ExecutionPlane(name="exec-b", context="far")
    snapshot = world(SERVICE, there, plane, uniform(_record("keptn-exec"), _record("other")))
    findings = run_check(CATALOGUE.get("duplicate-consumers"), snapshot)

    command = next(f.command for f in findings if f.subject == SERVICE.subject)
    assert command.startswith("kubectl --context far -n other scale ")


def test_the_pair_is_what_is_broken_from_whichever_side():
    there = keptn_service(plane="exec-b", namespace="other", integration_namespace="other")
    records = uniform(_record("keptn-exec"), _record("other"))

    one, two = (judge_one(__file__, world(service, records)) for service in (SERVICE, there))

    assert not set(one.at_fault).isdisjoint(two.at_fault)
