"""The script of the probe pod in a real shell: its tools answer as busybox's do, word for word.

Only the tools are stand-ins, found by PATH; the texts are those of busybox 1.32 to 1.36.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from keptn_doctor.probes.probe_pod import read_result
from keptn_doctor.probes.probe_pod_manifest import script
from keptn_doctor.redact import Redactor

SHELLS = [name for name in ("dash", "bash", "busybox") if shutil.which(name)]
USED = ("timeout", "tr", "cut", "sort", "sed", "head", "base64", "sleep", "cat")
OPEN = 'echo "$5 ($5:$6) open" >&2'
REFUSED = 'echo "nc: $5 ($5:$6): Connection refused" >&2; exit 1'
SIMPLE_NC = 'case "$1" in -v) echo "nc: invalid option -- v" >&2; exit 1;; esac; '
KNOWN = 'echo "203.0.113.20      STREAM $2"; echo "203.0.113.20      DGRAM $2"'
UNKNOWN = "exit 2"
TOOLS = {
    "getent": KNOWN,
    "nslookup": 'echo "** server can\'t find $1: NXDOMAIN"; exit 1',
    "nc": OPEN,
    "wget": 'echo "  HTTP/1.1 200 OK" >&2',
}


class Stage:
    """A directory of tools, and runs of the script with nothing else to find."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "bin"
        self.result = folder / "termination-log"
        self.folder.mkdir()
        for tool in USED:
            found = shutil.which(tool)
            assert found is not None
            (self.folder / tool).symlink_to(found)

    def tool(self, name: str, body: str) -> None:
        path = self.folder / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def run(self, *, shell: str = "sh", tools: dict[str, str] | None = None, **env: str) -> str:
        for name, body in {**TOOLS, **(tools or {})}.items():
            if body:
                self.tool(name, body)
        asked = {
            "PROBE_HOST": "keptn.example.com",
            "PROBE_PORT": "80",
            "PROBE_SCHEME": "http",
            "PROBE_PATH": "/api/swagger-ui/swagger.yaml",
            "PROBE_RESULT": str(self.result),
        }
        command = shutil.which(shell)
        assert command is not None
        inner = ["ash"] if shell == "busybox" else []
        ended = subprocess.run(
            [command, *inner, "-c", script()],
            env={"PATH": str(self.folder), **asked, **env},
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
        return self.result.read_text()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_rung_that_works_is_ok_in_every_shell(stage: Stage, shell: str) -> None:
    assert stage.run(shell=shell).splitlines() == [
        "resolve=ok", "addresses=203.0.113.20", "connect=ok", "http=200",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("** server can't find keptn.example.com.: NXDOMAIN", "name-unknown"),
        ("** server can't find keptn.example.com.: SERVFAIL", "server-failure"),
        ("** server can't find keptn.example.com.: REFUSED", "query-refused"),
        (";; connection timed out; no servers could be reached", "resolver-timeout"),
        ("*** Can't find keptn.example.com.: No answer", "no-address"),
        ("Name: keptn.example.com\nAddress: 203.0.113.20", "server-failure"),
    ],
)
def test_a_name_that_does_not_resolve_is_told_by_its_reason(
    stage: Stage, words: str, code: str
) -> None:
    told = stage.run(tools={"getent": UNKNOWN, "nslookup": f"cat <<'X'\n{words}\nX"})
    assert told.splitlines() == [f"resolve={code}"]


@pytest.mark.parametrize("simple", [False, True])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("nc: keptn.example.com (203.0.113.20:80): Connection refused", "connection-refused"),
        ("nc: keptn.example.com (203.0.113.20:80): Operation timed out", "connect-timeout"),
        ("nc: timed out", "connect-timeout"),
        ("nc: can't connect to remote host (203.0.113.20): Host is unreachable",
         "host-unreachable"),
        ("nc: can't connect to remote host (203.0.113.20): Network unreachable",
         "network-unreachable"),
    ],
)  # fmt: skip
def test_a_connection_that_fails_is_told_by_its_reason(
    stage: Stage, words: str, code: str, *, simple: bool
) -> None:
    nc = f'{SIMPLE_NC if simple else ""}echo "{words}" >&2; exit 1'
    told = stage.run(tools={"nc": nc}).splitlines()
    assert told[:3] == ["resolve=ok", "addresses=203.0.113.20", f"connect={code}"]
    assert [line.rstrip() for line in told[3:]] == [f"detail={words}"]


