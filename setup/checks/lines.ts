/** The budget of lines: `protocol/`, `src/` and the agent-runner can be read, and README.md says how many there are. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BUDGET = 12_000;
const FOLDERS = ['protocol', 'src', 'container/agent-runner/src'];
const SHOWN = /(<!-- lines -->)([\d,]+)(<!-- \/lines -->)/;
/** README.md needn't be touched by every change. */
const TOLERANCE = 0.02;

const root = join(import.meta.dirname, '..', '..');
const total = FOLDERS.reduce((sum, folder) => {
  const lines = countLines(folder);
  console.log(`${String(lines).padStart(6)}  ${folder}/`);
  return sum + lines;
}, 0);
console.log(`${String(total).padStart(6)}  lines without tests; at most ${BUDGET}`);

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const shown = Number(SHOWN.exec(readme)?.[2]?.replaceAll(',', ''));
if (process.argv.includes('--write')) {
  writeFileSync(join(root, 'README.md'), readme.replace(SHOWN, `$1${total.toLocaleString('en')}$3`));
} else if (total > BUDGET) {
  fail(`That is ${total - BUDGET} too many.`);
} else if (!(Math.abs(shown - total) <= total * TOLERANCE)) {
  fail(`README.md says ${shown}. Bring it up to date: bash setup/run.sh node setup/checks/lines.ts --write`);
}

function countLines(folder: string): number {
  return globSync('**/*.ts', { cwd: join(root, folder) })
    .filter((file) => !file.includes('node_modules') && !isForTests(file))
    .reduce((sum, file) => sum + (readFileSync(join(root, folder, file), 'utf8').match(/\n/g)?.length ?? 0), 0);
}

function isForTests(file: string): boolean {
  return /\.(test|bench)\.ts$|(^|\/)(testing\/|test-support\.ts$)/.test(file);
}

function fail(reason: string): void {
  console.error(reason);
  process.exitCode = 1;
}
