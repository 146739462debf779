# One look at the way from a pod to the Keptn endpoint, for a container without any privilege.
#
# Runs in the busybox of the Alpine images that Keptn services are built on: ash, getent, nslookup,
# nc, wget. Reads PROBE_HOST, PROBE_PORT, PROBE_SCHEME, PROBE_PATH and the proxy variables that the
# Keptn service itself has; writes "rung=outcome" lines to PROBE_RESULT, which the kubelet hands on
# as the container's termination message. Writes no other file, knows no token, exits with 0.

out=${PROBE_RESULT:-/dev/termination-log}
wait_s=${PROBE_WAIT_S:-5}

say() { echo "$1" >>"$out"; }
have() { command -v "$1" >/dev/null 2>&1; }
one_line() { echo "$1" | tr '\n\r\t' '   ' | cut -c 1-200; }
finish() {
    [ -z "$1" ] || say "detail=$(one_line "$1")"
    exit 0
}

# --- the proxy that Go would choose (net/http ProxyFromEnvironment); "" = none

proxy_for_endpoint() {
    if [ "$PROBE_SCHEME" = https ]; then
        chosen=${HTTPS_PROXY:-$https_proxy}
    else
        chosen=${HTTP_PROXY:-$http_proxy}
    fi
    [ -n "$chosen" ] || return 0
    set -f # a lone * in NO_PROXY is no file name pattern
    for entry in $(echo "${NO_PROXY:-$no_proxy}" | tr ',' ' '); do
        domain=${entry#\*}
        domain=${domain#.}
        [ "$entry" != "*" ] || return 0
        case "$PROBE_HOST" in
            "$domain" | *".$domain") return 0 ;;
        esac
    done
    echo "$chosen"
}

# --- resolve

literal() {
    case "$1" in
        *:*) return 0 ;;
        *[!0-9.]*) return 1 ;;
        *.*.*.*) return 0 ;;
    esac
    return 1
}

why_unresolved() {
    have nslookup || return 0
    said=$(timeout 15 nslookup "$1." 2>&1)
    case "$said" in
        *NXDOMAIN*) echo name-unknown ;;
        *SERVFAIL*) echo server-failure ;;
        *REFUSED*) echo query-refused ;;
        *"timed out"* | *"no servers"* | *"not reached"* | "") echo resolver-timeout ;;
        *"No answer"* | *"Parse error"*) echo no-address ;;
        *) echo server-failure ;; # the name itself is known: a name of the search list fails
    esac
}

resolve() {
    if literal "$1"; then
        say resolve=ok
        say "addresses=$1"
        return 0
    fi
    have getent || {
        say resolve=tool-missing
        return 0
    }
    found=$(timeout 20 getent ahosts "$1" 2>/dev/null | cut -d ' ' -f 1 | sort -u | tr '\n' ',')
    if [ -n "$found" ]; then
        say resolve=ok
        say "addresses=${found%,}"
        return 0
    fi
    reason=$(why_unresolved "$1")
    say "resolve=${reason:-name-unknown}"
    return 1
}

# --- connect

connect() {
    have nc || {
        say connect=tool-missing
        return 0
    }
    # Two builds of busybox's nc: one knows -z and is silent without -v, one knows neither.
    said=$(timeout $((wait_s + 5)) nc -v -z -w "$wait_s" "$1" "$2" </dev/null 2>&1)
    code=$?
    case "$said" in
        *"nvalid option"* | *"nrecognized option"*)
            said=$(timeout $((wait_s + 5)) nc -w "$wait_s" "$1" "$2" </dev/null 2>&1)
            code=$?
            [ $code -lt 124 ] || code=0 # connected, and held open until the time was up
            ;;
    esac
    case "$said" in
        *efused*) outcome=connection-refused ;;
        *"imed out"*) outcome=connect-timeout ;;
        *"ost is unreachable"* | *"o route to host"*) outcome=host-unreachable ;;
        *"etwork is unreachable"* | *"etwork unreachable"*) outcome=network-unreachable ;;
        *"eset by peer"*) outcome=connection-reset ;;
        *) [ $code -eq 0 ] && outcome=ok || outcome=connect-timeout ;;
    esac
    say "connect=$outcome"
    [ $outcome = ok ]
}

