import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type CredentialUse,
  createRelay,
  type Door,
  type EgressRecord,
  openDoor,
  type Relay,
  VaultError,
} from '@nanoclaw/vault';
import type { Session } from '../db/sessions.ts';
import { NanoError } from '../errors.ts';
import type { AgentGroup } from '../groups/agent-groups.ts';
import type { Logger } from '../log/index.ts';
import type { SandboxDriver } from '../sandbox/driver.ts';
import type { Credential, Env, HostProvider } from './contract.ts';

/** The providers of this checkout, each with the relay in front of its model, and the sockets of running sessions. */

export interface ProvidersOptions {
  root: string;
  /** As it is now. */
  env(): Env;
  driver: Pick<SandboxDriver, 'transport'>;
  onEgress(record: EgressRecord): void;
  onCredential(use: CredentialUse): void;
  log: Logger;
}

export interface Providers {
  /** Throws NC_PROVIDER_MISSING or NC_CREDENTIAL_MISSING. */
  get(name: string): Promise<HostProvider>;
  credential(provider: HostProvider): Credential | undefined;
  /** All credentials that the logs must never show. */
  secrets(): string[];
  openSession(
    provider: HostProvider,
    session: Session,
    agent: AgentGroup,
    socketPath: string,
    uid: number | undefined,
  ): Promise<void>;
  closeSession(session: Session): Promise<void>;
  /** Whether the model can be reached. */
  probe(provider: HostProvider): ReturnType<Relay['probe']>;
  stop(): Promise<void>;
}

/** For a provider that calls nobody: the relay still carries the web. */
const NOWHERE = new URL('http://model.invalid');

export function createProviders({ root, env, driver, onEgress, onCredential, log }: ProvidersOptions): Providers {
  const loaded = new Map<string, HostProvider>();
  const relays = new Map<string, Relay>();
  const open = new Map<string, Relay>();
  const doors = new Map<string, Promise<Door>>();

  /** One for each address: what runs keeps the one that it has. */
  function relayFor(provider: HostProvider): Relay {
    const upstream = inHostsWords(() => provider.upstream(env()) ?? NOWHERE);
    const key = `${provider.name} ${upstream}`;
    let relay = relays.get(key);
    if (!relay) {
      relay = inHostsWords(() =>
        createRelay({
          upstream,
          credential: () => provider.credentialFromEnv(env()),
          onEgress,
          onCredential,
          log: (level, message, fields) => log[level](message, fields),
        }),
      );
      relays.set(key, relay);
    }
    return relay;
  }

  /** One for each place: those who come in say whose they are. */
  async function doorFor(sessionId: string): Promise<Door | undefined> {
    const place = await driver.transport?.(sessionId);
    if (place === undefined || place === 'socket') return undefined;
    const key = `${place.host} ${place.port}`;
    const door = doors.get(key) ?? inHostsWords(() => openDoor(place));
    doors.set(key, door);
    door.catch(() => doors.delete(key));
    return door;
  }

  return {
    async get(name) {
      const provider = loaded.get(name) ?? (await loadProvider(root, name));
      loaded.set(name, provider);
      if (!provider.installed(root)) throw new NanoError('NC_PROVIDER_MISSING', `It is ${name}.`);
      if (provider.needsCredential && !provider.credentialFromEnv(env())) {
        throw new NanoError('NC_CREDENTIAL_MISSING', `It is ${provider.displayName}.`);
      }
      return provider;
    },
    credential: (provider) => provider.credentialFromEnv(env()),
    secrets: () => [...loaded.values()].flatMap((provider) => provider.credentialFromEnv(env())?.secret ?? []),
    async openSession(provider, session, agent, socketPath, uid) {
      const relay = relayFor(provider);
      const door = await doorFor(session.id);
      await inHostsWords(() =>
        relay.open({
          sessionId: session.id,
          agentGroupId: agent.id,
          socketPath,
          egress: agent.egress,
          allow: agent.egressAllow,
          ...(uid !== undefined && { uid }),
          ...(door && { door }),
        }),
      );
      open.set(session.id, relay);
    },
    async closeSession(session) {
      const relay = open.get(session.id);
      open.delete(session.id);
      await relay?.close(session.id);
    },
    probe: (provider) => relayFor(provider).probe(),
    async stop() {
      await Promise.all([...relays.values()].map((relay) => relay.stop()));
      await Promise.allSettled([...doors.values()].map(async (door) => (await door).close()));
    },
  };
}

/** Loads `providers/<name>/host.ts`. Throws NC_PROVIDER_MISSING when this checkout has none of that name. */
export async function loadProvider(root: string, name: string): Promise<HostProvider> {
  const file = join(root, 'providers', name, 'host.ts');
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(name) || !existsSync(file)) {
    throw new NanoError('NC_PROVIDER_MISSING', `There is no provider ${JSON.stringify(name)} in this checkout.`);
  }
  const module = (await import(pathToFileURL(file).href)) as { hostProvider: HostProvider };
  return module.hostProvider;
}

/** The vault stands apart from the host and its table of errors; the codes are the same. */
function inHostsWords<T>(work: () => T): T {
  const translate = (error: unknown): never => {
    throw error instanceof VaultError ? new NanoError(error.code, error.message, { cause: error }) : error;
  };
  try {
    const result = work();
    return result instanceof Promise ? (result.catch(translate) as T) : result;
  } catch (error) {
    return translate(error);
  }
}
