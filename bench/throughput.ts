import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isoTime } from '@nanoclaw/protocol';
import { createGroupCommit } from '../src/db/group-commit.ts';
import { createLogger } from '../src/log/index.ts';
import { pathsFor } from '../src/paths.ts';
import { createRoles } from '../src/people/roles.ts';
import { createRouter } from '../src/router.ts';
import { createSessionManager } from '../src/session-manager.ts';
import { createInstall } from '../test/support/central.ts';
import type { Row } from './report.ts';

const SESSIONS = 100;
const SECONDS = 5;
const AHEAD = 200;

/** The inbound path as it is: router, central database with synchronous=FULL, inbound.db of 100 sessions. */
export async function throughputFigures(): Promise<Row[]> {
  using install = createInstall();
  mkdirSync(join(install.root, 'logs'), { recursive: true });
  const log = createLogger({ folder: join(install.root, 'logs'), secrets: () => [] });
  const now = isoTime(Date.now());
  for (let i = 0; i < SESSIONS; i += 1) {
    install.db
      .prepare("INSERT INTO messaging_groups (id, channel_type, platform_id, created_at) VALUES (?, 'bench', ?, ?)")
      .run(`mg-${i}`, `p${i}`, now);
    install.db
      .prepare(
        `INSERT INTO messaging_group_agents (id, messaging_group_id, agent_group_id, engage_mode, engage_pattern, created_at)
         VALUES (?, ?, ?, 'pattern', '.', ?)`,
      )
      .run(`mga-${i}`, `mg-${i}`, install.agentId, now);
    const session = install.sessions.ensure(install.agentId, `mg-${i}`, null, Date.now());
    managerOf(install, []).ensureFolders(session, undefined);
  }
  const errors: unknown[] = [];
  const manager = managerOf(install, errors);
  const dropped = () => ({ acceptance: { status: 'dropped' as const, reason: 'not-decided' }, after() {} });
  const router = createRouter({
    db: install.db,
    commit: createGroupCommit(install.db),
    messages: install.messages,
    sessions: install.sessions,
    roles: createRoles(install.db),
    capabilities: () => ({ threads: false, maxTextLength: 1e6, buttons: false, edits: false }),
    command: () => () => {},
    answer: () => () => {},
    words: [],
    hold: { sender: dropped, chat: dropped },
    takeAttachments: async () => [],
    dropAttachments: async () => {},
    onStored: (session) => manager.publish(session.id),
    log,
  });

  let sent = 0;
  let stored = 0;
  const end = performance.now() + SECONDS * 1000;
  const begun = performance.now();
  const client = async () => {
    while (performance.now() < end) {
      sent += 1;
      const result = await router.accept({
        channelType: 'bench',
        platformId: `p${sent % SESSIONS}`,
        threadId: null,
        platformMessageId: `m${sent}`,
        senderId: 'terminal:owner',
        senderName: 'Owner',
        text: `message ${sent}`,
        timestamp: isoTime(Date.now()),
        isMention: false,
        isGroup: false,
      });
      if (result.status === 'stored') stored += 1;
      // Settled as an agent would, so that the mailboxes keep their usual size.
      if (sent % 1_000 === 0) install.db.exec("UPDATE messages SET status = 'completed' WHERE direction = 'in'");
    }
  };
  await Promise.all(Array.from({ length: AHEAD }, client));
  const seconds = (performance.now() - begun) / 1000;
  const kept = Number(install.db.prepare("SELECT count(*) AS n FROM messages WHERE direction = 'in'").get()?.n);
  const rate = Math.round(stored / seconds);
  const lost = sent - kept;
  return [
    {
      what: `sustained inbound over ${SESSIONS} sessions, published, synchronous=FULL`,
      figure: `${rate} messages/s, ${lost} lost, ${errors.length} errors`,
      budget: '≥ 1,000 messages/s, none lost',
      missed: rate < 1_000 || lost > 0 || errors.length > 0,
    },
  ];
}

function managerOf(install: ReturnType<typeof createInstall>, errors: unknown[]) {
  return createSessionManager({
    paths: pathsFor(install.root),
    db: install.db,
    sessions: install.sessions,
    messages: install.messages,
    deliveries: install.deliveries,
    onPublishError: (_session, error) => errors.push(error) > 0,
  });
}
