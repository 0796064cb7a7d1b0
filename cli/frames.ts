import { z } from 'zod';

/** One line of JSON each way over the admin socket. */
export const Request = z.object({
  id: z.string().max(128),
  command: z.string().max(128),
  args: z.record(z.string(), z.union([z.string(), z.literal(true)])),
  /** Where the answer is to be shown to a person; a width of null is no limit. */
  look: z.object({ width: z.number().int().min(20).nullable(), colour: z.boolean() }).optional(),
});
export type Request = z.infer<typeof Request>;

export type Response =
  /** `text` when the request had a look; `note`: a remark, which the text has already. */
  | { id: string; ok: true; data: unknown; text?: string; note?: string }
  /** `message` is the sentence with its detail; the code's remedy is in the table. */
  | { id: string; ok: false; error: { code: string; message: string } };

export const MAX_REQUEST_BYTES = 256 * 1024;
