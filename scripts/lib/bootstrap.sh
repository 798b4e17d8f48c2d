# Sourced by the scripts: brings what they need into the checkout (.venv, .tools) and nothing twice.
# It knows how to get things; it must not know what the product does with them.
#
#   bootstrap runtime            the product's Python packages and a broker
#   bootstrap dev                the same, with the tools of the tests: strace, and the peers where they can be had
#   bootstrap dev torture        the same, with what builds and judges a Debian in a folder
#
# Asked through the environment:
#   BRANCHGATE_PYTHON     a Python to use instead of the one that is found
#   BRANCHGATE_VENV       where the Python packages go (default: .venv in the checkout)
#   BRANCHGATE_MOSQUITTO  a broker to use;  BRANCHGATE_STRACE  a strace to use; likewise BRANCHGATE_IPPEVEPRINTER,
#                         BRANCHGATE_IPPTOOL, BRANCHGATE_DBUS_DAEMON, BRANCHGATE_MBPOLL and BRANCHGATE_CHROMIUM
#   BRANCHGATE_UNPACK=1   unpack Debian packages into .tools even where they could be installed
# Told through the environment: BRANCHGATE_MOSQUITTO, BRANCHGATE_STRACE, and PATH: the venv first, .tools/bin last.

root=$(CDPATH='' cd -- "$here/.." && pwd -P)
tools=$root/.tools
logs=$tools/log
venv=${BRANCHGATE_VENV:-$root/.venv}
unset PYTHONHOME PYTHONPATH PIP_USER || :
unset PYTHONDONTWRITEBYTECODE || : # images of containers set it: each of our programs would be compiled anew at each start

. "$here/lib/apt.sh"
. "$here/lib/python.sh"
. "$here/lib/tools.sh"

say() { printf 'branchgate: %s\n' "$*" >&2; }

die() {
    say "$1"
    shift
    for line in "$@"; do printf '    %s\n' "$line" >&2; done
    exit 1
}

# Runs a command quietly; what it said is shown only when it failed.
logged() {
    log=$logs/$1.log
    shift
    status=0
    "$@" >"$log" 2>&1 </dev/null || status=$?
    [ "$status" -ne 0 ] || return 0
    say "this failed: $*"
    tail -n 15 "$log" | sed 's/^/    | /' >&2
    return "$status"
}

# One bootstrap at a time. The kernel drops the lock with the last process that holds it, so none is ever stale.
take_lock() {
    exec 9>"$tools/lock"
    if ! lock_now LOCK_NB 2>/dev/null; then
        say "waiting for another run that is installing into this checkout"
        lock_now 0 || die "the lock $tools/lock could not be taken" "is the checkout on a file system without locks?"
    fi
}

lock_now() { "$python" -c "from fcntl import *; flock(9, LOCK_EX | $1)"; }

drop_lock() { exec 9>&-; }

bootstrap() {
    find_python
    mkdir -p "$tools/bin" "$logs" || die "cannot write to the checkout $root"
    take_lock
    provide_packages "$1"
    provide_tool mosquitto mosquitto BRANCHGATE_MOSQUITTO
    if [ "$1" = dev ]; then
        provide_tool strace strace BRANCHGATE_STRACE
        # Another's IPP printer and client, as peers; ippeveprinter does not start without a D-Bus.
        offer_tool ippeveprinter cups-ipp-utils BRANCHGATE_IPPEVEPRINTER
        offer_tool ipptool cups-ipp-utils BRANCHGATE_IPPTOOL
        offer_tool dbus-daemon dbus-daemon BRANCHGATE_DBUS_DAEMON
        # Another's Modbus client (libmodbus).
        offer_tool mbpoll mbpoll BRANCHGATE_MBPOLL
        # The browser in which the panel's pages are tried.
        offer_tool chromium chromium BRANCHGATE_CHROMIUM
    fi
    if [ "${2:-}" = torture ]; then
        offer_tool debootstrap debootstrap BRANCHGATE_DEBOOTSTRAP
        offer_tool lintian lintian BRANCHGATE_LINTIAN
    fi
    rm -rf "$tools/apt"  # the package lists of apt_unpack: 150 MB that nothing needs any more
    drop_lock
    PATH=$venv/bin:$PATH:$tools/bin
    export PATH
}
