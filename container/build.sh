#!/usr/bin/env bash
# Builds the image that sandboxes run in: nanoclaw-agent-v2-<slug>:latest. Does nothing when it is there with the same content.
# A build that fails leaves the image as it was; its output is in logs/image.log, that of the one before in logs/image.log.1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck source=setup/steps.sh
. setup/steps.sh
# shellcheck source=setup/machine.sh
. setup/machine.sh
# shellcheck source=setup/runtimes.sh
. setup/runtimes.sh
# shellcheck source=container/context.sh
. container/context.sh
# shellcheck source=container/engine.sh
. container/engine.sh

usage() {
  cat <<'TEXT'
bash container/build.sh [options]
  --engine <command>      docker or podman (NANOCLAW_RUNTIME; default: the first that answers)
  --socket <path>         of the engine (DOCKER_HOST, CONTAINER_HOST; default: where its command looks)
  --base-image <name>     a Debian or Ubuntu (NANOCLAW_BASE_IMAGE; default: debian:bookworm-slim)
  --ca-bundle <file>      certificates in PEM that the image trusts as well (NANOCLAW_CA_BUNDLE;
                          else what NODE_EXTRA_CA_CERTS or SSL_CERT_FILE names)
  --tag <name>            instead of nanoclaw-agent-v2-<slug>:latest
  --slug <slug>           of the install, instead of this checkout's
  --chromium, --no-chromium      with a browser, or without (INSTALL_CHROMIUM; default: with)
  --cjk-fonts, --no-cjk-fonts    with fonts for Chinese, Japanese and Korean (INSTALL_CJK_FONTS; default: without)
  --claude-cli, --no-claude-cli  with the claude command (INSTALL_CLAUDE_CLI; default: without)
  --settings <file>       where the names in brackets are looked up after the environment (default: .env)
  --network <name>        for the build alone, as the engine knows it (NANOCLAW_BUILD_NETWORK): host, where it has no bridge
  --log <file>            instead of logs/image.log; the earlier one is kept beside it
  --wanted                says the content that the image should have, and builds nothing
  --force                 also when nothing has changed
  -h, --help              this
TEXT
}

engine='' socket='' base_image='' ca_bundle='' ca_found='' tag='' slug='' chromium='' cjk_fonts='' claude_cli=''
settings=.env network='' log=logs/image.log wanted='' force='' bound='' building=''

# Before there is a log.
refuse() {
  say "$1 $2"
  exit 1
}

misused() {
  say "$1 See \`bash container/build.sh --help\`."
  exit 2
}

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --engine | --socket | --base-image | --ca-bundle | --tag | --slug | --settings | --network | --log)
        case ${2:-} in '' | --*) misused "$1 needs a value." ;; esac
        case $1 in
          --engine) engine=$2 ;;
          --socket) socket=$2 ;;
          --base-image) base_image=$2 ;;
          --ca-bundle) ca_bundle=$2 ;;
          --tag) tag=$2 ;;
          --slug) slug=$2 ;;
          --settings) settings=$2 ;;
          --network) network=$2 ;;
          --log) log=$2 ;;
        esac
        shift 2
        ;;
      --chromium) chromium=true && shift ;;
      --no-chromium) chromium=false && shift ;;
      --cjk-fonts) cjk_fonts=true && shift ;;
      --no-cjk-fonts) cjk_fonts=false && shift ;;
      --claude-cli) claude_cli=true && shift ;;
      --no-claude-cli) claude_cli=false && shift ;;
      --wanted) wanted=true && shift ;;
      --force) force=true && shift ;;
      # Of the host: the build ends when its standard input does.
      --bound) bound=true && shift ;;
      -h | --help) usage && exit 0 ;;
      -*) misused "There is no option ${1@Q}." ;;
      *) misused "${1@Q} was not expected: everything is said by options." ;;
    esac
  done
}

