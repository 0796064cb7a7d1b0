/** By which way sandboxes reach the relay: the socket where it crosses, a network where it doesn't, or what the owner has set. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Sandbox, SandboxExit, Transport } from '../../../src/sandbox/driver.ts';
import type { Listed } from '../containers.ts';
import type { Engine } from '../engine.ts';
import { EngineTrouble } from '../symptoms.ts';
import type { Network, Networks } from './index.ts';

export interface Ways {
  byNetwork(): Promise<boolean>;
  /** For the session's sandbox that was taken over, else for the next one. */
  transport(sessionId: string): Promise<Transport>;
  /** Starts one with what it needs, and takes that away after it. It must not run before `joined` is fulfilled. */
  start(
    sessionId: string,
    launch: (network: Network | undefined, joined: Promise<void>) => Promise<Sandbox>,
  ): Promise<Sandbox>;
  /** What a trial with the socket has said. True: it has to be tried again, by network. */
  heardOfSocket(lines: readonly string[]): Promise<boolean>;
  /** Sandboxes of an earlier host: before they are followed. */
  takeOver(found: readonly Listed[]): Promise<void>;
  /** After that: each with what it was given, as if started here. */
  follow(container: Listed, sandbox: Sandbox): Sandbox;
}

export interface WaysParts {
  networks: Networks;
  /** NANOCLAW_RELAY. */
  setting: string | undefined;
  engine(): Promise<Engine>;
  /** Of which it isn't known whether a socket crosses: a real sandbox tells, before the first start. */
  needsTrial: boolean;
  /** A file: of which engine a trial has found that its socket doesn't cross. The next host needn't try. */
  note: string;
  trial(): Promise<unknown>;
  log: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
}

/** On a container: the name of its network. */
export const NETWORK_LABEL = 'org.nanoclaw.network';

export function createWays({ networks, setting, engine, needsTrial, note, trial, log }: WaysParts): Ways {
  const takenOver = new Map<string, boolean>();
  let isTried = !needsTrial;

  const noted = (): string | undefined => (existsSync(note) ? readFileSync(note, 'utf8') : undefined);

  async function byNetwork(): Promise<boolean> {
    if (setting !== undefined && setting !== 'network' && setting !== 'socket') {
      throw new EngineTrouble({
        code: 'NC_SANDBOX_UNUSABLE',
        reason: `NANOCLAW_RELAY is ${JSON.stringify(setting)}; there are socket and network.`,
        remedy: 'Take it away: what works is found out.',
      });
    }
    if (setting !== undefined) return setting === 'network';
    const { name, sameKernel, http } = await engine();
    return name === 'Docker' && (!sameKernel || noted() === http.socket);
  }

  /** Its end is that of its network as well: a host that has waited for it leaves nothing. */
  function whole(sandbox: Sandbox, network: string): Sandbox {
    const exited = sandbox.exited.then(async (exit) => {
      await networks.leave(network);
      return exit;
    });
    const stop = async (graceMs: number): Promise<SandboxExit> => {
      await sandbox.stop(graceMs);
      return exited;
    };
    return { sessionId: sandbox.sessionId, exited, stop };
  }

  return {
    byNetwork,

    async transport(sessionId) {
      const known = takenOver.get(sessionId);
      if (known === undefined && !isTried) await trial();
      return (known ?? (await byNetwork())) ? networks.place() : 'socket';
    },

    async start(sessionId, launch) {
      if (!(await byNetwork())) return launch(undefined, Promise.resolve());
      await networks.place(); // or a sentence why there can't be one
      const network = await networks.make(sessionId);
      const joined = networks.join(network);
      joined.catch(() => undefined); // whoever waits for it hears of it
      try {
        return whole(await launch(network, joined), network.name);
      } catch (error) {
        await joined.catch(() => undefined);
        await networks.leave(network.name);
        throw error;
      }
    },

    async heardOfSocket(lines) {
      isTried = true;
      if (lines.includes('reach:no')) writeFileSync(note, (await engine()).http.socket);
      else rmSync(note, { force: true });
      return byNetwork();
    },

    async takeOver(found) {
      const names = new Set(found.flatMap(({ labels }) => labels[NETWORK_LABEL] ?? []));
      if (names.size === 0) return;
      try {
        await networks.takeOver(names);
      } catch (error) {
        log('sandboxes of an earlier host stay without their relay', { sandboxes: names.size, error });
      }
    },

    follow({ labels }, sandbox) {
      const network = labels[NETWORK_LABEL];
      takenOver.set(sandbox.sessionId, network !== undefined);
      void sandbox.exited.then(() => takenOver.delete(sandbox.sessionId));
      return network === undefined ? sandbox : whole(sandbox, network);
    },
  };
}
