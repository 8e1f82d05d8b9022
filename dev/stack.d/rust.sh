# shellcheck shell=bash
# Rust: whether the machine has the version that the project asks for, and what is built with it.

# rust_wanted: the `rust-version` of the workspace.
rust_wanted() { sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' "$PROJECT/Cargo.toml"; }

# rust_is_ready: true where `cargo` is new enough. Also finds one that rustup has put where the PATH does not look.
rust_is_ready() {
  if ! command -v cargo >/dev/null && [[ -x $HOME/.cargo/bin/cargo ]]; then PATH=$PATH:$HOME/.cargo/bin; fi
  local said
  said=$(cargo --version 2>/dev/null) || return 1
  [[ $said =~ ^cargo\ ([0-9]+\.[0-9]+(\.[0-9]+)?) ]] && version_is_at_least "${BASH_REMATCH[1]}" "$(rust_wanted)"
}

# version_is_at_least HAVE WANT
version_is_at_least() {
  [[ $(printf '%s\n' "$2" "$1" | sort --version-sort | head -n 1) == "$2" ]]
}

# install_rust: the stable toolchain, through a rustup that is there.
install_rust() {
  say "installing the stable Rust toolchain"
  rustup toolchain install stable --profile minimal --component clippy --component rustfmt >&2 &&
    rustup default stable >&2
}

# target_directory: where cargo says it is, not where it usually is.
target_directory() {
  cargo metadata --manifest-path "$PROJECT/Cargo.toml" --locked --no-deps --format-version 1 |
    sed -n 's|.*"target_directory":"\([^"]*\)".*|\1|p'
}

# build_armed: the program that can be made to fail, as `scoresync-armed` beside the one that cannot.
build_armed() {
  local built
  built=$(target_directory)/debug
  interruptible cargo build --manifest-path "$PROJECT/Cargo.toml" --locked --quiet --package scoresync --features armed
  # Under another name at once, as the program of the other build takes the same place.
  cp -- "$built/scoresync" "$built/scoresync-armed.new"
  mv -- "$built/scoresync-armed.new" "$built/scoresync-armed"
}
