# shellcheck shell=bash
# All files of the local stack, sourced in an order in which each finds what it needs; and the folders that all of
# them know. Nothing happens on sourcing. A script that sources this and fetches or starts something calls `clean_up`
# when it exits.

STACK_HOME=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
PROJECT=$(cd -- "$STACK_HOME/../.." && pwd)
CACHE=$(realpath --canonicalize-missing -- "${SCORESYNC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/scoresync}")
readonly STACK_HOME PROJECT CACHE

# shellcheck source=dev/stack.d/say.sh
source "$STACK_HOME/say.sh"
# shellcheck source=dev/stack.d/process.sh
source "$STACK_HOME/process.sh"
# shellcheck source=dev/stack.d/ports.sh
source "$STACK_HOME/ports.sh"
# shellcheck source=dev/stack.d/cache.sh
source "$STACK_HOME/cache.sh"
# shellcheck source=dev/stack.d/java.sh
source "$STACK_HOME/java.sh"
# shellcheck source=dev/stack.d/artefacts.sh
source "$STACK_HOME/artefacts.sh"
# shellcheck source=dev/stack.d/kafka.sh
source "$STACK_HOME/kafka.sh"
# shellcheck source=dev/stack.d/registry.sh
source "$STACK_HOME/registry.sh"
# shellcheck source=dev/stack.d/postgres.sh
source "$STACK_HOME/postgres.sh"
# shellcheck source=dev/stack.d/parts.sh
source "$STACK_HOME/parts.sh"
# shellcheck source=dev/stack.d/rust.sh
source "$STACK_HOME/rust.sh"
# shellcheck source=dev/stack.d/prerequisites.sh
source "$STACK_HOME/prerequisites.sh"
# shellcheck source=dev/stack.d/folder.sh
source "$STACK_HOME/folder.sh"
# shellcheck source=dev/stack.d/commands.sh
source "$STACK_HOME/commands.sh"
