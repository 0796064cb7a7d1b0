/** What is done with containers, in the engine's own calls. Refusals are thrown as what they mean. */
import { addAbortSignal, type Duplex, type Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { ContainerBody } from './body.ts';
import type { Engine } from './engine.ts';
import type { Reply } from './http.ts';
import { refuseConfig } from './image-config.ts';
import { killedForMemory } from './killed-for-memory.ts';
import type { BridgeBody } from './network/bridge.ts';
import { EngineTrouble, messageOf, refused } from './symptoms.ts';

export interface Ending {
  code: number;
  outOfMemory: boolean;
  /** Whether the engine would know that it was. */
  hearsOutOfMemory: boolean;
}

export interface Listed {
  id: string;
  labels: Readonly<Record<string, string>>;
  running: boolean;
  /** Since the epoch, by the engine's clock. */
  createdMs: number;
}

export type Containers = ReturnType<typeof createContainers>;

const created = z.object({ Id: z.string() });
const listed = z.array(
  z
    .object({
      Id: z.string(),
      State: z.string(),
      Labels: z.record(z.string(), z.string()).nullish(),
      Created: z.number().default(0),
    })
    .transform(({ Id, State, Labels, Created }) => ({
      id: Id,
      labels: Labels ?? {},
      running: State === 'running',
      createdMs: Created * 1000,
    })),
);
const inspected = z.object({
  State: z.object({
    Running: z.boolean(),
    ExitCode: z.number(),
    Pid: z.number().default(0),
    OOMKilled: z.boolean().default(false),
  }),
});

const configured = z.object({
  Config: z
    .object({ Volumes: z.record(z.string(), z.unknown()).nullish(), Env: z.array(z.string()).nullish() })
    .nullish(),
});

/** Docker says it where Podman says something of no use, and the other way round. */
const madeWith = z.object({
  OCIRuntime: z.string().optional(),
  HostConfig: z.object({ Runtime: z.string().default('') }).default({ Runtime: '' }),
});

/** A host that begins waits for it. */
const LIST_TIMEOUT_MS = 15_000;
/** For a start or a removal: an engine under load takes its time. */
const SLOWEST_MS = 60_000;
/** For the end of a container that came by itself, while it was asked for. */
const ENDING_TRIES = 50;
const ENDING_MS = 100;

/** Podman refuses to remove what ended between its look and its kill. */
const endsJustNow = (reply: Reply): boolean =>
  reply.status === 500 && messageOf(reply).includes('container state improper');

export function createContainers({ http, prefix, name }: Engine, image: string) {
  const at = (id: string, action: string): string => `${prefix}/containers/${id}/${action}`;
  const isReply = (answer: object): answer is Reply => 'status' in answer && 'body' in answer;

  async function expect(reply: Promise<Reply>, ...statuses: number[]): Promise<Reply> {
    const { status, body } = await reply;
    if (!statuses.includes(status)) throw refused({ status, body }, image);
    return { status, body };
  }

  return {
    /** Rejects with what is wrong with it. At each start: by the next one its name may be another one's. */
    async checkImage(): Promise<void> {
      const path = `${prefix}/images/${encodeURIComponent(image)}/json`;
      const { body } = await expect(http.call('GET', path, { timeoutMs: SLOWEST_MS }), 200);
      const { Config } = configured.parse(body);
      const unfit = refuseConfig(image, { volumes: Object.keys(Config?.Volumes ?? {}), env: Config?.Env ?? [] });
      if (unfit) throw new EngineTrouble(unfit);
    },

    async create(called: string, body: ContainerBody | BridgeBody): Promise<string> {
      const path = `${prefix}/containers/create?name=${encodeURIComponent(called)}`;
      const reply = await expect(http.call('POST', path, { body, timeoutMs: SLOWEST_MS }), 201);
      return created.parse(reply.body).Id;
    },

    /** Its input and output, both in one; before the start, or what it prints first is lost. */
    async attach(id: string, signal: AbortSignal): Promise<Duplex> {
      const answer = await http.upgrade(at(id, 'attach?stream=1&stdin=1&stdout=1&stderr=1'), SLOWEST_MS);
      if (isReply(answer)) throw refused(answer, image);
      return addAbortSignal(signal, answer);
    },

    /** Its output from this time on, until it ends. */
    async logs(id: string, sinceMs: number, signal: AbortSignal): Promise<Readable> {
      const since = (sinceMs / 1000).toFixed(6);
      const answer = await http.open(at(id, `logs?stdout=1&stderr=1&follow=1&since=${since}`), signal);
      if (isReply(answer)) throw refused(answer, image);
      return addAbortSignal(signal, answer);
    },

    async start(id: string): Promise<void> {
      await expect(http.call('POST', at(id, 'start'), { timeoutMs: SLOWEST_MS }), 204, 304);
    },

    /** Not running any more is fine; whether it ended is told by `ending` alone. */
    async kill(id: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
      await expect(http.call('POST', at(id, `kill?signal=${signal}`)), 204, 404, 409, 500);
    },

    /** Waits for its end. Null: there is no such container any more. */
    async ending(id: string, signal: AbortSignal): Promise<Ending | null> {
      for (;;) {
        const waited = await expect(http.call('POST', at(id, 'wait?condition=not-running'), { signal }), 200, 404);
        if (waited.status === 404) return null;
        const looked = await expect(http.call('GET', at(id, 'json'), { signal }), 200, 404);
        if (looked.status === 404) return null;
        const { Running, ExitCode, OOMKilled } = inspected.parse(looked.body).State;
        if (!Running) return { code: ExitCode, outOfMemory: OOMKilled, hearsOutOfMemory: name === 'Docker' };
      }
    },

    /** Whether the engine answers at all. */
    async ping(signal: AbortSignal): Promise<void> {
      await expect(http.call('GET', `${prefix}/_ping`, { signal }), 200);
    },

    /** Of its first process, on the engine's machine; 0 when it doesn't run. */
    async pid(id: string, signal?: AbortSignal): Promise<number> {
      const { body } = await expect(http.call('GET', at(id, 'json'), { signal, timeoutMs: SLOWEST_MS }), 200);
      return inspected.parse(body).State.Pid;
    },

    /** The OCI runtime that it was made with, as the engine knows it. */
    async ociRuntime(id: string): Promise<string> {
      const path = name === 'Docker' ? at(id, 'json') : `/v4.0.0/libpod/containers/${id}/json`;
      const { body } = await expect(http.call('GET', path), 200);
      const { OCIRuntime, HostConfig } = madeWith.parse(body);
      return OCIRuntime ?? HostConfig.Runtime;
    },

    /** For an engine that seldom hears of it itself. */
    async memoryCounter(id: string, signal: AbortSignal): Promise<(() => number | null) | null> {
      return name === 'Docker' ? null : killedForMemory(await this.pid(id, signal), id);
    },

    /** Whatever state it is in. Gone already is fine, and so is that somebody is at it. */
    async remove(id: string): Promise<void> {
      // Without a time Podman asks it to end, and waits.
      const path = `${prefix}/containers/${id}?force=1&v=1&timeout=0`;
      const ask = () => http.call('DELETE', path, { timeoutMs: SLOWEST_MS });
      let reply = await ask();
      for (let tries = 0; tries < ENDING_TRIES && endsJustNow(reply); tries += 1) {
        await pause(ENDING_MS);
        reply = await ask();
      }
      await expect(Promise.resolve(reply), 200, 204, 404, 409);
    },

    /** Those with exactly this label: looked at here as well, since a filter that an engine doesn't know finds all. */
    async list(label: string, value: string): Promise<Listed[]> {
      const filters = encodeURIComponent(JSON.stringify({ label: [`${label}=${value}`] }));
      const path = `${prefix}/containers/json?all=1&filters=${filters}`;
      const reply = await expect(http.call('GET', path, { timeoutMs: LIST_TIMEOUT_MS }), 200);
      return listed.parse(reply.body).filter(({ labels }) => labels[label] === value);
    },
  };
}
