from check_under_test import judge_one

from keptn_doctor.api import OAuthSettings, TokenState
from keptn_doctor.testing import keptn_service, world

HALF = OAuthSettings(client_id=True, client_secret=True, token_url="https://login.example.com")
WHOLE = OAuthSettings(
    client_id=True, client_secret=True, token_url="https://login.example.com", scopes=("a",)
)
TOKEN = TokenState(source="value", fingerprint="a")

FAILS = [
    world(keptn_service(oauth=HALF, token=TokenState(source="value", empty=True))),
    world(keptn_service(oauth=HALF, token=TOKEN)),
]
PASSES = [world(keptn_service(oauth=WHOLE)), world(keptn_service(token=TOKEN))]


def test_what_is_missing_is_named():
    assert "OAUTH_SCOPES is not set" in judge_one(__file__, FAILS[0]).summary


def test_with_a_token_to_fall_back_to_it_is_advice():
    finding = judge_one(__file__, FAILS[1])

    assert (finding.breaks, finding.severity) == ("nothing", "warning")


def test_a_client_id_alone_asks_for_an_address():
    alone = keptn_service(oauth=OAuthSettings(client_id=True))

    assert "OAUTH_TOKEN_URL or OAUTH_DISCOVERY" in judge_one(__file__, world(alone)).summary