def test_the_simple_nc_that_stays_connected_is_a_connection(stage: Stage) -> None:
    told = stage.run(tools={"nc": f"{SIMPLE_NC}sleep 30"}, PROBE_WAIT_S="-4")
    assert "connect=ok" in told.splitlines()


def test_an_address_is_not_looked_up(stage: Stage) -> None:
    told = stage.run(tools={"getent": "exit 2"}, PROBE_HOST="203.0.113.20")
    assert told.splitlines()[:2] == ["resolve=ok", "addresses=203.0.113.20"]
    told = stage.run(
        tools={"wget": 'for last; do :; done; echo "$last" >"${PROBE_RESULT}.url"; '
               'echo "  HTTP/1.1 200 OK"'},
        PROBE_HOST="2001:db8::20",
    )  # fmt: skip
    assert "http=200" in told
    url = Path(f"{stage.result}.url").read_text().strip()
    assert url == "http://[2001:db8::20]:80/api/swagger-ui/swagger.yaml"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("wget: server returned error: HTTP/1.1 401 Unauthorized", "http=401"),
        ("wget: server returned error: HTTP/1.1 404 Not Found", "http=404"),
        ("  HTTP/1.1 301 Moved Permanently\n  HTTP/1.1 200 OK", "http=301"),
        ("wget: download timed out", "http=read-timeout"),
        ("wget: error getting response: Connection reset by peer", "http=connection-reset"),
    ],
)
def test_what_http_comes_to_is_the_first_status_or_a_reason(
    stage: Stage, words: str, line: str
) -> None:
    told = stage.run(tools={"wget": f"cat >&2 <<'X'\n{words}\nX\nexit 1"})
    assert line in told.splitlines()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("ssl_client: keptn.example.com: handshake failed: error:1408F10B:SSL "
         "routines:ssl3_get_record:wrong version number"), "not-tls"),
        ("wget: got bad TLS record (len:0) while expecting handshake record", "not-tls"),
        ("ssl_client: keptn.example.com: tlsv13 alert certificate required",
         "client-certificate-required"),
        ("wget: TLS error from peer (alert code 40): handshake failure", "handshake-failed"),
    ],
)  # fmt: skip
def test_a_handshake_that_fails_is_told_by_its_reason(stage: Stage, words: str, code: str) -> None:
    told = stage.run(tools={"wget": f"cat >&2 <<'X'\n{words}\nX\nexit 1"}, PROBE_SCHEME="https")
    assert f"tls={code}" in told.splitlines()
    assert "http=" not in told


def test_a_page_that_never_ends_is_told_apart_from_a_whole_one(stage: Stage) -> None:
    stage.tool("timeout", 'shift; case "$1" in wget) "$@"; exit 124;; *) exec "$@";; esac')
    told = stage.run()
    fact = read_result(told, redactor=Redactor())
    assert (fact.http_status, fact.http, fact.stopped_at) == (200, "truncated", "")


def test_https_that_answers_has_both_rungs(stage: Stage) -> None:
    told = stage.run(PROBE_SCHEME="https", PROBE_PORT="443").splitlines()
    assert told[-2:] == ["tls=ok", "http=200"]


# ------------------------------------------------------------------ proxies

PROXY = "http://proxy.example.com:3128"
SAYS_PROXY = 'if [ -n "$http_proxy" ]; then echo "HTTP/1.1 203 x"; else echo "HTTP/1.1 299 x"; fi'


