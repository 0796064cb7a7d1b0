import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contractPage, PAGE, SKIPPED, Skipped } from './contract-page.ts';

/** Runs the suite on every channel, and writes down which of them is not asked what. Exit status 1 when one does not pass. */

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-skips-'));
const file = join(folder, 'skips');
writeFileSync(file, '');
const files = globSync('test/channels/*.test.ts', { cwd: root }).filter((one) =>
  readFileSync(join(root, one), 'utf8').includes('channelContract('),
);
const run = spawnSync(process.execPath, ['--test', '--test-concurrency=1', ...files], {
  cwd: root,
  env: { ...process.env, NANOCLAW_CONTRACT_SKIPS: file },
  stdio: ['ignore', 'ignore', 'inherit'],
});
const lines = readFileSync(file, 'utf8').trim().split('\n');
const noted = Skipped.parse(lines.map((line) => JSON.parse(line)));
const byChannel = noted.toSorted((one, other) => one.channel.localeCompare(other.channel));
rmSync(folder, { recursive: true, force: true });
if (run.status === 0) {
  writeFileSync(join(root, SKIPPED), `${JSON.stringify(byChannel, null, 2)}\n`);
  writeFileSync(join(root, PAGE), contractPage(root));
} else process.stderr.write('Not all channels pass: nothing is written.\n');
process.exitCode = run.status === 0 ? 0 : 1;
