import { join } from 'node:path';

/**
 * Where everything of an install lies. Both sockets are relative to the root, so processes change to it first: a Unix
 * socket's path holds 107 bytes, and a deep checkout has to work all the same.
 */
export interface Paths {
  root: string;
  data: string;
  db: string;
  /** The index of what was said; made again from the database at any time. */
  history: string;
  /** The number and hash of the newest row of the audit log, outside of the database. */
  auditHead: string;
  sessions: string;
  /** Files of messages that wait for an approval. */
  held: string;
  /** Settings of accounts on platforms, and what their adapters keep. */
  channels: string;
  /** What lives as long as a host does: sockets of sandboxes, scratch. */
  run: string;
  cliSocket: string;
  adminSocket: string;
  logs: string;
  groups: string;
  backups: string;
  env: string;
}

export function pathsFor(root: string): Paths {
  const data = join(root, 'data');
  return {
    root,
    data,
    db: join(data, 'v2.db'),
    history: join(data, 'history.db'),
    auditHead: join(data, 'audit-head'),
    sessions: join(data, 'v2-sessions'),
    held: join(data, 'held'),
    channels: join(data, 'channels'),
    run: join(data, 'run'),
    cliSocket: 'data/cli.sock',
    adminSocket: 'data/ncl.sock',
    logs: join(root, 'logs'),
    groups: join(root, 'groups'),
    backups: join(data, 'backups'),
    env: join(root, '.env'),
  };
}
