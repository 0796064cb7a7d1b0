import assert from 'node:assert/strict';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { publishInbound } from '../src/mailbox/inbound.ts';
import type { InboundImage } from './inbound-image.ts';
import type { MessageInRow } from './rows.ts';
import { nextHostSeq, nextRunnerSeq } from './sequence.ts';
import { imageOf, messageIn } from './test/inbound.ts';
import { insertMessage, numberOf, openOutbound, testFolder } from './test/outbound.ts';
import { startScript } from './test/process.ts';
import { catalogAt, INBOUND_STEPS, readCatalog } from './upgrade.ts';

const root = testFolder();

function folderFor(name: string): string {
  const folder = join(root, name);
  mkdirSync(folder);
  return folder;
}

/** As the runner does: a published file never changes, so it needs no lock. */
function openPublished(folder: string): DatabaseSync {
  return new DatabaseSync(`file:${join(folder, 'inbound.db')}?immutable=1`, { readOnly: true });
}

test('what is published is what the runner reads', () => {
  const folder = folderFor('all');
  const messages = [
    messageIn(2, 'plain'),
    messageIn(4, '👩‍👩‍👧 \u0000 \ud800 </message>', {
      tries: 3,
      trigger: 0,
      process_after: '2026-01-01T00:00:00.000Z',
    }),
  ];
  const image: InboundImage = {
    messages,
    delivered: [{ message_out_id: 'o1', status: 'failed', platform_message_id: null, error: 'gone', at: '2026' }],
    receivedSeq: 7,
    destinations: [
      {
        name: 'home',
        display_name: 'Home',
        type: 'channel',
        channel_type: 'terminal',
        platform_id: 'p',
        agent_group_id: null,
      },
    ],
    routing: { channel_type: 'terminal', platform_id: 'p', thread_id: null },
  };
  publishInbound(folder, image);
  const db = openPublished(folder);
  const all = (table: string) =>
    db
      .prepare(`SELECT * FROM ${table}`)
      .all()
      .map((row) => ({ ...row }));
  assert.deepEqual(all('messages_in'), messages);
  assert.deepEqual(all('delivered'), image.delivered);
  assert.deepEqual(all('received'), [{ id: 1, seq: 7 }]);
  assert.deepEqual(all('destinations'), image.destinations);
  assert.deepEqual(all('session_routing'), [{ id: 1, ...image.routing }]);
  assert.deepEqual(readCatalog(db), catalogAt(INBOUND_STEPS.length, INBOUND_STEPS));
  db.close();
  const text = JSON.parse(messages[1]?.content ?? '').text;
  assert.equal(text, '👩‍👩‍👧 \u0000 \ud800 </message>', 'JSON carries every text through SQLite');
});

test('anybody may read it, whatever the umask', () => {
  const folder = folderFor('mode');
  const before = process.umask(0o077);
  publishInbound(folder, imageOf([]));
  process.umask(before);
  assert.equal(statSync(join(folder, 'inbound.db')).mode & 0o777, 0o644);
});

test('reads under publishing at full speed: never a torn one, never backwards', async (t) => {
  const folder = folderFor('load');
  publishInbound(folder, imageOf([messageIn(2, '0')]));
  const publisher = startScript('publisher', folder);
  let highest = 0;
  let reads = 0;
  const deadline = Date.now() + 30_000;
  while ((reads < 500 || highest < 200) && Date.now() < deadline) {
    const db = openPublished(folder);
    const rows = db.prepare('SELECT seq, content FROM messages_in ORDER BY seq').all();
    const received = numberOf(db, 'SELECT seq FROM received');
    db.close();
    // Every row of an image carries the number that `received` has.
    for (const row of rows) assert.equal(JSON.parse(String(row.content)).text, String(received));
    assert.ok(received >= highest, 'time runs forward');
    highest = received;
    reads++;
  }
  publisher.child.kill('SIGKILL');
  await publisher.ended;
  t.diagnostic?.(`${reads} reads, 0 torn, over ${highest} publications`);
  assert.ok(reads >= 500 && highest >= 200);
});

test('a mailbox stays small over 100,000 messages', (t) => {
  const folder = folderFor('small');
  const outboundFile = join(folder, 'outbound.db');
  const outbound = openOutbound(outboundFile);
  // What is at stake is the size; a disk that is asked 5,000 times to sync would only make this slow.
  outbound.exec('PRAGMA synchronous = OFF');
  const perTurn = 20;
  let context: MessageInRow[] = [];
  let [hostSeq, runnerSeq, inboundBytes, outboundBytes] = [0, 0, 0, 0];
  for (let turn = 0; turn < 100_000 / perTurn; turn++) {
    const fresh: MessageInRow[] = [];
    while (fresh.length < perTurn) {
      hostSeq = nextHostSeq(hostSeq);
      fresh.push(messageIn(hostSeq, `message ${hostSeq} with some words in it`));
    }
    // Unsettled messages and the newest context; what the host has taken over is named in `received`.
    publishInbound(folder, { ...imageOf([...context, ...fresh]), receivedSeq: runnerSeq });
    outbound.exec('BEGIN IMMEDIATE');
    outbound.prepare('DELETE FROM messages_out WHERE seq <= ?').run(runnerSeq);
    outbound.exec('DELETE FROM processing_ack');
    const acknowledge = outbound.prepare(
      "INSERT INTO processing_ack (message_id, status, status_changed) VALUES (?, 'completed', '2026')",
    );
    for (const message of fresh) acknowledge.run(message.id);
    runnerSeq = nextRunnerSeq(hostSeq, runnerSeq);
    insertMessage(outbound, `o${runnerSeq}`, runnerSeq, 'an answer of a few words');
    outbound.exec('COMMIT');
    context = fresh.map((message) => ({ ...message, trigger: 0 as const }));
    inboundBytes = Math.max(inboundBytes, statSync(join(folder, 'inbound.db')).size);
    outboundBytes = Math.max(outboundBytes, statSync(outboundFile).size);
  }
  outbound.close();
  t.diagnostic?.(`at most ${inboundBytes} bytes in, ${outboundBytes} bytes out`);
  assert.equal(hostSeq, 200_000);
  assert.ok(inboundBytes <= 96 * 1024, `${inboundBytes} bytes in`);
  assert.ok(outboundBytes <= 96 * 1024, `${outboundBytes} bytes out`);
});
