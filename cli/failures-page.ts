import { ERRORS, type ErrorCode } from '../src/errors.ts';
import { decideRetry, FAILURES, MAX_TRIES } from '../src/failures.ts';

const TURN = ['kind', 'what happens', 'what the chat is told', 'tried again', 'when the cause is gone'];
const REFUSAL = ['what happens', 'what the sender is told', 'code', 'when the cause is gone'];
const DOOR: readonly [code: ErrorCode, when: string, heals: string][] = [
  ['NC_DISK_FULL', 'The disk of `data/` is nearly full.', 'taken as soon as there is room'],
  ['NC_DB_BUSY', 'Another program holds the central database for more than 10 s.', 'taken when it lets go'],
  ['NC_MESSAGE_TOO_LARGE', 'More than 256 KB of text.', 'send less'],
  ['NC_MESSAGE_EMPTY', 'Neither text nor a file.', 'write something'],
  ['NC_CLOCK', 'The clock says a time before this version was made.', 'taken when it is set'],
];

/** Tried again for as long as it takes: of its sentence nothing follows. */
const UNCOUNTED = 'sandbox-image';

/** `docs/failures.md`, with what stands between its markers made anew. */
export function failuresPage(page: string): string {
  const waits = Array.from({ length: MAX_TRIES }, (_, tries) => {
    const decision = decideRetry({ kind: 'crash', retryable: true, message: '' }, tries);
    return decision.retry ? decision.afterMs / 1_000 : 0;
  });
  const again = `I'll try again in ${waits[0]} seconds. … I gave up after ${MAX_TRIES + 1} tries. `;
  const turns = Object.entries(FAILURES).map(([kind, { when, what, remedy, retry }]) => [
    `\`${kind}\``,
    when,
    `⚠️ ${what} ${retry && kind !== UNCOUNTED ? again : ''}${kind === UNCOUNTED ? '' : remedy}`.trim(),
    kind === UNCOUNTED ? 'until it is there' : retry ? 'yes' : 'no',
    retry ? 'the same message is answered' : 'the next message is answered',
  ]);
  const door = DOOR.map(([code, when, heals]) => [
    when,
    `${ERRORS[code].sentence} ${ERRORS[code].remedy}`,
    `\`${code}\``,
    heals,
  ]);
  const made: Readonly<Record<string, string>> = {
    waits: `${waits.join(', ')} s`,
    turns: table(TURN, turns),
    door: table(REFUSAL, door),
  };
  return page.replace(/(<!-- (\w+) -->).*?(<!-- \/\2 -->)/gs, (_, open, name, close) => `${open}${made[name]}${close}`);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return `\n\n${line(head)}|${'---|'.repeat(head.length)}\n${rows.map(line).join('')}\n`;
}
