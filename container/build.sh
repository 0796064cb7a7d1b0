#!/usr/bin/env bash
# Builds the image that sandboxes run in: nanoclaw-agent-v2-<slug>:latest. Does nothing when it is there with the same content.
# A build that fails leaves the image as it was; its output is in logs/image.log.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck source=setup/steps.sh
. setup/steps.sh
# shellcheck source=setup/machine.sh
. setup/machine.sh
# shellcheck source=setup/runtimes.sh
. setup/runtimes.sh

usage() {
  cat >&2 <<'TEXT'
bash container/build.sh [options]
  --engine <command>      docker or podman (default: the first that is there)
  --base-image <name>     a Debian or Ubuntu (default: debian:bookworm-slim)
  --ca-bundle <file>      certificates in PEM that the image trusts as well
  --tag <name>            instead of nanoclaw-agent-v2-<slug>:latest
  --no-chromium           without a browser
  --cjk-fonts             with fonts for Chinese, Japanese and Korean (also: INSTALL_CJK_FONTS=true in .env)
  --force                 also when nothing has changed
TEXT
}

engine='' base_image=debian:bookworm-slim ca_bundle='' tag='' chromium=true cjk_fonts='' force=''
log=logs/image.log

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --engine | --base-image | --ca-bundle | --tag)
        if [ -z "${2:-}" ]; then give_up "$1 needs a value." 'See `bash container/build.sh --help`.'; fi
        case $1 in
          --engine) engine=$2 ;;
          --base-image) base_image=$2 ;;
          --ca-bundle) ca_bundle=$2 ;;
          --tag) tag=$2 ;;
        esac
        shift 2
        ;;
      --no-chromium) chromium=false && shift ;;
      --cjk-fonts) cjk_fonts=true && shift ;;
      --force) force=true && shift ;;
      --help) usage && exit 0 ;;
      *) usage && exit 2 ;;
    esac
  done
}

choose_engine() {
  local name
  if [ -n "$engine" ]; then return; fi
  for name in docker podman; do
    if command -v "$name" >/dev/null && "$name" version >/dev/null 2>&1; then engine=$name && return; fi
  done
  give_up 'Neither docker nor podman answers.' 'Start the engine, or name its command with --engine.'
}

# As src/install-slug.ts has it.
install_slug() { printf '%s' "$(pwd -P)" | sha1sum | cut -c 1-8; }

# From the environment, else from .env.
setting() {
  local name=$1
  if [ -n "${!name:-}" ]; then
    printf '%s' "${!name}"
  elif [ -r .env ]; then
    sed -n "s/^\(export \)\{0,1\}$name=[\"']\{0,1\}\([^\"']*\)[\"']\{0,1\}[[:space:]]*$/\2/p" .env | tail -n 1
  fi
}

# All that the build reads, in a folder of its own: nothing else of the checkout reaches the engine.
fill_context() {
  local package version file hash name
  rm -rf "$context"
  mkdir -p "$context/certificates" "$context/programs"
  cp container/Dockerfile "$context/"
  if [ -n "$ca_bundle" ]; then split_certificates; fi
  for name in node bun pnpm; do
    read -r package version file hash <<<"$(pinned "$name")"
    if [ ! -x ".runtime/$name-$version/$file" ]; then fetch "$name" "$package" "$version" "$hash"; fi
    mkdir -p "$context/programs/$name"
    cp -a ".runtime/$name-$version/." "$context/programs/$name/"
  done
  if [ "$chromium" = true ]; then add_agent_browser; fi
}

# One certificate a file: the system's tool for them takes no other.
split_certificates() {
  if ! grep -q 'BEGIN CERTIFICATE' "$ca_bundle"; then
    give_up "There is no certificate in $ca_bundle." 'Name a file in PEM.'
  fi
  awk -v folder="$context/certificates" '
    /BEGIN CERTIFICATE/ { number++; inside = 1 }
    inside { print > sprintf("%s/own-%03d.crt", folder, number) }
    /END CERTIFICATE/ { inside = 0; close(sprintf("%s/own-%03d.crt", folder, number)) }' "$ca_bundle"
}

add_agent_browser() {
  local package version file hash folder
  read -r package version file hash \
    <<<"$(awk -F '\t' '$2 == "agent-browser" { print $3, $4, $5, $6 }' container/packages.tsv)"
  folder=.runtime/agent-browser-$version
  if [ ! -e "$folder/$file" ]; then fetch agent-browser "$package" "$version" "$hash"; fi
  mkdir -p "$context/programs/agent-browser/bin"
  cp -a "$folder/LICENSE" "$folder/skill-data" "$context/programs/agent-browser/"
  cp "$folder/bin/agent-browser-$(platform)" "$context/programs/agent-browser/bin/agent-browser"
  chmod 755 "$context/programs/agent-browser/bin/agent-browser"
}

content() {
  {
    printf '%s\n' "$base_image" "$chromium" "$cjk_fonts" "$(platform)"
    (cd "$context" && find . -type f -print0 | sort -z | xargs -0 sha256sum)
  } | sha256sum | cut -c 1-64
}

read_options "$@"
mkdir -p logs .runtime
trust_system_store
choose_engine
tag=${tag:-nanoclaw-agent-v2-$(install_slug):latest}
if [ -z "$cjk_fonts" ]; then case $(setting INSTALL_CJK_FONTS) in true | 1 | yes) cjk_fonts=true ;; *) cjk_fonts=false ;; esac fi
if [ -n "$ca_bundle" ] && [ ! -r "$ca_bundle" ]; then give_up "$ca_bundle can not be read." 'Name a file in PEM.'; fi

context=$(mktemp -d .runtime/image.XXXXXX)
trap 'rm -rf "$context"' EXIT
fill_context >"$log" 2>&1 || { tail -n 5 "$log" >&2 && exit 1; }
hash=$(content)
there=$("$engine" image inspect --format '{{ index .Config.Labels "org.nanoclaw.content" }}' "$tag" 2>/dev/null || true)
if [ "$there" = "$hash" ] && [ -z "$force" ]; then
  say "$tag is up to date"
  exit 0
fi
say "building $tag; what it says is in $log"
if ! "$engine" build --tag "$tag" \
  --build-arg BASE_IMAGE="$base_image" \
  --build-arg INSTALL_CHROMIUM="$chromium" \
  --build-arg INSTALL_CJK_FONTS="$cjk_fonts" \
  --build-arg CONTENT="$hash" \
  "$context" >>"$log" 2>&1; then
  tail -n 15 "$log" >&2
  say "The image was not built; the one that was there is as it was. All of it is in $log."
  exit 1
fi
say "$tag is ready"
