from check_under_test import judge_one
from exposure_worlds import answers_seen, connects, dns, gateway_seen, nodes

from keptn_doctor.api import DnsAnswer, Failure
from keptn_doctor.testing import endpoint, keptn_service, line, own_request, pod_log, seen, world

LITERAL = keptn_service(endpoint="http://203.0.113.7/api")
SPELT = keptn_service(endpoint="http://203-0-113-7.nip.io/api")
NAMED = keptn_service()


def silent(service, **captures):
    return pod_log(service, line("heartbeat", "tcp_timeout", captures=captures))


NOBODY = Failure(phase="connect", code="connect-timeout")

FAILS = [
    world(LITERAL, gateway_seen(), silent(LITERAL)),
    world(SPELT, gateway_seen(), silent(SPELT)),
    world(NAMED, gateway_seen(), silent(NAMED, dialled="203.0.113.7"), dns(NAMED), connects(NAMED)),
    world(
        NAMED,
        gateway_seen(),
        silent(NAMED),
        dns(NAMED, "203.0.113.7"),
        seen(f"endpoint:{NAMED.endpoint}", NOBODY, probe="tcp"),
    ),
    world(LITERAL, gateway_seen()),
]
PASSES = [
    world(NAMED, gateway_seen(), silent(NAMED), dns(NAMED)),
    world(LITERAL, gateway_seen(), own_request(LITERAL)),
    world(
        LITERAL, gateway_seen(), silent(LITERAL), dns(LITERAL, "203.0.113.7"), answers_seen(LITERAL)
    ),
    world(
        NAMED,
        gateway_seen(ip="", hostname="abc.elb.amazonaws.com"),
        dns(NAMED, cnames=("abc.elb.amazonaws.com",)),
    ),
]


def test_without_a_failure_of_its_own_connections_it_is_a_suspicion():
    assert judge_one(__file__, FAILS[4]).suspected


def test_the_present_address_is_offered():
    assert "http://203.0.113.20/api" in judge_one(__file__, FAILS[0]).command


def test_a_record_is_to_be_mended_where_a_name_is_used():
    assert "keptn.example.com resolve" in judge_one(__file__, FAILS[2]).remedy


def test_node_addresses_count_where_there_are_node_ports():
    service = keptn_service(endpoint="http://10.0.1.11:31090/api")
    exposed = world(service, gateway_seen("NodePort", node_port=31090), nodes(), silent(service))

    assert judge_one(__file__, exposed).status == "pass"


def test_a_load_balancer_known_by_name_only_leaves_it_open():
    unknown = world(NAMED, gateway_seen(ip="", hostname="abc.elb.amazonaws.com"), dns(NAMED))

    assert judge_one(__file__, unknown).status == "unknown"


def test_an_alias_of_a_former_load_balancers_name_is_stale():
    here = endpoint("http://new.elb.amazonaws.com/api", used_by_operator=True)
    present = seen(here, DnsAnswer(name="new.elb.amazonaws.com", ipv4=("203.0.113.20",)))
    old = dns(NAMED, "203.0.113.77", cnames=("old.elb.amazonaws.com",))
    named = gateway_seen(ip="", hostname="new.elb.amazonaws.com")
    refused = pod_log(NAMED, line("heartbeat", "tcp_refused", captures={"dialled": "203.0.113.77"}))

    assert judge_one(__file__, world(NAMED, here, present, old, named, refused)).status == "fail"


def test_the_record_is_what_is_broken_where_this_machine_gets_it_too():
    assert judge_one(__file__, FAILS[3]).at_fault == ("record of keptn.example.com",)
    assert judge_one(__file__, FAILS[2]).at_fault == ()
    assert judge_one(__file__, FAILS[0]).at_fault == ()
