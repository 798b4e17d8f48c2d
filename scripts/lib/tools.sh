# Programs that are not Python: found on the box, else brought by its package manager.
# It knows programs by name; it must not know what they are started for.

# provide_tool PROGRAM PACKAGE VARIABLE: afterwards VARIABLE is exported and names an executable that starts.
provide_tool() {
    eval "given=\${$3:-}"
    if [ -n "$given" ]; then
        [ -x "$given" ] || die "$3 is set to $given, which is not an executable file" "unset it, or point it at $1"
        found=$given
    elif ! find_tool "$1"; then
        install_tool "$1" "$2"
        find_tool "$1" || die "$1 is installed but does not start: $tool_fault" "try: $1 --help" "install it by hand: apt-get install $2"
    fi
    eval "$3=\$found"
    export "${3?}"
}

# offer_tool PROGRAM PACKAGE VARIABLE: the same for what tests can do without: they skip and say so.
offer_tool() {
    # `die` leaves only the inner shell; the second call finds what the first brought.
    if (provide_tool "$@"); then provide_tool "$@"; else say "going on without $1: the tests that need it are skipped"; fi
}

# Sets found. Debian keeps brokers in /usr/sbin, which is on nobody's PATH but root's.
find_tool() {
    tool_fault="not found on PATH, in the sbin folders or in .tools/bin"
    for candidate in "$(command -v "$1" 2>/dev/null || :)" "/usr/sbin/$1" "/usr/local/sbin/$1" "/sbin/$1" "$tools/bin/$1"; do
        if [ -n "$candidate" ] && [ -x "$candidate" ] && starts "$candidate"; then found=$candidate; return 0; fi
    done
    return 1
}

# mosquitto -h and strace -h end by themselves, with different codes: the loader's 126 and 127 are the failures.
starts() {
    code=0
    said=$("$1" -h 2>&1 </dev/null) || code=$?
    [ "$code" -lt 126 ] && return 0
    tool_fault="$1: $(printf '%s' "$said" | tail -n 1)"
    return 1
}

install_tool() {
    have_apt || die "$1 is missing, and this box has no apt-get" "install $1 with its own package manager and run this again"
    if find_root; then
        apt_install "$2" || die "$1 is missing" "install it by hand: apt-get install $2" "or without root: BRANCHGATE_UNPACK=1 $0"
        return
    fi
    apt_unpack "$2" || die "$1 is missing" "ask an administrator for: apt-get install $2"
    wrap_tool "$1" "$2"
}

# The wrapper replaces itself by the program: whoever starts it can signal it and wait for it as for the program.
wrap_tool() {
    program=$(cd "$tools" && find "$2" -type f -path "*bin/$1" | head -n 1)
    [ -n "$program" ] || die "the package $2 holds no program called $1"
    folders=
    for folder in $(library_folders "$2"); do folders=${folders:+$folders:}\$tools/$folder; done
    cat >"$tools/bin/$1.new" <<WRAPPER
#!/bin/sh
tools=\$(CDPATH='' cd -- "\$(dirname -- "\$0")/.." && pwd -P)
LD_LIBRARY_PATH="$folders\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}" exec "\$tools/$program" "\$@"
WRAPPER
    chmod +x "$tools/bin/$1.new"
    mv "$tools/bin/$1.new" "$tools/bin/$1"
}
