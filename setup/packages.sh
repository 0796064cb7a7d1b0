# shellcheck shell=bash
# The packages from the frozen lockfile. Sourced after steps.sh; needs .runtime/bin/pnpm.
#
# There are three selections, each with all of the one before: `host`; `claude`, with that provider's harness (426 MB);
# `dev`, with what the checks need. An install is never cut back: a running host would lose what it uses.
# A channel comes beside them, when it is chosen: `channel:telegram`.

packages_stamp=.runtime/packages

# ensure_packages <selection>
ensure_packages() {
  add_packages "$1"
  open_to_sandboxes
}

add_packages() {
  local selection=$1 wanted
  wanted=$(packages_hash)
  case $selection in
    channel:*)
      add_channel "${selection#channel:}"
      return
      ;;
  esac
  if is_installed "$selection" && [ "$(cat "$packages_stamp" 2>/dev/null)" = "$wanted" ]; then
    detail "$(describe_packages "$(installed_selection)"), as they were"
    return
  fi
  if is_installed "$selection"; then selection=$(installed_selection); fi
  rm -f "$packages_stamp"
  # A lockfile of this checkout is as trustworthy as its code; the checks verify its releases' age again.
  case $selection in
    host) run_pnpm --prod --filter '!@nanoclaw/provider-claude' --filter '!./channels/*' --trust-lockfile ;;
    claude) run_pnpm --prod --filter '!./channels/*' --trust-lockfile ;;
    dev) run_pnpm ;;
  esac
  if [ "$selection" != dev ]; then refresh_channels; fi
  echo "$wanted" >"$packages_stamp"
  detail "$(describe_packages "$selection")"
}

# What one channel and the packages of this checkout that it uses need: what the host runs on stays as it is.
add_channel() {
  local name=$1
  if ! [[ $name =~ ^[a-z][a-z0-9-]*$ ]] || [ ! -e "channels/$name/package.json" ]; then
    give_up "There is no channel named $name." 'Run: bin/ncl channels available'
  fi
  if [ "$(installed_selection)" = dev ]; then
    run_pnpm --filter "{./channels/$name}..."
  else
    run_pnpm --prod --filter "{./channels/$name}..." --trust-lockfile
  fi
  detail "packages of $name"
}

# After an upgrade the channels that are in use come along.
refresh_channels() {
  local folder
  for folder in channels/*/node_modules; do
    if [ -e "$folder" ]; then add_channel "$(basename "$(dirname "$folder")")"; fi
  done
}

# Under root, agents run as other users: what their sandboxes mount of a checkout that was cloned with a narrow umask.
open_to_sandboxes() {
  if [ "$(id -u)" != 0 ]; then return; fi
  find protocol container/agent-runner providers node_modules .runtime/bun-* ! -type l \
    \( ! -perm -044 -o -perm -100 ! -perm -011 \) -exec chmod go+rX {} +
}

describe_packages() {
  case $1 in
    host) echo 'packages of the host' ;;
    claude) echo "packages of the host, Claude's harness" ;;
    dev) echo "packages of the host, Claude's harness, development tools" ;;
  esac
}

packages_hash() { cat pnpm-lock.yaml pnpm-workspace.yaml package.json ./*/package.json ./*/*/package.json | sha512sum; }

installed_selection() {
  if [ ! -e node_modules/.modules.yaml ]; then
    echo none
  elif [ -e node_modules/typescript ] && [ -e node_modules/@biomejs/biome ]; then
    echo dev
  elif [ -e providers/claude/node_modules/@anthropic-ai ]; then
    echo claude
  else
    echo host
  fi
}

is_installed() {
  case "$1 $(installed_selection)" in
    'host none' | 'claude none' | 'claude host' | 'dev none' | 'dev host' | 'dev claude') return 1 ;;
  esac
}

# Eight connections: with more, its check of the lockfile against the registry stalls for most of a minute.
run_pnpm() {
  CI=true PNPM_HOME="$PWD/.runtime/pnpm-home" PATH="$PWD/.runtime/bin:$PATH" .runtime/bin/pnpm install --frozen-lockfile \
    --store-dir "$(store_folder)" --network-concurrency 8 --config.cache-dir="$PWD/.runtime/cache" --reporter=append-only "$@"
}

# In the checkout, so that removing it removes all; but an install keeps the store that it was made with.
store_folder() {
  local known
  known=$(sed -n 's/^ *"\{0,1\}storeDir"\{0,1\}: *"\{0,1\}\([^",]*\).*/\1/p' node_modules/.modules.yaml 2>/dev/null | head -n 1 || true)
  if [ -n "$known" ]; then
    dirname "$known"
  else
    echo "$PWD/.runtime/store"
  fi
}
