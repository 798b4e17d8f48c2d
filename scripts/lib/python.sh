# Python and the locked Python packages.
# It knows interpreters, venvs and pip; it must not know what the packages are.

PYTHON_WANTED="3.11 or newer"

# Sets python to the first interpreter that is new enough and whole.
find_python() {
    seen=
    # Never the environment's own, as where it is active or a script of ours calls another: made anew, it would be
    # removed with the Python that is to make it.
    outside=:$PATH:
    while case $outside in *":$venv/bin:"*) ;; *) false ;; esac; do
        outside=${outside%%":$venv/bin:"*}:${outside#*":$venv/bin:"}
    done
    outside=${outside#:} outside=${outside%:} # an empty place would be this folder
    for candidate in ${BRANCHGATE_PYTHON:-python3 python3.13 python3.12 python3.11}; do
        path=$(PATH=$outside && command -v "$candidate" 2>/dev/null) || continue
        if "$path" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            python=$path
            break
        fi
        seen="$seen $candidate ($("$path" --version 2>&1 | head -n 1))"
    done
    [ -n "${python:-}" ] || die "Python $PYTHON_WANTED is missing${seen:+; found only:$seen}" \
        "on Debian 12 or Ubuntu 24.04: apt-get install python3" "elsewhere: put python3.11, python3.12 or python3.13 on PATH"
    lacking=$("$python" -c '
from importlib.util import find_spec
print(*[n for n in ("sqlite3", "ssl", "venv", "fcntl", "ctypes") if not find_spec(n)])')
    [ -z "$lacking" ] || die "$python lacks parts of its own library: $lacking" "on Debian or Ubuntu: apt-get install python3"
}

# provide_packages runtime|dev: the venv holds exactly what requirements/<set>.txt locks, and `branchgate` itself.
provide_packages() {
    version=$("$python" -c 'import sys; print(sys.version.split()[0], sys.executable)')
    base="$version in $root"
    stamp=$(cat "$venv/branchgate-stamp" 2>/dev/null) || stamp=
    # The larger set serves the smaller wish too.
    for kind in "$1" dev; do
        if [ "$stamp" = "$base $(lock_hash "$kind")" ] && "$venv/bin/python" -c '' 2>/dev/null; then return 0; fi
    done
    case $stamp in
        "$base "*) "$venv/bin/python" -m pip --version >/dev/null 2>&1 || make_venv ;;
        *) make_venv ;;
    esac
    rm -f "$venv/branchgate-stamp"
    install_locked "$1"
    printf '%s' "$base $(lock_hash "$1")" >"$venv/branchgate-stamp"
}

lock_hash() {
    (cd "$root" && { echo "$1"; cat "requirements/$1.txt" pyproject.toml; } | sha256sum | cut -d' ' -f1)
}

install_locked() {
    provide_certificates "$tools/python3-pip-whl"
    say "installing the Python packages of requirements/$1.txt (a minute or two the first time)"
    logged "pip-$1" pip_install --require-hashes --only-binary=:all: -r "$root/requirements/$1.txt" ||
        die "the Python packages could not be installed (all of it: $logs/pip-$1.log)" \
            "this box must reach a Python package index; behind a mirror, set PIP_INDEX_URL and PIP_CERT"
    [ "$1" != lock ] || return 0
    logged pip-branchgate pip_install --no-deps --no-build-isolation --no-index -e "$root" ||
        die "branchgate itself could not be put into $venv (all of it: $logs/pip-branchgate.log)"
}

pip_install() {
    "$venv/bin/python" -m pip install --quiet --no-input --disable-pip-version-check --no-warn-script-location "$@" 9>&-
}

# A venv with pip in it. Debian keeps ensurepip in a package of its own, so a box with python3 alone has none.
make_venv() {
    say "making a Python environment in ${venv#"$root"/} ($("$python" --version))"
    rm -rf "$venv"
    if ! "$python" -c 'import ensurepip' 2>/dev/null && have_apt && find_root; then
        apt_install "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" || :
    fi
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        logged venv "$python" -m venv "$venv" && return 0
    fi
    logged venv "$python" -m venv --without-pip "$venv" || die "no Python environment could be made in $venv"
    pip_from_wheel || pip_from_system || die "pip is missing, and could not be brought here" \
        "on Debian or Ubuntu: apt-get install python3-venv"
}

# pip can install itself from its own wheel; Debian ships that wheel as a package.
pip_from_wheel() {
    wheel=$(find_pip_wheel /usr)
    if [ -z "$wheel" ] && have_apt; then
        [ -d "$tools/python3-pip-whl" ] || apt_unpack python3-pip-whl || return 1
        wheel=$(find_pip_wheel "$tools/python3-pip-whl/usr")
    fi
    [ -n "$wheel" ] || return 1
    logged pip-itself env PYTHONPATH="$wheel" "$venv/bin/python" -m pip install --quiet --no-input --no-index --no-deps "$wheel"
}

find_pip_wheel() { find "$1/share/python-wheels" -name 'pip-*.whl' 2>/dev/null | sort | tail -n 1; }

pip_from_system() {
    "$python" -m pip --version >/dev/null 2>&1 || return 1
    logged pip-itself "$python" -m pip --python "$venv/bin/python" install --quiet --no-input pip
}

# Debian's pip trusts the system's certificates; a bare box has none, but their package was just unpacked.
provide_certificates() {
    if [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -n "${PIP_CERT:-}" ]; then return 0; fi
    find "$1/usr/share/ca-certificates" -name '*.crt' -exec cat {} + >"$tools/certificates.crt" 2>/dev/null || return 0
    [ -s "$tools/certificates.crt" ] || return 0
    PIP_CERT=$tools/certificates.crt
    export PIP_CERT
}
