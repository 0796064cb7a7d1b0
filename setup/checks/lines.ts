/**
 * The budget of lines: `protocol/`, `src/` and the agent-runner can be read, and README.md says how many there are. Lines of
 * code, without blank and comment lines: docs/decisions/0004-how-lines-are-counted.md.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BUDGET = 12_000;
const FOLDERS = ['protocol', 'src', 'container/agent-runner/src'];
/** Beside it: what a reader of the host needn't know. Shown, not limited. */
const BESIDE = ['admin', 'assistant', 'channels', 'cli', 'drivers', 'vault', 'providers', 'setup'];
const SHOWN = /(<!-- lines -->)([\d,]+)(<!-- \/lines -->)/;
const SHOWN_ALL = /(<!-- all lines -->)([\d,]+)(<!-- \/all lines -->)/;
/** README.md needn't be touched by every change. */
const TOLERANCE = 0.02;

const root = join(import.meta.dirname, '..', '..');
const counts = FOLDERS.map((folder) => ({ folder, ...countLines(folder) }));
for (const { folder, code, all } of counts) console.log(`${String(code).padStart(6)} of ${all}  ${folder}/`);
const total = counts.reduce((sum, { code }) => sum + code, 0);
console.log(
  `${String(total).padStart(6)}  lines of code in protocol/, src/ and the agent-runner, without tests; at most ${BUDGET}`,
);

const beside = BESIDE.map((folder) => ({ folder, code: countLines(folder).code }));
const all = beside.reduce((sum, { code }) => sum + code, total);
console.log(`        beside it ${beside.map(({ folder, code }) => `${code} in ${folder}/`).join(', ')}`);
console.log(`${String(all).padStart(6)}  in all`);

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const number = (pattern: RegExp) => Number(pattern.exec(readme)?.[2]?.replaceAll(',', ''));
const isTrue = (shown: number, counted: number) => Math.abs(shown - counted) <= counted * TOLERANCE;
if (process.argv.includes('--write')) {
  const written = readme.replace(SHOWN, `$1${total.toLocaleString('en')}$3`);
  writeFileSync(join(root, 'README.md'), written.replace(SHOWN_ALL, `$1${all.toLocaleString('en')}$3`));
} else if (total > BUDGET) {
  fail(`That is ${total - BUDGET} too many.`);
} else if (!isTrue(number(SHOWN), total) || !isTrue(number(SHOWN_ALL), all)) {
  fail(
    `README.md says ${number(SHOWN)}, and ${number(SHOWN_ALL)} in all. Bring it up to date: bash setup/run.sh node setup/checks/lines.ts --write`,
  );
}

function countLines(folder: string): { code: number; all: number } {
  const lines = globSync('**/*.ts', { cwd: join(root, folder) })
    .filter((file) => !file.includes('node_modules') && !isForTests(file))
    .map((file) =>
      readFileSync(join(root, folder, file), 'utf8')
        .split('\n')
        .slice(0, -1),
    );
  return {
    code: lines.reduce((sum, file) => sum + file.filter(createCodeFilter()).length, 0),
    all: lines.reduce((sum, file) => sum + file.length, 0),
  };
}

/** Keeps what is neither blank nor only a comment. The formatter puts block comments on lines of their own. */
function createCodeFilter(): (line: string) => boolean {
  let inComment = false;
  return (line) => {
    const text = line.trim();
    const isComment = inComment || text.startsWith('/*') || text.startsWith('//');
    if (text.startsWith('/*')) inComment = true;
    if (text.endsWith('*/')) inComment = false;
    return text !== '' && !isComment;
  };
}

function isForTests(file: string): boolean {
  return /\.(test|bench)\.ts$|(^|\/)(test|testing)\/|(^|\/)test-[\w-]+\.ts$/.test(file);
}

function fail(reason: string): void {
  console.error(reason);
  process.exitCode = 1;
}
