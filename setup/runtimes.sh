# shellcheck shell=bash
# Node, Bun and pnpm of this checkout's own, in .runtime/. Steps; sourced after steps.sh and machine.sh.

# The first of these that exists holds what the system trusts; npm, Bun and pnpm are told, Node knows by --use-system-ca.
trust_system_store() {
  local file
  if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then return; fi
  for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem; do
    if [ -r "$file" ]; then
      export NODE_EXTRA_CA_CERTS=$file
      return
    fi
  done
}

ensure_runtimes() {
  local name known=''
  mkdir -p .runtime/bin
  for name in node bun pnpm; do
    if ! is_there "$name"; then make_runtime "$name"; fi
    known="$known${known:+, }$(describe_runtime "$name")"
  done
  detail "$known"
}

# One line of runtimes.tsv: package, version, path of the program in it, hash.
pinned() {
  local name=$1 on
  on=$(platform)
  if [ "$name" = bun ] && [ "$on" = linux-x64 ] && ! grep -qw avx2 /proc/cpuinfo; then on=linux-x64-baseline; fi
  awk -F '\t' -v on="$on" -v name="$name" '$1 == on && $2 == name { print $3, $4, $5, $6 }' setup/runtimes.tsv
}

is_there() {
  local link=.runtime/bin/$1 version file
  [ -x "$link" ] || return 1
  read -r _ version file _ <<<"$(pinned "$1")"
  if [ "$(readlink "$link")" = "../$1-$version/$file" ]; then return; fi
  # The system's own Node may have been updated since.
  [ "$1" = node ] && [ "$(readlink "$link")" = "$(system_node)" ] && serves "$link"
}

describe_runtime() {
  local link=.runtime/bin/$1 version
  read -r _ version _ <<<"$(pinned "$1")"
  case $(readlink "$link") in
    ../*) echo "$1 $version" ;;
    *) echo "$1 $("$link" --version | tr -d v) of the system" ;;
  esac
}

make_runtime() {
  local name=$1 package version file hash
  if [ "$name" = node ] && [ -n "$(system_node)" ] && serves "$(system_node)"; then
    link_program node "$(system_node)"
    return
  fi
  read -r package version file hash <<<"$(pinned "$name")"
  if [ ! -x ".runtime/$name-$version/$file" ]; then fetch "$name" "$package" "$version" "$hash"; fi
  runs "$name" "$PWD/.runtime/$name-$version/$file"
  link_program "$name" "../$name-$version/$file"
}

system_node() { PATH=${PATH//"$PWD/.runtime/bin:"/} command -v node || true; }

# Not by its version: by trying all that is used of it.
serves() {
  "$1" --no-warnings --use-system-ca setup/probe-node.ts && return
  echo "$1 lacks something that is needed here"
  return 1
}

# Renamed into place, so that a running install never finds it missing.
link_program() {
  ln -s "$2" ".runtime/bin/$1.new.$$"
  mv -fT ".runtime/bin/$1.new.$$" ".runtime/bin/$1"
}

fetch() {
  local name=$1 package=$2 version=$3 hash=$4 work archive
  ensure_npm
  work=$(mktemp -d .runtime/fetch.XXXXXX)
  # shellcheck disable=SC2064 # this folder, also when another one is made later
  trap "rm -rf '$PWD/$work'" EXIT
  echo "fetching $package $version"
  npm pack --loglevel=error --ignore-scripts --no-update-notifier --fetch-retries=2 --fetch-retry-mintimeout=1000 \
    --fetch-retry-maxtimeout=4000 --cache "$PWD/$work/cache" --pack-destination "$work" "$package@$version"
  archive=$(find "$work" -maxdepth 1 -name '*.tgz')
  check_hash "$archive" "$hash" "$package $version"
  mkdir "$work/package"
  tar -xzf "$archive" -C "$work/package" --strip-components=1 --no-same-owner --exclude='package/include'
  rm -rf ".runtime/$name-$version"
  mv -T "$work/package" ".runtime/$name-$version"
  rm -rf "$work"
}

# By our own list: a registry vouches only for what it serves.
check_hash() {
  local expected found
  expected=$(base64 -d <<<"${2#sha512-}" | od -An -v -tx1 | tr -d ' \n')
  found=$(sha512sum "$1")
  if [ "${found%% *}" = "$expected" ]; then return; fi
  give_up "The hash of $3 isn't the one in setup/runtimes.tsv: this is not the archive that was tested." \
    "Run this again. If it stays, the registry or a proxy changes packages: don't go on."
}

ensure_npm() {
  if command -v npm >/dev/null && npm --version >/dev/null 2>&1; then return; fi
  if ! command -v apt-get >/dev/null; then
    give_up 'There is no npm, by which the runtimes are fetched, and no apt to get it with.' \
      "Install Node 18 or later with npm by the system's package manager, and run this again."
  fi
  if command -v node >/dev/null && ! dpkg -S "$(realpath "$(command -v node)")" >/dev/null 2>&1; then
    give_up 'This Node came without npm.' 'Install npm beside it, and run this again.'
  fi
  echo 'npm is missing: installing it with apt, only to fetch with it'
  install_packages npm ca-certificates
  trust_system_store
}

# The first thing that fails on a system too old or too bare is the program's start.
runs() {
  local said library
  if said=$("$2" --version 2>&1); then return; fi
  echo "$said"
  library=$(sed -n 's/.*loading shared libraries: \(lib[a-z+]*\)\.so.*/\1/p' <<<"$said")
  case $library in
    libatomic) install_packages "$(if command -v apt-get >/dev/null; then echo libatomic1; else echo libatomic; fi)" ;;
    'libstdc++') install_packages "$(if command -v apt-get >/dev/null; then echo libstdc++6; else echo libstdc++; fi)" ;;
    *) give_up "$1 doesn't run on this system: $(tail -n 1 <<<"$said" | cut -c 1-200)" \
      'Use a newer release of this distribution.' ;;
  esac
  "$2" --version
}
