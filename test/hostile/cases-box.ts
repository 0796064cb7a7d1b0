import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/until.ts';
import { AGAIN, ANSWERED, type HostileCase } from './case.ts';
import { inPlaceOf } from './plant.ts';
import type { Place } from './stage.ts';

/** What can lie in the folders around the mailbox, and what can be done to all of it at once. */

/** A sandbox that looks dead may be ended; one that is repaired in time answers. */
const EITHER = /^I waited|got stuck|Something broke/;

function heartbeat(name: string, about: string, make: (at: string, place: Place) => void): HostileCase {
  const plant = (place: Place) => inPlaceOf(place, join(place.box, '.heartbeat'), (at) => make(at, place));
  return { name, about, workS: 1.6, told: EITHER, plant };
}

function dated(name: string, about: string, time: Date): HostileCase {
  return {
    name,
    about,
    workS: 1.6,
    told: EITHER,
    plant: (place) => utimesSync(join(place.box, '.heartbeat'), time, time),
  };
}

const heartbeats: HostileCase[] = [
  heartbeat(
    'a heartbeat that is a FIFO',
    'A pipe, which holds up whoever opens it.',
    (at) => void execFileSync('mkfifo', [at]),
  ),
  heartbeat(
    'a heartbeat that is a link',
    'A link to the secret: to touch it would be to write there.',
    (at, { secret }) => symlinkSync(secret, at),
  ),
  heartbeat('a heartbeat that is a folder', 'A folder, with things in it.', (at) =>
    mkdirSync(join(at, 'x', 'y'), { recursive: true }),
  ),
  dated('a heartbeat of 1970', 'A time long ago.', new Date(0)),
  dated('a heartbeat of 2100', 'A time to come: a runner that will look alive for ever.', new Date('2100-01-01')),
];

const storms: HostileCase[] = [
  {
    name: 'a storm of notifications',
    about: 'A process touches files in the box as fast as it can.',
    workS: 1.6,
    told: ANSWERED,
    plant: (place) => void place.run('while kill -0 $RUNNER; do for i in 1 2 3 4 5 6 7 8; do : > s$i; done; done'),
  },
  {
    name: 'a storm of renames',
    about: 'A process renames things in the box as fast as it can.',
    workS: 1.6,
    told: ANSWERED,
    plant: (place) => void place.run('cd outbox; : > a; while kill -0 $RUNNER; do mv a ../b; mv ../b a; done'),
  },
  {
    name: 'a storm of commits',
    about: 'A file of 20 MB, and another commit as soon as one is through: each has to be copied.',
    workS: 1.6,
    told: ANSWERED,
    async plant(place) {
      const script = `const { DatabaseSync } = require('node:sqlite'); const db = new DatabaseSync('outbound.db');
        db.exec("PRAGMA busy_timeout = 5000; PRAGMA synchronous = OFF");
        db.exec("INSERT OR REPLACE INTO session_state VALUES ('big', hex(zeroblob(10000000)), '2026-01-01T00:00:00.000Z')");
        const end = Date.now() + 2500; while (Date.now() < end) {
          db.exec("INSERT OR REPLACE INTO session_state VALUES ('n', '" + Date.now() + "', '2026-01-01T00:00:00.000Z')");
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4); }
        db.exec("DELETE FROM session_state WHERE key = 'big'; PRAGMA incremental_vacuum")`;
      writeFileSync(join(place.box, 'storm.cjs'), script);
      place.runNode('storm.cjs');
    },
  },
];

const whole: HostileCase[] = [
  {
    name: 'an empty box',
    about: 'Everything in the box is removed at once.',
    workS: 0.4,
    told: AGAIN,
    plant: (place) => place.finish('rm -rf -- * .[!.]* 2> /dev/null; true'),
  },
  {
    name: 'a box full of names',
    about: 'Twenty thousand files beside the mailbox.',
    workS: 0.4,
    told: ANSWERED,
    plant: (place) => place.finish('mkdir -p crowd; cd crowd; seq 20000 | xargs touch; mv * ..'),
  },
  {
    name: 'its inbound folder',
    about: 'From inside: to write to what the host publishes, to move it, to put a file beside it.',
    workS: null,
    told: /\(exit code [1-9]/,
    plant(place) {
      const tries = [
        'touch /workspace/inbound/x',
        'rm -f /workspace/inbound/inbound.db',
        'mv /workspace/inbound /workspace/y',
      ];
      place.send(
        `run ${tries.map((each) => `if ${each}; then echo done it; fi`).join('; ')}; chmod 777 /workspace/inbound`,
      );
    },
    check(heard, place) {
      if (/done it/.test(heard.text)) throw new Error(heard.text);
      readFileSync(join(place.session, 'inbound/inbound.db'));
    },
  },
  {
    name: 'no rights at all',
    about: 'The agent takes every right from its own box, from inside.',
    workS: null,
    told: /^and back/m,
    plant: (place) => void place.send('run chmod 000 /workspace; sleep 1; chmod 700 /workspace; echo and back'),
  },
  {
    name: "the agent's own folder, full of traps",
    about: 'Its memory is a FIFO, and beside it lie 900 GB of nothing and a link to itself.',
    workS: null,
    told: /^ok$/m,
    async plant(place) {
      place.send('run rm -f CLAUDE.local.md; mkfifo CLAUDE.local.md; truncate -s 900G void; ln -s self self; echo ok');
    },
    check(_, place) {
      rmSync(join(place.groupFolder, 'CLAUDE.local.md'), { force: true });
      rmSync(join(place.groupFolder, 'void'), { force: true });
    },
  },
  {
    name: 'a home full of traps',
    about: 'FIFOs and links where the harness keeps its own state; then the runner dies.',
    workS: 0.4,
    told: AGAIN,
    async plant(place) {
      await place.finish(
        'cd ../claude; mkfifo settings.json; ln -s /etc/shadow .credentials.json; ln -s self self; mkdir -p projects',
      );
      place.killRunner();
    },
  },
  {
    name: 'no session folder',
    about: 'Somebody deletes the whole of it, under the running host.',
    workS: 0.4,
    told: AGAIN,
    plant: (place) => rmSync(place.session, { recursive: true, force: true }),
    check: (_, place) => until(() => existsSync(join(place.session, 'inbound/inbound.db'))),
  },
  {
    name: 'no session folder, and a long turn',
    about: 'The same, with a turn that has run for seconds.',
    workS: 4,
    slow: true,
    withinMs: 15_000,
    told: AGAIN,
    async plant(place) {
      await new Promise((resolve) => setTimeout(resolve, 2500));
      rmSync(place.session, { recursive: true, force: true });
    },
  },
];

export const boxCases: readonly HostileCase[] = [...heartbeats, ...storms, ...whole];
