import { link, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ProviderOptions } from '@nanoclaw/agent-runner/provider';
import type { Env } from '../harness-options.ts';
import { renderArchive } from './markdown.ts';
import { type Entry, findTranscript, readTranscript } from './transcript.ts';

/** Keeps what was said before a conversation is made shorter or given up. Whatever goes wrong with it goes to the log alone. */

type Place = Pick<ProviderOptions, 'conversations' | 'env' | 'log'>;

/** The harness writes its record a little later than it speaks. */
const PATIENCE_MS = 10_000;
const LOOK_MS = 100;

/** `until`: the line at which it was made shorter; without one, nobody goes on with it. Never rejects. */
export async function archive(place: Place, runner: Env, sessionId: string, until?: string): Promise<void> {
  const { conversations: folder, env, log } = place;
  try {
    const { CLAUDE_CONFIG_DIR, HOME = '/', TZ: timezone = 'UTC' } = { ...runner, ...env };
    const entries = await entriesOf(CLAUDE_CONFIG_DIR ?? join(HOME, '.claude'), sessionId, until);
    const reason = until === undefined ? 'the conversation was ended' : 'the conversation was summarised';
    const archived = renderArchive(entries, reason, timezone);
    if (archived === undefined) return;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    log(`claude: the conversation is kept as ${await keep(folder, archived.name, archived.text)}`);
  } catch (cause) {
    log(`claude: the conversation was not kept: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

async function entriesOf(configFolder: string, sessionId: string, until: string | undefined): Promise<Entry[]> {
  for (const end = performance.now() + PATIENCE_MS; ; await pause(LOOK_MS)) {
    const file = await findTranscript(configFolder, sessionId);
    const entries = file === undefined ? undefined : await readTranscript(file, until);
    if (entries) return entries;
    if (until === undefined || performance.now() > end) return [];
  }
}

/** Whole or not at all, and in no other one's place. */
async function keep(folder: string, name: string, text: string): Promise<string> {
  const draft = join(folder, `.${crypto.randomUUID()}`);
  try {
    await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
    for (let count = 1; ; count += 1) {
      const file = join(folder, `${name}${count === 1 ? '' : `-${count}`}.md`);
      try {
        await link(draft, file);
        return file;
      } catch (cause) {
        if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') || count > 1_000) throw cause;
      }
    }
  } finally {
    await rm(draft, { force: true });
  }
}
