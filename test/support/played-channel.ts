import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from './scratch.ts';

/** A channel's package as somebody else would make it, whose platform is a folder of files. */

export interface Platform {
  /** Of the package. */
  folder: string;
  /** Its settings, as `ncl channels add --from -` takes them. */
  settings: string;
  post(chat: string, text: string): void;
  sent(): { chat: string; text: string; id: string }[];
  /** `well`, `forbidden`, `unknown`; the word goes to the next sends. */
  mood(word: string): void;
}

export const TOKEN = 'played-secret-0123456789';

const MANIFEST = `
export const MANIFEST = {
  name: 'played', title: 'Played', summary: 'A platform of files.', downloadMb: 0, proof: 'Met by tests alone.',
  settings: [
    { name: 'PLACE', secret: false, required: true, label: 'The folder', steps: [] },
    { name: 'TOKEN', secret: true, required: true, label: 'The token', steps: ['Ask for it.'] },
  ],
};`;

const PLUGIN = `
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { MANIFEST as manifest } from './manifest.ts';
const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '');
export const plugin = {
  manifest,
  create({ instance, settings, recall, remember }) {
    let timer;
    const mood = () => read(settings.PLACE + '/mood').trim();
    return {
      channelType: instance,
      capabilities: { threads: false, maxTextLength: 200, buttons: false, edits: false, afterDowntime: 'backfill' },
      async start(host) {
        if (settings.TOKEN !== '${TOKEN}') throw new Error('The platform refuses the token ' + settings.TOKEN + '.');
        let busy = false;
        timer = setInterval(async () => {
          if (busy) return;
          busy = true;
          const lines = read(settings.PLACE + '/in').split('\\n').slice(0, -1);
          for (let at = Number(recall('cursor') ?? 0); at < lines.length; at += 1) {
            const { chat, text } = JSON.parse(lines[at]);
            await host.accept({ channelType: instance, platformId: chat, threadId: null, platformMessageId: String(at),
              senderId: instance + ':ann', senderName: 'Ann', text, timestamp: new Date().toISOString(), isMention: true,
              isGroup: false });
            remember('cursor', String(at + 1));
          }
          busy = false;
        }, 10);
      },
      async stop() { clearInterval(timer); },
      async deliver({ platformId: chat, text, id, progress }) {
        if (mood() === 'forbidden') return { status: 'failed', retryable: false, error: 'The bot was removed.' };
        if (!progress) appendFileSync(settings.PLACE + '/out', JSON.stringify({ chat, text, id }) + '\\n');
        if (mood() === 'unknown') return { status: 'unknown', error: 'The connection broke.' };
        return { status: 'sent', platformMessageId: id };
      },
      typing() {},
      isChatId: (id) => id.startsWith('dm-'),
      async listChats() { return [{ platformId: 'dm-ann', name: 'Ann', isGroup: false }]; },
    };
  },
  async test({ settings }) {
    const ok = settings.TOKEN === '${TOKEN}';
    return { ok, sentence: ok ? 'The platform knows it as played_bot.' : 'The platform refuses the token.' };
  },
};`;

export function createPlatform(): Platform {
  const place = scratchFolder('nanoclaw-played-');
  const folder = join(place, 'package');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{"name":"played","type":"module"}');
  writeFileSync(join(folder, 'manifest.ts'), MANIFEST);
  writeFileSync(join(folder, 'index.ts'), PLUGIN);
  const out = join(place, 'out');
  return {
    folder,
    settings: `PLACE=${place}\nTOKEN=${TOKEN}\n`,
    post: (chat, text) => appendFileSync(join(place, 'in'), `${JSON.stringify({ chat, text })}\n`),
    sent: () =>
      existsSync(out)
        ? // What is just being written counts when it is whole.
          readFileSync(out, 'utf8')
            .split('\n')
            .slice(0, -1)
            .map((line) => JSON.parse(line))
        : [],
    mood: (word) => writeFileSync(join(place, 'mood'), word),
  };
}
