import { z } from 'zod';

/** What commands on this side of the socket read of a host's answers: no more than they need. Loaded when one does. */

export const Running = z.object({
  pid: z.number(),
  agents: z.array(z.object({ provider: z.string() })),
  /** Why no sandbox can be started now. */
  trouble: z.string().nullish(),
});
export type Running = z.infer<typeof Running>;

export const Stopping = z.object({ pid: z.number() });

export const Checks = z.array(
  z.object({
    name: z.string(),
    ok: z.boolean(),
    blocking: z.boolean(),
    detail: z.string(),
    remedy: z.string().optional(),
  }),
);
