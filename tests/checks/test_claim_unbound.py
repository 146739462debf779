from check_under_test import judge_one

from keptn_doctor.api import Claim, Claims, Condition, KubeEvent
from keptn_doctor.testing import component, control_plane_runs, pod_of, seen, world

UNBOUND = "0/1 nodes are available: 1 pod has unbound immediate PersistentVolumeClaims."


def _stuck(name, message=UNBOUND, version="0.16.2"):
    condition = Condition(type="PodScheduled", status="False", message=message)
    pod = pod_of("keptn", phase="Pending", conditions=(condition,))
    return control_plane_runs(component(name, pod, ready=0), version=version)


def _claims(*claims, default="standard"):
    return seen("control-plane/keptn", Claims(claims=claims, default_storage_class=default))


WAITING = KubeEvent(
    object_kind="PersistentVolumeClaim", object_name="keptn-mongo", reason="ExternalProvisioning",
    message='waiting for a volume to be created, by external provisioner "ebs.csi.aws.com"',
)  # fmt: skip
MONGO = Claim(
    namespace="keptn", name="keptn-mongo", phase="Pending", storage_class="gp2", events=(WAITING,)
)
NATS = Claim(namespace="keptn", name="keptn-nats-js-pvc-keptn-nats-0", phase="Pending")

FAILS = [
    world(_stuck("keptn-mongo"), _claims(MONGO)),
    world(_stuck("keptn-nats"), _claims(NATS, default="")),
    world(_stuck("mongodb", version="0.9.2")),
]
PASSES = [
    world(control_plane_runs(), _claims(MONGO)),
    world(_stuck("keptn-mongo", "0/1 nodes are available: 1 Insufficient cpu."), _claims(MONGO)),
]


def test_the_provisioner_that_is_waited_for_is_named():
    assert "ebs.csi.aws.com" in judge_one(__file__, FAILS[0]).summary


def test_without_a_default_class_the_remedy_is_to_mark_one():
    finding = judge_one(__file__, FAILS[1])

    assert "default" in finding.remedy
    assert finding.breaks == "degraded"


def test_without_a_right_to_read_claims_the_scheduler_says_enough():
    finding = judge_one(__file__, FAILS[2])

    assert finding.breaks == "disconnected"
    assert "scheduler" in finding.summary


def test_a_class_that_does_not_exist_is_named():
    claim = Claim(
        namespace="keptn", name="keptn-mongo", phase="Pending", storage_class="fast",
        storage_class_exists=False,
    )  # fmt: skip

    assert (
        "storage class fast"
        in judge_one(__file__, world(_stuck("keptn-mongo"), _claims(claim))).summary
    )


def test_a_leftover_claim_is_not_blamed():
    assert judge_one(__file__, PASSES[0]).status == "pass"
