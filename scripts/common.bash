# What the scripts beside this file share; each of them sources it.

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

# say WORDS…: a message, to stderr.
say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# fail WORDS…: a message, and exit 2: what was asked for could not begin. (1 is the program's own "does not agree".)
fail() {
    say "$@"
    exit 2
}

# True unless BYHAND_WITH_TORCH, from the environment, says no in one of CMake's words.
with_torch() {
    case ${BYHAND_WITH_TORCH:-ON} in
        OFF | off | Off | NO | no | No | FALSE | false | False | N | n | 0) return 1 ;;
    esac
}
