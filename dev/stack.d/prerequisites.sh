# shellcheck shell=bash
# What the machine must have: found, or installed from Debian where this user may, or named in one message that says
# exactly what to install. Sourced by every script in dev/ through library.sh.

# Filled by the needs_… functions: Debian packages that are missing, and sentences about what no package brings.
MISSING_PACKAGES=()
MISSING_OTHERWISE=()

# ensure_prerequisites NEED…: returns when all needs are met and ends the script otherwise. A need is `stack` (what
# dev/stack uses), `build` (what compiles the project) or the name of a command whose Debian package has that name too.
ensure_prerequisites() {
  look_for "$@"
  if nothing_is_missing; then return; fi
  if may_install; then
    install_packages "$@"
    look_for "$@"
  fi
  nothing_is_missing || explain_what_is_missing
}

look_for() {
  MISSING_PACKAGES=()
  MISSING_OTHERWISE=()
  local need
  for need in "$@"; do
    case $need in
      stack) needs_stack ;;
      build) needs_build ;;
      *) needs_command "$need" "$need" ;;
    esac
  done
}

nothing_is_missing() { ((${#MISSING_PACKAGES[@]} + ${#MISSING_OTHERWISE[@]} == 0)); }

# needs_command COMMAND PACKAGE
needs_command() {
  if ! command -v "$1" >/dev/null; then MISSING_PACKAGES+=("$2"); fi
}

needs_stack() {
  local part
  needs_command flock util-linux
  needs_command setsid util-linux
  needs_command diff diffutils
  for part in $(parts_to_start); do
    case $part in
      kafka) needs_java_and_artefacts ;;
      registry) needs_java_and_artefacts && needs_command curl curl ;;
      postgres) postgres_binaries >/dev/null || MISSING_PACKAGES+=(postgresql) ;;
    esac
  done
}

# Maven is needed until the cache is filled. Java may come from the cache, from a package, or through pip.
needs_java_and_artefacts() {
  if [[ ! -d $(artefacts_folder) ]]; then needs_command mvn maven; fi
  if find_java || [[ -d $(java_runtime_folder) ]]; then return; fi
  local package
  package=$(newest_java_package)
  if [[ -n $package ]]; then
    MISSING_PACKAGES+=("$package")
  elif ! python3 -m pip --version >/dev/null 2>&1; then
    MISSING_PACKAGES+=(python3-pip)
  fi
}

# Nothing where Debian's packages end before the version that we need, or where we could not install it but have pip.
newest_java_package() {
  if ! may_install && python3 -m pip --version >/dev/null 2>&1; then return; fi
  apt-cache search --names-only '^openjdk-[0-9]+-jre-headless$' 2>/dev/null |
    sed -n 's/^openjdk-\([0-9]*\)-jre-headless .*/\1/p' | sort --numeric-sort | tail -n 1 |
    while read -r major; do
      if ((major >= JAVA_OLDEST_MAJOR)); then echo "openjdk-$major-jre-headless"; fi
    done
}

needs_build() {
  local command
  for command in gcc g++ make cmake pkg-config; do needs_command "$command" "$command"; done
  needs_library openssl libssl-dev
  needs_library libcurl libcurl4-openssl-dev
  needs_library zlib zlib1g-dev
  if rust_is_ready; then return; fi
  if ! command -v rustup >/dev/null && [[ -n $(apt-cache search --names-only '^rustup$' 2>/dev/null) ]]; then
    MISSING_PACKAGES+=(rustup)
  else
    MISSING_OTHERWISE+=("Rust $(rust_wanted) or newer: with rustup, from https://rustup.rs; then 'rustup default stable && rustup update stable'")
  fi
}

# needs_library NAME PACKAGE: a C library with its headers, by its name for pkg-config.
needs_library() {
  if ! pkg-config --exists "$1" 2>/dev/null; then MISSING_PACKAGES+=("$2"); fi
}

may_install() {
  command -v apt-get >/dev/null && { ((EUID == 0)) || sudo --non-interactive true 2>/dev/null; }
}

# install_packages NEED…: looks once more between the package lists and the installation, because only fresh lists say
# which packages this Debian has.
install_packages() {
  as_root apt-get update --quiet=2 >&2 || say "the package lists could not be refreshed; going on with those that are there"
  look_for "$@"
  if ((${#MISSING_PACKAGES[@]} > 0)); then
    say "installing ${MISSING_PACKAGES[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 \
      --no-install-recommends --option Dpkg::Use-Pty=0 "${MISSING_PACKAGES[@]}" >&2 || say "the installation failed"
  fi
  if [[ " ${MISSING_PACKAGES[*]} " == *" rustup "* ]]; then install_rust || say "Rust could not be installed"; fi
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo --non-interactive "$@"; fi
}

explain_what_is_missing() {
  local line
  say "error: this machine lacks something. Install it and run the same again:"
  if ((${#MISSING_PACKAGES[@]} > 0)); then say "  sudo apt-get install $(printf '%s\n' "${MISSING_PACKAGES[@]}" | sort -u | paste -sd ' ')"; fi
  for line in "${MISSING_OTHERWISE[@]}"; do say "  $line"; done
  exit 1
}
