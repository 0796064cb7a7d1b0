import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isoTime } from '@nanoclaw/protocol';
import { openCentral } from '../src/db/connection.ts';
import { transaction } from '../src/db/group-commit.ts';
import { createSessions } from '../src/db/sessions.ts';
import { CODE, startHost } from '../test/support/host-process.ts';
import { until } from '../test/support/until.ts';
import { distribution, type Row } from './report.ts';

/** From the start of the process to the first message that is on disk. */
export async function bootFigures(): Promise<Row[]> {
  const cold = [];
  for (let i = 0; i < 3; i += 1) {
    cold.push(await boot(0, () => rmSync(join(CODE, '.runtime', 'compile-cache'), { recursive: true, force: true })));
  }
  const warm = [];
  for (let i = 0; i < 10; i += 1) warm.push(await boot());
  const many = [];
  for (let i = 0; i < 5; i += 1) many.push(await boot(1_000));
  const base = warm.toSorted((a, b) => a - b)[5] ?? 0;
  return [
    distribution('boot to first accepted message, compile cache cold', cold, { p50: 400 }),
    distribution('boot to first accepted message, compile cache warm', warm, { p50: 150 }),
    distribution('the same with 1,000 sessions', many, { p50: Math.round(base + 200) }),
  ];
}

async function boot(sessions = 0, before = () => {}): Promise<number> {
  const first = await startHost();
  const { home } = first;
  await first.end();
  if (sessions > 0) fill(home, sessions);
  before();
  const host = await startHost({ home });
  const terminal = await host.terminal();
  const id = terminal.send('/help');
  await until(() => terminal.frames.some((frame) => frame.type === 'accepted' && frame.id === id));
  const ms = performance.now() - host.spawnedAt;
  await host.end();
  rmSync(home, { recursive: true, force: true });
  return ms;
}

export function fill(home: string, count: number): void {
  const db = openCentral({ file: join(home, 'data/v2.db'), backups: join(home, 'data/backups'), now: Date.now() });
  const agent = String(db.prepare('SELECT id FROM agent_groups').get()?.id);
  const now = Date.now();
  transaction(db, () => {
    const sessions = createSessions(db);
    const chat = db.prepare(
      `INSERT INTO messaging_groups (id, channel_type, platform_id, name, created_at) VALUES (?, 'bench', ?, 'x', ?)`,
    );
    for (let i = 0; i < count; i += 1) {
      chat.run(`mg-bench-${i}`, `p${i}`, isoTime(now));
      sessions.ensure(agent, `mg-bench-${i}`, null, now);
    }
  });
  db.close();
}
