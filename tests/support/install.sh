# SPDX-License-Identifier: BSL-1.0
# shellcheck shell=bash
# install_packages PACKAGE...: installs those Debian packages that are missing. `a|b` is a when there is an a, otherwise
# b. Silent when nothing is missing; writes to standard error only.
# Exits with status 1 when they cannot be installed.

# Any Boost that the library takes will do, and two versions cannot be installed together.
boost_packages='libboost1.81-dev|libboost-dev'

is_installed() {
  [[ $(dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null) == ii* ]]
}

is_missing() {
  local one all
  IFS='|' read -ra all <<<"$1"
  for one in "${all[@]}"; do
    if is_installed "$one"; then return 1; fi
  done
}

install_packages() {
  local package one all choice log sudo=() missing=() chosen=()
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "This is not Debian or Ubuntu. Under their Debian names, these packages are needed: $*" >&2
    exit 1
  fi
  for package in "$@"; do
    if is_missing "$package"; then missing+=("$package"); fi
  done
  if ((${#missing[@]} == 0)); then return 0; fi

  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      echo "These packages are missing, and only root can install them: ${missing[*]}" >&2
      exit 1
    fi
    sudo=(sudo)
  fi
  echo "Installing ${missing[*]}" >&2
  log=$(mktemp)
  run_apt() {
    if ! "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "$@" >"$log" 2>&1 </dev/null; then
      cat "$log" >&2
      exit 1
    fi
  }
  run_apt update
  for package in "${missing[@]}"; do
    IFS='|' read -ra all <<<"$package"
    choice=${all[-1]}
    for one in "${all[@]}"; do
      if [[ -n $(apt-cache search --names-only "^${one//./\\.}\$") ]]; then
        choice=$one
        break
      fi
    done
    chosen+=("$choice")
  done
  run_apt install -y --no-install-recommends "${chosen[@]}"
  rm -f "$log"
}

# install_if_there_is PACKAGE...: the same for packages that not every architecture has; without them a test is skipped.
install_if_there_is() {
  local package sudo=()
  if ((EUID != 0)); then sudo=(sudo -n); fi
  for package in "$@"; do
    if is_installed "$package" || ! apt-cache show "$package" >/dev/null 2>&1; then continue; fi
    echo "Installing $package" >&2
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package" \
      >/dev/null 2>&1 </dev/null || echo "$package could not be installed" >&2
  done
}
