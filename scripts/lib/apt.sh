# Debian packages: installed where we may, unpacked under .tools where we may not.
# It knows apt and dpkg; it must not know which packages are wanted, nor why.

DEBIAN_FRONTEND=noninteractive
NEEDRESTART_MODE=a
APT_LISTCHANGES_FRONTEND=none
export DEBIAN_FRONTEND NEEDRESTART_MODE APT_LISTCHANGES_FRONTEND

have_apt() { command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1; }

# Sets as_root to the words that make a command run as root; fails where nothing does without asking.
find_root() {
    if [ -n "${BRANCHGATE_UNPACK:-}" ]; then return 1; fi
    if [ "$(id -u)" = 0 ]; then as_root=; return 0; fi
    if command -v sudo >/dev/null 2>&1 && sudo -n true >/dev/null 2>&1; then as_root="sudo -n"; return 0; fi
    return 1
}

# apt_install NAME: the lists are brought up to date only when the first try fails (a fresh box has none, an old box old ones).
apt_install() {
    log=$logs/apt-$1.log
    say "installing $1 with ${as_root:+sudo }apt-get"
    if apt_as_root install "$1" >"$log" 2>&1; then return 0; fi
    say "updating the package lists"
    apt_as_root update >>"$log" 2>&1 || :
    if apt_as_root install "$1" >>"$log" 2>&1; then return 0; fi
    say "apt-get could not install $1 (all of it: $log)"
    grep -E '^(E|W): ' "$log" | tail -n 5 | sed 's/^/    | /' >&2
    return 1
}

apt_as_root() {
    verb=$1
    shift
    # A fresh box often updates itself in its first minutes: wait for dpkg's lock instead of failing.
    $as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a apt-get -q -y -o DPkg::Lock::Timeout=180 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
        --no-install-recommends "$verb" "$@" </dev/null 9>&-
}

# apt_unpack NAME: NAME and those of its dependencies that this box lacks, under .tools/NAME; nothing outside changes.
apt_unpack() {
    say "unpacking $1 into .tools; nothing outside the checkout changes"
    mkdir -p "$tools/apt/state/lists/partial" "$tools/apt/cache/archives/partial" || return 1
    rm -rf "$tools/apt/$1" "$tools/$1.new"
    mkdir -p "$tools/apt/$1" "$tools/$1.new" || return 1
    if ! apt_download "$1" >"$logs/apt-$1.log" 2>&1; then
        say "updating the package lists (a copy of our own, under .tools/apt)"
        apt_private update >"$logs/apt-update.log" 2>&1 || :
        apt_download "$1" >>"$logs/apt-$1.log" 2>&1 || { explain_download "$1"; return 1; }
    fi
    for deb in "$tools/apt/$1"/*.deb; do
        dpkg-deb -x "$deb" "$tools/$1.new" || return 1
    done
    rm -rf "$tools/apt/$1" "${tools:?}/$1"
    mv "$tools/$1.new" "$tools/$1"
}

explain_download() {
    say "apt-get could not download $1 (all of it: $logs/apt-$1.log and $logs/apt-update.log)"
    cat "$logs/apt-update.log" "$logs/apt-$1.log" | grep -E '^(E|W|Err)' | tail -n 5 | sed 's/^/    | /' >&2
}

# A simulated installation says which packages are missing; it needs no root.
apt_download() {
    plan=$(apt_private --no-install-recommends --simulate install "$1") || return 1
    names=$(printf '%s\n' "$plan" | sed -n 's/^Inst \([^ ]*\).*/\1/p')
    [ -n "$names" ] || names=$1
    # shellcheck disable=SC2086  # one word per package
    (cd "$tools/apt/$1" && apt_private download $names)
}

apt_private() {
    apt-get -q -y -o Dir::State="$tools/apt/state" -o Dir::State::status=/var/lib/dpkg/status \
        -o Dir::Cache="$tools/apt/cache" -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 "$@" </dev/null 9>&-
}

# Every folder under .tools/NAME that holds shared libraries, joined for LD_LIBRARY_PATH, relative to .tools.
library_folders() {
    (cd "$tools" && find "$1" -name '*.so*' -exec dirname {} \; | sort -u)
}
