/** Sizes that both sides keep. Bytes are of UTF-8 unless said otherwise. */

/** A chat message's text, either way. Longer answers become a file. */
export const MAX_TEXT_BYTES = 256 * 1024;
/** What the host is shown of an answer that is still being written. */
export const MAX_DRAFT_BYTES = 16 * 1024;
/** One `content` column. */
export const MAX_CONTENT_BYTES = 1024 * 1024;
/** All of outbound.db. */
export const MAX_OUTBOUND_BYTES = 32 * 1024 * 1024;
/** One attachment, either way. */
export const MAX_ATTACHMENT_BYTES = 100 * 1024 * 1024;
/** Files of one message. */
export const MAX_FILES = 20;
/** What may follow `ncl` inside of a sandbox, and all that comes back. */
export const MAX_NCL_REQUEST_BYTES = 64 * 1024;
export const MAX_NCL_ANSWER_BYTES = 256 * 1024;
/** A question of an agent's: UTF-16 units, and how long a tool may wait for its answer. */
export const MAX_QUESTION = { title: 150, text: 2_000, label: 60, options: 8, waitMs: 3_600_000 } as const;
