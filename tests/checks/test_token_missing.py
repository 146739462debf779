from check_under_test import judge_one

from keptn_doctor.api import OAuthSettings, TokenState
from keptn_doctor.testing import keptn_service, world


def _with(**token):
    return world(keptn_service(token=TokenState(**token)))


FAILS = [_with(source="none"), _with(source="value", empty=True)]
PASSES = [_with(source="value", fingerprint="f")]


def test_with_oauth_no_token_is_needed():
    oauth = OAuthSettings(client_id=True, client_secret=True, scopes=("s",), token_url="https://i")

    assert judge_one(__file__, world(keptn_service(oauth=oauth))).status == "skip"


def test_a_token_that_could_not_be_read_is_not_missing():
    hidden = _with(source="unreadable", reference="secret keptn-exec/t key keptn-api-token")
    finding = judge_one(__file__, hidden)

    assert (finding.status, finding.missing) == ("unknown", ("get secret keptn-exec/t",))
