/** What is done with containers, in the engine's own calls. Refusals are thrown as what they mean. */
import type { Duplex, Readable } from 'node:stream';
import { z } from 'zod';
import type { ContainerBody } from './body.ts';
import type { Engine } from './engine.ts';
import type { Reply } from './http.ts';
import { refused } from './symptoms.ts';

export interface Ending {
  code: number;
  outOfMemory: boolean;
}

export interface Listed {
  id: string;
  labels: Readonly<Record<string, string>>;
  running: boolean;
}

export type Containers = ReturnType<typeof createContainers>;

const created = z.object({ Id: z.string() });
const listed = z.array(
  z
    .object({ Id: z.string(), State: z.string(), Labels: z.record(z.string(), z.string()).nullish() })
    .transform(({ Id, State, Labels }) => ({ id: Id, labels: Labels ?? {}, running: State === 'running' })),
);
const inspected = z.object({
  State: z.object({
    Running: z.boolean(),
    ExitCode: z.number(),
    Pid: z.number().default(0),
    OOMKilled: z.boolean().default(false),
  }),
});

export function createContainers({ http, prefix, name }: Engine, image: string) {
  const at = (id: string, action: string): string => `${prefix}/containers/${id}/${action}`;
  const isReply = (answer: object): answer is Reply => 'status' in answer && 'body' in answer;

  async function expect(reply: Promise<Reply>, ...statuses: number[]): Promise<Reply> {
    const { status, body } = await reply;
    if (!statuses.includes(status)) throw refused({ status, body }, image);
    return { status, body };
  }

  return {
    hearsOutOfMemory: name === 'Docker',

    async create(called: string, body: ContainerBody): Promise<string> {
      const path = `${prefix}/containers/create?name=${encodeURIComponent(called)}`;
      const reply = await expect(http.call('POST', path, { body }), 201);
      return created.parse(reply.body).Id;
    },

    /** Its input and output, both in one; before the start, or what it prints first is lost. */
    async attach(id: string): Promise<Duplex> {
      const answer = await http.upgrade(at(id, 'attach?stream=1&stdin=1&stdout=1&stderr=1'));
      if (isReply(answer)) throw refused(answer, image);
      return answer;
    },

    /** Its output from this time on, until it ends. */
    async logs(id: string, sinceMs: number): Promise<Readable> {
      const since = (sinceMs / 1000).toFixed(6);
      const answer = await http.open(at(id, `logs?stdout=1&stderr=1&follow=1&since=${since}`));
      if (isReply(answer)) throw refused(answer, image);
      return answer;
    },

    async start(id: string): Promise<void> {
      await expect(http.call('POST', at(id, 'start')), 204, 304);
    },

    /** Not running any more is fine; whether it ended is told by `ending` alone. */
    async kill(id: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
      await expect(http.call('POST', at(id, `kill?signal=${signal}`)), 204, 404, 409, 500);
    },

    /** Waits for its end. Null: there is no such container any more. */
    async ending(id: string): Promise<Ending | null> {
      for (;;) {
        const waited = await expect(http.call('POST', at(id, 'wait?condition=not-running')), 200, 404);
        if (waited.status === 404) return null;
        const looked = await expect(http.call('GET', at(id, 'json')), 200, 404);
        if (looked.status === 404) return null;
        const { Running, ExitCode, OOMKilled } = inspected.parse(looked.body).State;
        if (!Running) return { code: ExitCode, outOfMemory: OOMKilled };
      }
    },

    /** Of its first process, on the engine's machine; 0 when it doesn't run. */
    async pid(id: string): Promise<number> {
      const { body } = await expect(http.call('GET', at(id, 'json')), 200);
      return inspected.parse(body).State.Pid;
    },

    /** Whatever state it is in. Gone already is fine, and so is that somebody is at it. */
    async remove(id: string): Promise<void> {
      await expect(http.call('DELETE', `${prefix}/containers/${id}?force=1&v=1`), 200, 204, 404, 409);
    },

    /** Those with exactly this label: looked at here as well, since a filter that an engine doesn't know finds all. */
    async list(label: string, value: string): Promise<Listed[]> {
      const filters = encodeURIComponent(JSON.stringify({ label: [`${label}=${value}`] }));
      const reply = await expect(http.call('GET', `${prefix}/containers/json?all=1&filters=${filters}`), 200);
      return listed.parse(reply.body).filter(({ labels }) => labels[label] === value);
    },
  };
}