# --- http, with tls below it

status_of() { echo "$1" | sed -n 's|.*HTTP/[0-9.]* \([0-9][0-9][0-9]\).*|\1|p' | head -n 1; }

why_unanswered() {
    case "$1" in
        *"wrong version"* | *"ad TLS record"* | *"ecord type"* | *"nknown protocol"*) echo not-tls ;;
        *"ertificate required"*) echo client-certificate-required ;;
        *"protocol version"* | *"nsupported protocol"*) echo protocol-version ;;
        *andshake* | *"TLS error"* | *ssl_client*) echo handshake-failed ;;
        *"eset by peer"*) echo connection-reset ;;
        *) echo read-timeout ;;
    esac
}

ask() { # $1 = on or off: through the proxy in http_proxy, or not
    have wget || finish "no wget in the image"
    url="$PROBE_SCHEME://$PROBE_AUTHORITY$PROBE_PATH"
    said=$(timeout 15 wget -Y "$1" -S -O /dev/null -U keptn-doctor-probe \
        --no-check-certificate "$url" 2>&1)
    code=$?
    status=$(status_of "$said")
    if [ -n "$status" ]; then
        [ "$PROBE_SCHEME" != https ] || say tls=ok
        say "http=$status"
        # Headers fit into one packet; a page that never ends tells of packets that are too large.
        [ $code -lt 124 ] || say body=truncated
        finish ""
    fi
    case "$said" in *efused*)
        say connect=connection-refused
        finish "$said"
        ;;
    esac
    reason=$(why_unanswered "$said")
    case "$PROBE_SCHEME/$reason" in
        https/read-timeout | http/*) say "http=$reason" ;;
        *) say "tls=$reason" ;;
    esac
    finish "$said"
}

tunnel() { # CONNECT through the proxy; what follows inside the tunnel is not looked at
    login=""
    [ -z "$1" ] || login="Proxy-Authorization: Basic $(printf %s "$1" | base64 | tr -d '\n')"
    target="$PROBE_HOST:$PROBE_PORT"
    said=$({
        printf 'CONNECT %s HTTP/1.1\r\nHost: %s\r\n' "$target" "$target"
        [ -z "$login" ] || printf '%s\r\n' "$login"
        printf '\r\n'
        sleep 3 # an end of input would close the connection before the answer
    } | timeout $((wait_s + 5)) nc -w "$wait_s" "$2" "$3" 2>/dev/null | head -n 1)
    status=$(status_of "$said")
    [ "$status" != 200 ] || finish ""
    say "tls=proxy-failed"
    finish "the proxy answered ${status:-nothing} to CONNECT $target"
}

through_proxy() {
    via=${1#*://}
    via=${via%%/*}
    account=""
    case "$via" in *@*)
        account=${via%@*}
        via=${via##*@}
        ;;
    esac
    case "$via" in *:*) ;; *) via="$via:80" ;; esac
    say "proxy=$via"
    resolve "${via%:*}" || finish ""
    connect "${via%:*}" "${via##*:}" || finish "$said"
    [ "$PROBE_SCHEME" = http ] || tunnel "$account" "${via%:*}" "${via##*:}"
    case "$1" in *://*) http_proxy=$1 ;; *) http_proxy=http://$1 ;; esac
    export http_proxy
    ask on
}

: >"$out"
case "$PROBE_HOST" in *:*) PROBE_AUTHORITY="[$PROBE_HOST]:$PROBE_PORT" ;;
    *) PROBE_AUTHORITY="$PROBE_HOST:$PROBE_PORT" ;; esac
proxy=$(proxy_for_endpoint)
[ -z "$proxy" ] || through_proxy "$proxy"
resolve "$PROBE_HOST" || finish ""
connect "$PROBE_HOST" "$PROBE_PORT" || finish "$said"
ask off