def test_http_goes_through_the_proxy_that_the_client_would_use(stage: Stage) -> None:
    told = stage.run(tools={"wget": SAYS_PROXY}, HTTP_PROXY=PROXY).splitlines()
    assert told == [
        "proxy=proxy.example.com:3128", "resolve=ok", "addresses=203.0.113.20", "connect=ok",
        "http=203",
    ]  # fmt: skip


@pytest.mark.parametrize("no_proxy", ["example.com", ".example.com", "*.example.com", "x, *", "*"])
def test_a_host_in_no_proxy_is_called_directly(stage: Stage, no_proxy: str) -> None:
    told = stage.run(
        tools={"wget": SAYS_PROXY}, HTTP_PROXY=PROXY, NO_PROXY=no_proxy.replace(" ", "")
    )
    assert "proxy=" not in told
    assert "http=299" in told


@pytest.mark.parametrize("no_proxy", ["le.com", "other.example.com", "10.0.0.0/8"])
def test_other_entries_of_no_proxy_change_nothing(stage: Stage, no_proxy: str) -> None:
    assert "proxy=" in stage.run(HTTP_PROXY=PROXY, NO_PROXY=no_proxy)


CONNECT = (
    'case "$1" in -v) exit 0;; esac; '
    'while read -r line; do echo "$line" >>"${PROBE_RESULT}.sent"; '
    '[ "${#line}" -gt 1 ] || break; done; echo "HTTP/1.1 STATUS word"'
)


@pytest.mark.parametrize(("status", "last"), [("200", "connect=ok"), ("407", "tls=proxy-failed")])
def test_https_asks_the_proxy_for_a_tunnel(stage: Stage, status: str, last: str) -> None:
    nc = CONNECT.replace("STATUS", status)
    told = stage.run(tools={"nc": nc}, PROBE_SCHEME="https", PROBE_PORT="443", HTTPS_PROXY=PROXY)
    rungs = [line for line in told.splitlines() if not line.startswith("detail=")]
    assert rungs[-1] == last
    sent = Path(f"{stage.result}.sent").read_text()
    assert sent.startswith("CONNECT keptn.example.com:443 HTTP/1.1")


def test_the_login_of_a_proxy_is_used_and_never_told(stage: Stage) -> None:
    nc = CONNECT.replace("STATUS", "407")
    told = stage.run(
        tools={"nc": nc}, PROBE_SCHEME="https",
        HTTPS_PROXY="http://someone:open-sesame@proxy.example.com:3128",
    )  # fmt: skip
    assert "proxy=proxy.example.com:3128" in told
    assert "sesame" not in told
    assert "c29tZW9uZTpvcGVuLXNlc2FtZQ" not in told
    assert (
        "Proxy-Authorization: Basic c29tZW9uZTpvcGVuLXNlc2FtZQ=="
        in Path(f"{stage.result}.sent").read_text()
    )


def test_a_proxy_out_of_reach_is_where_the_way_ends(stage: Stage) -> None:
    told = stage.run(tools={"nc": REFUSED}, HTTP_PROXY=PROXY).splitlines()
    assert told[0] == "proxy=proxy.example.com:3128"
    assert "connect=connection-refused" in told


# ------------------------------------------------------------------ what it leaves out


def test_a_tool_that_the_image_lacks_leaves_its_rung_out(stage: Stage) -> None:
    told = stage.run(tools={"getent": "", "nc": "", "wget": 'echo "  HTTP/1.1 200 OK"'})
    fact = read_result(told, redactor=Redactor())
    assert (fact.resolve, fact.connect, fact.http_status) == ("", "", 200)


def test_the_result_fits_a_termination_message(stage: Stage) -> None:
    told = stage.run(tools={"nc": "head -c 9000 /dev/zero | tr '\\0' x >&2; exit 1"})
    assert len(told) < 4096
    assert len(told.splitlines()) == 4


def test_words_that_are_no_rung_are_not_believed() -> None:
    fact = read_result("resolve=fine\nconnect=ok; rm -rf\nhttp=abc\nx", redactor=Redactor())
    assert (fact.resolve, fact.connect, fact.http, fact.http_status) == ("", "", "", None)
