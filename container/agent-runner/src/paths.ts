import { join } from 'node:path';
import { INSIDE } from '@nanoclaw/protocol';

/** Every place that the runner touches. Tests lay them out below a folder of their own. */
export interface RunnerPaths {
  outboundDb: string;
  heartbeat: string;
  outbox: string;
  conversations: string;
  inbound: string;
  inboundDb: string;
  /** The agent's folder: its working directory and its memory. */
  agent: string;
  extra: string;
  containerJson: string;
  instructions: string;
  skills: string;
  proxySocket: string;
  relayToken: string;
  relay: { host: string; port: number };
  proxyPort: number;
  /** Holds `<name>/runner.ts`. */
  providers: string;
}

/** The paths of a sandbox, or the same below `root`. */
export function runnerPaths(root = ''): RunnerPaths {
  const under = (path: string) => join('/', root, path);
  return {
    outboundDb: under(INSIDE.outboundDb),
    heartbeat: under(INSIDE.heartbeat),
    outbox: under(INSIDE.outbox),
    conversations: under(INSIDE.conversations),
    inbound: under(INSIDE.inbound),
    inboundDb: under(INSIDE.inboundDb),
    agent: under(INSIDE.agent),
    extra: under(INSIDE.extra),
    containerJson: under(INSIDE.containerJson),
    instructions: under(INSIDE.instructions),
    skills: under(INSIDE.skills),
    proxySocket: under(INSIDE.proxySocket),
    relayToken: under(INSIDE.relayToken),
    relay: INSIDE.relay,
    proxyPort: INSIDE.proxyPort,
    providers: join(import.meta.dirname, '../../../providers'),
  };
}