settle_options() {
  base_image=${base_image:-$(setting NANOCLAW_BASE_IMAGE)} base_image=${base_image:-debian:bookworm-slim}
  chromium=${chromium:-$(is_set INSTALL_CHROMIUM true)}
  cjk_fonts=${cjk_fonts:-$(is_set INSTALL_CJK_FONTS false)}
  claude_cli=${claude_cli:-$(is_set INSTALL_CLAUDE_CLI false)}
  network=${network:-$(setting NANOCLAW_BUILD_NETWORK)}
  slug=${slug:-$(install_slug)}
  tag=${tag:-nanoclaw-agent-v2-$slug:latest}
  # The engine says less well what is wrong with them, and what begins with a dash would be an option.
  if [[ ! $tag =~ ^[a-z0-9][a-z0-9._/-]*(:[0-9]+/[a-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?$ ]]; then
    refuse "An image can not be called ${tag@Q}." 'Small letters, digits, dots and dashes, a colon, and a word.'
  fi
  if [[ ! $base_image =~ ^[A-Za-z0-9][A-Za-z0-9._/:@-]*$ ]]; then
    refuse "${base_image@Q} is no name of an image." 'Name one as in debian:bookworm-slim.'
  fi
  choose_bundle
}

# Also of a build that is killed: the engine's own command ends it there.
end_with_host() {
  exec 8<&0 </dev/null
  (
    trap '' TERM
    read -r _ <&8 || true
    kill -TERM 0
    sleep 3
    kill -KILL 0
  ) >/dev/null 2>&1 &
  watcher=$!
  disown
}

tidy() {
  if [ -n "${watcher:-}" ]; then kill -KILL "$watcher" 2>/dev/null || true; fi
  if [ -n "${context:-}" ]; then rm -rf "$context" "$context.says"; fi
}

# Or the engine's command would go on by itself, beside the next build.
stop_build() {
  local _
  trap '' TERM INT HUP
  if [ -n "$building" ]; then
    kill -TERM "$building" 2>/dev/null || true
    for _ in {1..30}; do
      if ! kill -0 "$building" 2>/dev/null; then break; fi
      sleep 0.1
    done
    kill -KILL "$building" 2>/dev/null || true
  fi
  exit "$1"
}

# What its engine and the packages say is nobody's but the owner's.
open_log() {
  mkdir -p "$(dirname "$log")"
  if [ -s "$log" ]; then mv -f "$log" "$log.1" && chmod 600 "$log.1"; fi
  (umask 077 && : >"$log")
  chmod 600 "$log"
}

hold_image_lock() {
  if ! command -v flock >/dev/null; then return; fi
  exec 9>.runtime/image.lock
  if ! flock -n 9; then
    say 'another build is at work here: waiting for it'
    flock 9
  fi
  # What one that was killed has left.
  rm -rf .runtime/image.?????? .runtime/image.??????.says
}

# Everything into the log; which step it is at, to whoever waits.
follow() {
  local line
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$log" || true
    if [[ $line =~ ^(Step|STEP)\ ([0-9]+/[0-9]+)\ ?:\ (.*) ]]; then
      say "step ${BASH_REMATCH[2]}: ${BASH_REMATCH[3]:0:70}"
    elif [[ $line =~ ^#[0-9]+\ \[(.* )?\ *([0-9]+/[0-9]+)\]\ (.*) ]]; then
      say "step ${BASH_REMATCH[2]}: ${BASH_REMATCH[3]:0:70}"
    fi
  done
}

build() {
  # What a step that fails has run in is left over otherwise.
  local arguments=(--force-rm --tag "$tag"
    --build-arg "BASE_IMAGE=$base_image"
    --build-arg "INSTALL_CHROMIUM=$chromium"
    --build-arg "INSTALL_CJK_FONTS=$cjk_fonts"
    # Not in the Dockerfile: an engine may take what it built with other arguments. And not the label of the containers, which
    # inherit these.
    --label "org.nanoclaw.content=$hash"
    --label "org.nanoclaw.image-of=$slug") name
  if [ -n "$network" ]; then arguments+=(--network "$network"); fi
  # By name alone: the way out of the owner's network is no part of the image.
  for name in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy; do
    if [ -n "${!name:-}" ]; then arguments+=(--build-arg "$name"); fi
  done
  # Not a pipeline, in the midst of which a signal would have to wait.
  mkfifo "$context.says"
  follow <"$context.says" &
  local following=$! status=0
  "$engine" build "${arguments[@]}" "$context" >"$context.says" 2>&1 &
  building=$!
  wait "$building" || status=$?
  building=''
  wait "$following"
  return "$status"
}

content_of() {
  "$engine" image inspect --format '{{ index .Config.Labels "org.nanoclaw.content" }}' "$1" 2>/dev/null || true
}

read_options "$@"
settle_options
hash=$(content)
if [ -n "$wanted" ]; then
  printf '%s\n' "$hash"
  exit 0
fi
if [ -n "$bound" ]; then end_with_host; fi
trap tidy EXIT
trap 'stop_build 143' TERM HUP
trap 'stop_build 130' INT
mkdir -p .runtime
trust_system_store
choose_engine
hold_image_lock
if [ "$(content_of "$tag")" = "$hash" ] && [ -z "$force" ]; then
  say "$tag is up to date in $engine_title"
  exit 0
fi
context=$(mktemp -d .runtime/image.XXXXXX)
open_log
say "building $tag in $engine_title; what it says is in $log"
# Not in a condition: there bash would ignore `set -e` inside.
set +e
(
  set -e
  fill_context
) 3>&2 >>"$log" 2>&1
filled=$?
set -e
if [ "$filled" != 0 ]; then
  # The newest last: whoever reads it looks there for the reason.
  tail -n 5 "$log" | sed 's/^setup: [a-z]*: //' >&2
  say "The image was not built; the one that was there is as it was. All of it is in $log."
  exit 1
fi
if ! build || [ "$(content_of "$tag")" != "$hash" ]; then
  tail -n 15 "$log" >&2
  say "The image was not built; the one that was there is as it was. All of it is in $log."
  exit 1
fi
say "$tag is ready in $engine_title"
