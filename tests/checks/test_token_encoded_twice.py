from keptn_doctor.api import ReferenceToken, TokenState
from keptn_doctor.testing import keptn_service, seen, world

REFERENCE = seen(
    "control-plane/keptn",
    ReferenceToken(namespace="keptn", name="keptn-api-token", fingerprint="a"),
)
ENCODED = keptn_service(token=TokenState(source="value", fingerprint="d", decoded_fingerprint="a"))
PLAIN = keptn_service(token=TokenState(source="value", fingerprint="a"))
FAILS = [world(ENCODED, REFERENCE)]
PASSES = [world(PLAIN, REFERENCE)]
