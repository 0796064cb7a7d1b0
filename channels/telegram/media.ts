import { extname } from 'node:path';
import type { PlainMessage } from './updates.ts';

/** Files of a message, and what a file is sent as. Pure. */

export interface MediaPart {
  type: 'image' | 'video' | 'audio' | 'file';
  name: string;
  mimeType: string | undefined;
  fileId: string;
  /** In bytes, where Telegram says so. */
  size: number | undefined;
  /** How long it plays. */
  seconds: number | undefined;
}

export function mediaOf(message: PlainMessage): MediaPart[] {
  const { photo, video, animation, audio, voice, video_note, sticker, message_id: id } = message;
  // An animation comes as a document too.
  const document = animation ? undefined : message.document;
  const stickerType = sticker?.is_video ? 'webm' : sticker?.is_animated ? 'tgs' : 'webp';
  return [
    part('image', photo?.at(-1), `photo-${id}.jpg`, 'image/jpeg'),
    part(document?.mime_type?.startsWith('image/') ? 'image' : 'file', document, `file-${id}`),
    part('video', video, `video-${id}.mp4`, 'video/mp4'),
    part('video', animation, `animation-${id}.mp4`, 'video/mp4'),
    part('video', video_note, `video-${id}.mp4`, 'video/mp4'),
    part('audio', audio, `audio-${id}.mp3`, 'audio/mpeg'),
    part('audio', voice, `voice-${id}.ogg`, 'audio/ogg'),
    part(stickerType === 'webp' ? 'image' : 'file', sticker, `sticker-${id}.${stickerType}`),
  ].flatMap((one) => one ?? []);
}

type Found = {
  file_id: string;
  file_size?: number | undefined;
  file_name?: string | undefined;
  mime_type?: string | undefined;
  duration?: number | undefined;
};

function part(type: MediaPart['type'], found: Found | undefined, name: string, mime?: string): MediaPart | undefined {
  if (!found) return undefined;
  const { file_id: fileId, file_size: size, file_name, mime_type, duration: seconds } = found;
  return { type, name: file_name ?? name, mimeType: mime_type ?? mime, fileId, size, seconds };
}

const MAX_PHOTO_BYTES = 10 * 1024 * 1024;
const SENT_AS: Readonly<Record<string, { method: string; field: string }>> = {
  ...Object.fromEntries(
    ['.jpg', '.jpeg', '.png', '.webp'].map((end) => [end, { method: 'sendPhoto', field: 'photo' }]),
  ),
  '.mp4': { method: 'sendVideo', field: 'video' },
  '.mp3': { method: 'sendAudio', field: 'audio' },
  '.m4a': { method: 'sendAudio', field: 'audio' },
  '.ogg': { method: 'sendVoice', field: 'voice' },
  '.oga': { method: 'sendVoice', field: 'voice' },
};
export const AS_DOCUMENT = { method: 'sendDocument', field: 'document' };

export function sentAs(name: string, size: number): { method: string; field: string } {
  const as = SENT_AS[extname(name).toLowerCase()] ?? AS_DOCUMENT;
  return as.method === 'sendPhoto' && size > MAX_PHOTO_BYTES ? AS_DOCUMENT : as;
}
