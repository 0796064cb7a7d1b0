import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, linkSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { until } from '../support/until.ts';
import type { HostileCase } from './case.ts';
import { beside, nextSeq, offer, own, say } from './plant.ts';
import type { Heard, Place } from './stage.ts';

/** Files that go along with a message. Each ends in the message with a word on the file, or in a file that is harmless. */

const COULD_NOT = /could not be sent/;

/** The message comes, and says of the file what is wrong with it. */
function notSent(name: string, about: string, wrong: RegExp, make: Make, file = 'file', root = false): HostileCase {
  return {
    ...offered(name, about, [file], make),
    root,
    check(heard) {
      if (!COULD_NOT.test(heard.text) || !wrong.test(heard.text))
        throw new Error(`it said ${JSON.stringify(heard.text)}`);
      if (heard.files.length > 0) throw new Error(`${heard.files.length} files came`);
    },
  };
}

type Make = (folder: string, place: Place) => void;

function offered(name: string, about: string, files: readonly string[], make: Make): HostileCase {
  return {
    name,
    about,
    workS: null,
    told: /^Here is offer-/,
    withinMs: 20_000,
    plant: (place) => void offer(place, files, (folder) => make(folder, place)),
    check: (heard) => onlySafe(heard),
  };
}

/** The file comes under a name that can be taken for nothing else. */
function renamed(name: string, about: string, file: string, becomes: string | RegExp): HostileCase {
  return {
    ...offered(name, about, [file], (folder, place) => {
      writeFileSync(join(folder, file), 'harmless');
      own(place, join(folder, file));
    }),
    check(heard) {
      const came = heard.files.map((each) => each.name).join();
      const right = typeof becomes === 'string' ? came === becomes : becomes.test(came);
      if (!right || heard.files[0]?.bytes !== 'harmless') throw new Error(`came as ${JSON.stringify(came)}`);
    },
  };
}

function onlySafe(heard: Heard): void {
  for (const { name } of heard.files) {
    if (/[/\\\p{Cc}\p{Cf}]|^[.-]/u.test(name)) throw new Error(`a file came as ${JSON.stringify(name)}`);
  }
}

const kinds: HostileCase[] = [
  notSent('a file that is a link', "A link to the host's secret.", /link/, (at, { secret }) =>
    symlinkSync(secret, join(at, 'file')),
  ),
  notSent('a file that is a link to /etc/shadow', 'A link to a file of root.', /link/, (at) =>
    symlinkSync('/etc/shadow', join(at, 'file')),
  ),
  notSent(
    'a file that is a hard link',
    "Another name of the host's secret.",
    /second name/,
    (at, { secret }) => linkSync(secret, join(at, 'file')),
    'file',
    true,
  ),
  notSent('a file that is a FIFO', 'A pipe, which holds up whoever opens it.', /regular/, (at) => {
    execFileSync('mkfifo', [join(at, 'file')]);
  }),
  notSent(
    'a file that is a device',
    'The device /dev/zero.',
    /regular/,
    (at) => void execFileSync('mknod', [join(at, 'file'), 'c', '1', '5']),
    'file',
    true,
  ),
  notSent('a file that is a folder', 'A folder in its place.', /regular|file/, (at) => mkdirSync(join(at, 'file'))),
  notSent('a file of 900 GB', 'A sparse file, which costs its maker nothing.', /bytes/, (at) => {
    writeFileSync(join(at, 'file'), '');
    truncateSync(join(at, 'file'), 900 * 2 ** 30);
  }),
  notSent('a file that is not there', 'A name for nothing.', /no such file/, () => {}),
];

const paths: HostileCase[] = [
  notSent(
    'a path with ..',
    'A name that leads out of the outbox.',
    /not the name/,
    () => {},
    '../../../inbound/inbound.db',
  ),
  notSent('an absolute path', 'A name that begins at the root.', /not the name/, () => {}, '/etc/shadow'),
  notSent('no name', 'A name without a character.', /not the name/, () => {}, ''),
  notSent(
    'a name with NUL',
    'A name that ends early for whoever reads it in C.',
    /not the name/,
    () => {},
    'file\0.txt',
  ),
  notSent(
    'a folder that is a link',
    "The message's own folder leads to the host's.",
    /link/,
    (at, { secret }) => {
      rmSync(at, { recursive: true });
      symlinkSync(dirname(secret), at);
    },
    'secret',
  ),
  {
    ...notSent(
      'an outbox that is a link',
      "The outbox leads to the neighbour's box.",
      /link/,
      (at, place) => {
        rmSync(place.outbox, { recursive: true });
        symlinkSync(dirname(place.neighbourBox), place.outbox);
        void at;
      },
      'keep.txt',
    ),
    async check(heard, place) {
      if (!COULD_NOT.test(heard.text)) throw new Error(heard.text);
      rmSync(place.outbox);
    },
  },
];

