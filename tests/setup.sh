# Shared functions of the scripts in this folder: they report each step with its time, and install the emulated AWS. Source this file from the root.

target=${CARGO_TARGET_DIR:-target}
venv=$target/venv
requirements=tests/requirements.txt

# How often the packages are fetched before the installation fails.
install_attempts=3

# One line for each finished part: its seconds and its name.
parts=()

say() { echo "$0: $*" >&2; }

fail() {
    say "$*"
    exit 1
}

# Runs a step, and reports its name before and its time after.
step() {
    local what=$1 start=$SECONDS
    shift
    say "$what ..."
    "$@" || fail "$what: failed after $((SECONDS - start)) s"
    record_part "$what" "$start"
}

# Reports the time of a part that began at a value of SECONDS, and keeps it for the summary.
record_part() {
    local what=$1 seconds=$((SECONDS - $2))
    say "$what: $seconds s"
    parts+=("$(printf '%5d s  %s' "$seconds" "$what")")
}

# Prints the time of each part, and of all of them.
summarize_parts() {
    printf '%s\n' "${parts[@]}" "$(printf '%5d s  in all' "$SECONDS")" >&2
}

make_venv() {
    rm -rf "$venv"
    python3 -m venv "$venv" || {
        say "python3 cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"
        return 1
    }
    local attempt
    for ((attempt = 1; ; attempt++)); do
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" && break
        ((attempt < install_attempts)) || return 1
        say "the packages could not be installed; trying again in $((attempt * 10)) s"
        sleep $((attempt * 10))
    done
    # The last step, so that an interrupted run starts over.
    cp "$requirements" "$venv/requirements.txt"
}

# Installs the emulated AWS into a virtual environment under `target/`.
make_ready() {
    command -v cargo >/dev/null || fail "cargo is missing: see https://rustup.rs"
    command -v python3 >/dev/null || fail "python3 is missing: the emulated AWS is a Python program"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "python3 is $(python3 -V 2>&1): 3.10 or later is needed"

    mkdir -p "$target"
    # An environment that was made at another path or by another interpreter does not work.
    if ! cmp -s "$requirements" "$venv/requirements.txt" || ! "$venv/bin/python" -c 'import ministack' 2>/dev/null; then
        step "install the emulator and cfn-lint into $venv" make_venv
    fi
}

build_functions() {
    if [[ -z ${RESPONDER_FUNCTIONS:-} ]]; then
        step "build the functions (some minutes the first time)" cargo build --profile function --locked -p responder-lambda
    fi
}
