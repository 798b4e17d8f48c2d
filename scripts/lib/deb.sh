# The Debian package, from wheels and the files of packaging/ and systemd/.
# It knows where files of a package belong; what they do is told in themselves.

PYTHONS="3.11 3.12 3.13" # of Debian 12, Ubuntu 24.04, Debian 13; with no other does the package install

# build_deb ARCH VERSION: dist/branchgate_VERSION_ARCH.deb, the same bytes for the same commit.
build_deb() {
    case $1 in
        amd64) machine=x86_64 ;;
        arm64) machine=aarch64 ;;
        *) die "there is no package for $1" "packages are built for amd64 and arm64" ;;
    esac
    say "building branchgate $2 for $1"
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 0)
    export SOURCE_DATE_EPOCH
    stage=$tools/deb/$1
    rm -rf "$stage"
    home=$stage/usr/lib/branchgate
    mkdir -p "$home/shared" "$stage/DEBIAN"
    stage_packages "$machine"
    stage_system
    stage_completion
    stage_documents "$2"
    stage_control "$1" "$2"
    find "$stage" -depth -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group --build "$stage" "dist/branchgate_$2_$1.deb" >/dev/null
    rm -rf "$stage"
    say "dist/branchgate_$2_$1.deb"
}

# What is the same for every Python lies in shared/; what was compiled for one lies in that one's environment.
stage_packages() {
    wheels=$tools/deb/wheels
    rm -rf "$wheels"
    for number in $PYTHONS; do
        mkdir -p "$wheels/$number"
        logged "deb-wheels-$number" "$venv/bin/python" -m pip download --quiet --no-input --disable-pip-version-check \
            --require-hashes --no-deps --only-binary=:all: --python-version "$number" --implementation cp \
            --platform "manylinux2014_$1" --platform "manylinux_2_17_$1" --platform "manylinux_2_28_$1" \
            --dest "$wheels/$number" -r requirements/runtime.txt || die "the wheels for Python $number on $1 could not be had"
        environment=$home/python$number/lib/python$number/site-packages
        mkdir -p "$environment" "$home/python$number/bin"
        ln -s "../../../../bin/python$number" "$home/python$number/bin/python"
        printf 'home = /usr/bin\ninclude-system-site-packages = false\nversion = %s\n' "$number" >"$home/python$number/pyvenv.cfg"
        echo /usr/lib/branchgate/shared >"$environment/branchgate.pth"
        for wheel in "$wheels/$number"/*.whl; do
            case $wheel in
                */setuptools-*) ;;  # builds packages; nothing runs by it
                *-none-any.whl) unpack_wheel "$wheel" "$home/shared" ;;
                *) unpack_wheel "$wheel" "$environment" ;;
            esac
        done
    done
    logged deb-wheel "$venv/bin/python" -m pip wheel --quiet --no-input --no-deps --no-build-isolation --no-index \
        --wheel-dir "$wheels" "$root" || die "the wheel of branchgate could not be built"
    unpack_wheel "$wheels"/branchgate-*.whl "$home/shared"
    rm -rf "$root/build" "$wheels"
    find "$home" -name '*.dist-info' -exec rm -f {}/RECORD {}/INSTALLER {}/REQUESTED {}/direct_url.json \;
    # Modules are no programs: their first lines name an interpreter that Debian does not have.
    find "$home/shared" -name '*.py' -exec sed -i '1{/^#!/d}' {} +
    find "$home" \( -name '*.pyi' -o -name py.typed \) -delete
}

unpack_wheel() { # a pure wheel of the second Python is already there: the same file
    "$venv/bin/python" -m zipfile -e "$1" "$2"
}

stage_system() {
    install -D -m 755 packaging/branchgate "$stage/usr/bin/branchgate"
    install -D -m 755 packaging/python "$home/python"
    for unit in branchgate branchgate-clock; do
        install -D -m 644 "systemd/$unit.service" "$stage/usr/lib/systemd/system/$unit.service"
    done
    install -D -m 644 systemd/branchgate.sysusers "$stage/usr/lib/sysusers.d/branchgate.conf"
    install -D -m 644 systemd/branchgate.tmpfiles "$stage/usr/lib/tmpfiles.d/branchgate.conf"
    install -D -m 644 systemd/branchgate.udev "$stage/usr/lib/udev/rules.d/60-branchgate.rules"
}

# Where each shell looks by itself.
stage_completion() {
    for place in bash:bash-completion/completions/branchgate zsh:zsh/vendor-completions/_branchgate fish:fish/vendor_completions.d/branchgate.fish; do
        mkdir -p "$(dirname "$stage/usr/share/${place#*:}")"
        "$venv/bin/branchgate" completion "${place%%:*}" >"$stage/usr/share/${place#*:}"
    done
}

stage_documents() {
    documents=$stage/usr/share/doc/branchgate
    mkdir -p "$documents/examples" "$stage/usr/share/man/man1" "$stage/usr/share/lintian/overrides"
    cp -r README.md docs/*.md docs/asyncapi.json "$documents"
    cp packaging/copyright "$documents/copyright"
    cp packaging/branch.toml "$documents/examples/branch.toml"
    printf 'branchgate (%s) stable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- branchgate <branchgate@localhost>  %s\n' \
        "$1" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$documents/changelog.gz"
    gzip -9nc CHANGELOG.md >"$documents/CHANGELOG.md.gz"
    gzip -9nc packaging/branchgate.1 >"$stage/usr/share/man/man1/branchgate.1.gz"
    cp packaging/lintian-overrides "$stage/usr/share/lintian/overrides/branchgate"
    find "$stage/usr" -type d -exec chmod 755 {} +
    find "$stage/usr" -type f ! -perm /111 -exec chmod 644 {} +
    find "$home" -type f ! -path "$home/python" -exec chmod 644 {} +
}

stage_control() {
    for script in postinst prerm postrm; do install -m 755 "packaging/debian/$script" "$stage/DEBIAN/$script"; done
    for number in $PYTHONS; do echo "interest-noawait /usr/bin/python$number"; done >"$stage/DEBIAN/triggers"
    size=$(du -sk --apparent-size "$stage/usr" | cut -f1)
    newest=${PYTHONS##* }
    sed -e "s/@ARCH@/$1/; s/@VERSION@/$2/; s/@SIZE@/$size/; s/@OLDEST@/${PYTHONS%% *}/; s/@BEYOND@/3.$((${newest#3.} + 1))/" packaging/debian/control >"$stage/DEBIAN/control"
    (cd "$stage" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$stage/DEBIAN/md5sums"
    chmod 644 "$stage/DEBIAN/control" "$stage/DEBIAN/md5sums" "$stage/DEBIAN/triggers"
}