const names: HostileCase[] = [
  renamed('a name of two lines', 'A line break in a name.', 'a\nb.txt', 'ab.txt'),
  renamed('a name that clears the screen', 'An escape sequence in a name.', 'a\u001b[2Jb.txt', 'a[2Jb.txt'),
  renamed(
    'a name that turns round',
    'invoice, fdp.exe and a mark to read it from the right.',
    'invoice\u202Efdp.exe',
    'invoicefdp.exe',
  ),
  renamed('a name that Windows keeps', 'The name of a device, with an extension.', 'CON.txt', '_CON.txt'),
  renamed('a name with a colon', 'A stream of another file, on Windows.', 'a.txt:hidden.exe', 'a.txt_hidden.exe'),
  renamed('a name of 255 bytes', 'As long as a file system has it.', `${'ü'.repeat(125)}.txt`, /^ü+\.txt$/),
  renamed('a hidden name', 'A name that a folder does not show.', '.bashrc', 'bashrc'),
  renamed('a name like an option', 'A name that a program takes for an option.', '-rf', 'rf'),
  renamed('a name for a shell', 'Quotes, dollars and semicolons.', '$(reboot);`x`.sh', '_(reboot)__x_.sh'),
];

const racing: HostileCase[] = [
  {
    ...offered(
      'a file that changes',
      'A process swaps the file for a link to the secret and back, in a loop.',
      ['file'],
      () => {},
    ),
    plant(place) {
      writeFileSync(join(place.box, 'right'), 'harmless');
      own(place, join(place.box, 'right'));
      offer(place, ['file'], (folder) => {
        own(place, folder);
        const at = folder.slice(place.box.length + 1);
        const swap = `cp ../../right x; mv x file; ln -s ${place.secret} y; mv y file`;
        place.run(`cd ${at}; while kill -0 $RUNNER; do ${swap}; done 2> /dev/null`);
      });
    },
    check(heard) {
      const [file] = heard.files;
      if (file ? file.bytes !== 'harmless' : !COULD_NOT.test(heard.text)) throw new Error(JSON.stringify(heard));
    },
  },
  {
    ...offered('a file that grows', 'A process appends to the file all the time.', ['file'], () => {}),
    plant(place) {
      offer(place, ['file'], (folder) => {
        const at = folder.slice(place.box.length + 1);
        place.run(`cd ${at}; for i in $(seq 100); do head -c 2M /dev/zero >> file; done`);
        writeFileSync(join(folder, 'file'), 'x');
        own(place, join(folder, 'file'));
      });
    },
    check(heard) {
      if (heard.files.some(({ size }) => size > 100 * 2 ** 20)) throw new Error('too large');
    },
  },
];

const crowds: HostileCase[] = [
  {
    ...offered(
      'folders in folders',
      'Sixty of them, each with a name of 200 characters: no path is long enough.',
      ['file'],
      () => {},
    ),
    prepare: (place) =>
      place.finish(`mkdir -p outbox/deep; cd outbox/deep; : > file
        n=$(printf 'd%.0s' $(seq 200)); for i in $(seq 60); do mkdir $n; cd $n || exit 1; done`),
    plant: (place) =>
      beside(place, (db) => say(db, 'deep', nextSeq(1), { content: '{"text":"Here is offer-deep","files":["file"]}' })),
    check: (_, place) => until(() => !existsSync(join(place.outbox, 'deep'))),
  },
  {
    ...offered('a hundred thousand files', "All of them in one message's folder, to be cleared away.", ['1'], () => {}),
    slow: true,
    prepare: (place) => place.finish('mkdir -p outbox/crowd; cd outbox/crowd; seq 100000 | xargs touch'),
    plant: (place) =>
      beside(place, (db) => say(db, 'crowd', nextSeq(1), { content: '{"text":"Here is offer-crowd","files":["1"]}' })),
    check: (_, place) => until(() => !existsSync(join(place.outbox, 'crowd')), 120_000),
  },
  {
    ...offered(
      'a folder without rights',
      'The agent takes from itself what the host needs to clear up.',
      ['file'],
      (folder, place) => {
        writeFileSync(join(folder, 'file'), 'harmless');
        mkdirSync(join(folder, 'inner'));
        for (const name of ['file', 'inner']) own(place, join(folder, name));
        chmodSync(join(folder, 'inner'), 0);
        chmodSync(folder, 0);
      },
    ),
    check: (_, place) => until(() => !existsSync(join(place.outbox, 'inner'))),
  },
];

export const outboxCases: readonly HostileCase[] = [...kinds, ...paths, ...names, ...racing, ...crowds];
