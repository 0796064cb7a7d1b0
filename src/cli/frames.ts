import { z } from 'zod';

/** One line of JSON each way over the admin socket. */
export const Request = z.object({
  id: z.string().max(128),
  command: z.string().max(128),
  args: z.record(z.string(), z.union([z.string(), z.literal(true)])),
});
export type Request = z.infer<typeof Request>;

export const Response = z.discriminatedUnion('ok', [
  z.object({ id: z.string(), ok: z.literal(true), data: z.unknown() }),
  z.object({
    id: z.string(),
    ok: z.literal(false),
    /** `message` is the sentence with its detail; the code's remedy is in the table. */
    error: z.object({ code: z.string(), message: z.string() }),
  }),
]);
export type Response = z.infer<typeof Response>;

export const MAX_REQUEST_BYTES = 256 * 1024;
export const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;
