# What the scripts of this folder share: saying what is done, and what has to be installed first. To be sourced from the root.

target=${CARGO_TARGET_DIR:-target}
venv=$target/venv
requirements=tests/requirements.txt

say() { echo "$0: $*" >&2; }

fail() {
    say "$*"
    exit 1
}

# Says what is being done and, afterwards, how long it took.
step() {
    local what=$1 start=$SECONDS
    shift
    say "$what ..."
    "$@" || fail "$what: failed after $((SECONDS - start)) s"
    say "$what: $((SECONDS - start)) s"
}

make_venv() {
    rm -rf "$venv"
    python3 -m venv "$venv" || {
        say "python3 cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"
        return 1
    }
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" || return 1
    # Last, so that an interrupted run starts over.
    cp "$requirements" "$venv/requirements.txt"
}

# What cargo does not bring: the emulated AWS, in a virtual environment under `target/`.
make_ready() {
    command -v cargo >/dev/null || fail "no cargo: see https://rustup.rs"
    command -v python3 >/dev/null || fail "no python3: the emulated AWS is a Python program"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "python3 is $(python3 -V 2>&1): 3.10 or later is needed"

    mkdir -p "$target"
    cmp -s "$requirements" "$venv/requirements.txt" || step "install the emulator and cfn-lint into $venv" make_venv
}

build_functions() {
    if [[ -z ${RESPONDER_FUNCTIONS:-} ]]; then
        step "build the functions (some minutes the first time)" cargo build --profile function --locked -p responder-lambda
    fi
}
