# Sourced by the scripts of this tree: runs named steps, tells how long each took, and ends at the first that fails.

# step NAME COMMAND... : runs the command. Its output is passed through; the last line of a run says what failed, if anything did.
step() {
    local name=$1 began=$SECONDS code=0
    shift
    printf '\n==> %s\n' "$name"
    "$@" || code=$?
    if [ "$code" -ne 0 ]; then
        printf '\nFAILED: %s (exit code %d after %d s): %s\n' "$name" "$code" $((SECONDS - began)) "$*" >&2
        exit 1
    fi
    printf '<== %s: ok, %d s\n' "$name" $((SECONDS - began))
}

# Where tools are kept that are built rather than installed; outside the repository, and made again when missing.
TOOLS=${XDG_CACHE_HOME:-$HOME/.cache}/tracetailor/tools
CARGO_DENY_VERSION=0.20.2
PATH=$TOOLS/cargo-deny-$CARGO_DENY_VERSION/bin:$PATH
