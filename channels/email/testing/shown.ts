import { simpleParser } from 'mailparser';

/** A mail that was sent, as another mail program reads it. */
export async function readSent(raw: string) {
  const { text, html, references = [], messageId, attachments } = await simpleParser(raw);
  return {
    text: text ?? '',
    html: html || '',
    references: [references].flat(),
    messageId: messageId ?? '',
    files: attachments.map(({ filename, size }) => ({ name: filename ?? '', size })),
  };
}
