/** Why a build failed, from what it printed. Pure. */

export interface BuildFailure {
  /** Only the network heals by itself. */
  kind: 'network' | 'other';
  /** A sentence for the owner. */
  reason: string;
}

const CAUSES: readonly (readonly [RegExp, BuildFailure['kind'], string])[] = [
  [
    /no space left on device|disk quota exceeded|ENOSPC/i,
    'other',
    'The disk of this machine or of its engine is full.',
  ],
  [
    /x509|certificate (verif|has expired|is not trusted|signed by)|self[- ]signed|SSL certificate problem|UNABLE_TO_(GET|VERIFY)/i,
    'other',
    "A server's certificate is not trusted. Name your network's own with NANOCLAW_CA_BUNDLE in .env.",
  ],
  [
    /dockerfile parse error|unknown instruction|no build stage|unexpected .* in Dockerfile|Syntax error - /i,
    'other',
    'container/Dockerfile can not be read.',
  ],
  [
    /Temporary failure (in name resolution|resolving)|could ?n.t resolve|ENOTFOUND|EAI_AGAIN|ECONNRE(FUSED|SET)|ETIMEDOUT|ENETUNREACH|network is unreachable|no such host|i\/o timeout|TLS handshake timeout|connection (refused|reset|timed out)|could not connect|Client\.Timeout|unexpected EOF|toomanyrequests|Failed to fetch|50[234] (Bad Gateway|Service Unavailable|Gateway Time)/i,
    'network',
    'The network failed.',
  ],
  [
    /manifest .*(unknown|not found)|pull access denied|repository .* (not found|does not exist)|(manifest|image|short-name) .*(not known|did not resolve|not found)|unable to find image/i,
    'other',
    'The base image is not there. NANOCLAW_BASE_IMAGE in .env names another.',
  ],
  [/hash of .* isn't the one/i, 'other', 'A package is not the one that was tested.'],
  [/none of them answers/i, 'other', 'Neither the docker nor the podman command is there, by which an image is built.'],
];

/** `lines`: the newest of its output, which decide. */
export function whyNot(lines: readonly string[]): BuildFailure {
  for (const [pattern, kind, reason] of CAUSES) {
    const line = lines.findLast((each) => pattern.test(each));
    if (line !== undefined) return { kind, reason: `${reason} ${shortened(line)}`.trim() };
  }
  const last = lines.findLast((line) => line.trim() !== '' && !/logs\/image\.log|^The image was not built/.test(line));
  return { kind: 'other', reason: last === undefined ? 'It said nothing.' : shortened(last) };
}

function shortened(line: string): string {
  const plain = line.trim().slice(0, 200);
  return /[.!?…]$/.test(plain) ? plain : `${plain}.`;
}
