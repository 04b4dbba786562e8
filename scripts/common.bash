# Functions shared by the scripts in this folder, which source this file.

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

# say WORDS…: a message, to stderr.
say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# fail WORDS…: a message, and exit 2: the task could not start. (Exit code 1 is the program's own "does not agree".)
fail() {
    say "$@"
    exit 2
}

# True unless the environment variable BYHAND_WITH_TORCH is one of CMake's false values.
with_torch() {
    case ${BYHAND_WITH_TORCH:-ON} in
        OFF | off | Off | NO | no | No | FALSE | false | False | N | n | 0) return 1 ;;
    esac
}
