# shellcheck shell=bash
# What an image is made of: the settings, the pinned programs, the certificates, and the hash of all that. Sourced by build.sh.

# Raised when what is done with the same inputs changes.
layout=2

# As src/install-slug.ts has it.
install_slug() { printf '%s' "$(pwd -P)" | sha1sum | cut -c 1-8; }

# setting <name>: from the environment, else from the settings' file.
setting() {
  local name=$1
  if [ -n "${!name:-}" ]; then
    printf '%s' "${!name}"
  elif [ -r "$settings" ]; then
    sed -n "s/^\(export \)\{0,1\}$name[[:space:]]*=[[:space:]]*//p" "$settings" | tail -n 1 |
      sed -e "s/^'\([^']*\)'.*/\1/; t" -e 's/^"\([^"]*\)".*/\1/; t' -e 's/[[:space:]]#.*//; s/[[:space:]]*$//'
  fi
}

# is_set <name> <default>: true or false. Any other word ends the shell that asks.
is_set() {
  case $(setting "$1") in
    true | 1 | yes | on) echo true ;;
    false | 0 | no | off) echo false ;;
    '') echo "$2" ;;
    *) refuse "$1 is $(setting "$1")." 'Set it to true or false (1 or 0, yes or no, on or off).' ;;
  esac
}

# Package, version, file and hash, as `pinned` gives them.
pinned_browser() { awk -F '\t' '$2 == "agent-browser" { print $3, $4, $5, $6 }' container/packages.tsv; }

# The release that goes with the SDK that is installed here.
pinned_claude() {
  awk -v package="@anthropic-ai/claude-agent-sdk-$(platform)" '
    index($0, "\047" package "@") { split($0, part, /[@\047]/); version = part[4] }
    version && /integrity:/ { gsub(/.*integrity: |}.*/, ""); print package, version, "claude", $0; exit }' pnpm-lock.yaml
}

# A bundle that was found in the environment is a means of this build; a change of it alone makes no new image.
content() {
  {
    printf '%s\n' "$layout" "$base_image" "$chromium" "$cjk_fonts" "$claude_cli" "$(platform)"
    cat container/Dockerfile container/agent-browser.sh
    for name in node bun pnpm; do pinned "$name"; done
    if [ "$chromium" = true ]; then pinned_browser; fi
    if [ "$claude_cli" = true ]; then pinned_claude; fi
    if [ -n "$ca_bundle" ] && [ -z "$ca_found" ]; then cat "$ca_bundle"; fi
  } | sha256sum | cut -c 1-64
}

# The one that is named counts; else what the builder itself trusts beside its system.
choose_bundle() {
  local name
  if [ -z "$ca_bundle" ]; then ca_bundle=$(setting NANOCLAW_CA_BUNDLE); fi
  if [ -n "$ca_bundle" ]; then
    if [ ! -f "$ca_bundle" ] || [ ! -r "$ca_bundle" ]; then refuse "$ca_bundle can not be read." 'Name a file in PEM.'; fi
    if ! is_bundle "$ca_bundle"; then refuse "There is no certificate in $ca_bundle." 'Name a file in PEM.'; fi
    return
  fi
  for name in NODE_EXTRA_CA_CERTS SSL_CERT_FILE; do
    if [ -f "${!name:-}" ] && is_bundle "${!name}"; then
      ca_bundle=${!name} ca_found=$name
      return
    fi
  done
}

is_bundle() { grep -q 'BEGIN CERTIFICATE' "$1" 2>/dev/null && grep -q 'END CERTIFICATE' "$1"; }

# All that the build reads, in a folder of its own: nothing else of the checkout reaches the engine.
fill_context() {
  local package version file hash name
  mkdir -p "$context/certificates" "$context/programs"
  cp container/Dockerfile "$context/"
  if [ -n "$ca_bundle" ]; then split_certificates; fi
  for name in node bun pnpm; do
    read -r package version file hash <<<"$(pinned "$name")"
    if [ ! -x ".runtime/$name-$version/$file" ]; then fetch_for_image "$name" "$package" "$version" "$hash"; fi
    mkdir -p "$context/programs/$name"
    cp -a ".runtime/$name-$version/." "$context/programs/$name/"
  done
  if [ "$claude_cli" = true ]; then add_claude; fi
  if [ "$chromium" = true ]; then add_agent_browser; fi
  # Whose checkout it is must not matter inside.
  chmod -R a+rX,go-w "$context"
}

# The third output is the one of whoever waits; the others are the log.
fetch_for_image() {
  printf 'step 0: fetching %s %s\n' "$1" "$3" >&3
  fetch "$@"
}

# One certificate a file: the system's tool for them takes no other.
split_certificates() {
  local file
  awk -v folder="$context/certificates" '
    /BEGIN CERTIFICATE/ { number++; inside = 1 }
    inside { print > sprintf("%s/own-%03d.crt", folder, number) }
    /END CERTIFICATE/ { inside = 0; close(sprintf("%s/own-%03d.crt", folder, number)) }' "$ca_bundle"
  # What the builder itself trusts has been read by others.
  if [ -n "$ca_found" ] || ! command -v openssl >/dev/null; then return; fi
  for file in "$context"/certificates/*.crt; do
    if ! openssl x509 -in "$file" -noout 2>/dev/null; then
      give_up "One of the certificates in $ca_bundle is broken: number $(basename "$file" .crt | tr -dc 1-9)." 'Take it out, or name another file.'
    fi
  done
}

add_agent_browser() {
  local package version file hash folder
  read -r package version file hash <<<"$(pinned_browser)"
  folder=.runtime/agent-browser-$version
  if [ ! -e "$folder/$file" ]; then fetch_for_image agent-browser "$package" "$version" "$hash"; fi
  mkdir -p "$context/programs/agent-browser/bin"
  cp -a "$folder/LICENSE" "$folder/skill-data" container/agent-browser.sh "$context/programs/agent-browser/"
  cp "$folder/bin/agent-browser-$(platform)" "$context/programs/agent-browser/bin/agent-browser"
  chmod 755 "$context"/programs/agent-browser/agent-browser.sh "$context/programs/agent-browser/bin/agent-browser"
}

add_claude() {
  local package version file hash
  read -r package version file hash <<<"$(pinned_claude)"
  if [ ! -e ".runtime/claude-$version/$file" ]; then fetch_for_image claude "$package" "$version" "$hash"; fi
  mkdir -p "$context/programs/claude"
  cp -a ".runtime/claude-$version/." "$context/programs/claude/"
  chmod 755 "$context/programs/claude/$file"
}
