from check_under_test import judge_one

from keptn_doctor.api import ControlPlane
from keptn_doctor.testing import integration, keptn_service, uniform, world

CONTROL_PLANE = ControlPlane(name="keptn", namespace="keptn")
SERVICE = keptn_service()
OWN = integration()


def _other(name="job-executor-service", namespace="keptn-jes", age=4.0):
    return integration(age, id=f"{name}-{namespace}", name=name, namespace=namespace)


FAILS = [
    world(CONTROL_PLANE, SERVICE, uniform(OWN, _other())),
    world(CONTROL_PLANE, SERVICE, uniform(OWN, _other(name="helm-service", namespace="elsewhere"))),
    world(CONTROL_PLANE, uniform(_other())),
]
PASSES = [
    world(CONTROL_PLANE, SERVICE, uniform(OWN)),
    world(CONTROL_PLANE, SERVICE, uniform(OWN, _other(age=9000))),
    world(CONTROL_PLANE, SERVICE, uniform(OWN, _other("lighthouse-service", "keptn"))),
]


def test_it_names_the_stranger_and_breaks_nothing():
    finding = judge_one(__file__, FAILS[0])

    assert "job-executor-service of namespace keptn-jes" in finding.summary
    assert (finding.severity, finding.breaks) == ("info", "nothing")


def test_many_strangers_are_counted_rather_than_listed():
    many = [_other(f"custom-{n}") for n in range(9)]
    finding = judge_one(__file__, world(CONTROL_PLANE, SERVICE, uniform(OWN, *many)))

    assert finding.summary.count("of namespace") == 5
    assert "and 4 more" in finding.summary


def test_without_the_control_planes_namespace_nothing_is_said():
    unknown = ControlPlane(name="keptn")
    assert judge_one(__file__, world(unknown, SERVICE, uniform(OWN, _other()))).status == "skip"
