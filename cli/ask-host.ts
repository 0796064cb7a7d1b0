import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { isErrorCode, NanoError } from '../src/errors.ts';
import { asNanoError } from '../src/system-error.ts';
import type { Answer, Arguments } from './definition.ts';
import type { Response } from './frames.ts';
import type { Look } from './screen.ts';
import { parseLine, readLines, sendLine } from './sockets/lines.ts';
import { connectUnix } from './sockets/listen.ts';

const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

const ANSWER_MS = 10_000;
const LONGER_MS: Readonly<Record<string, number>> = {
  // They ask platforms, which may be out of reach.
  'channels attach': 60_000,
  'channels try': 40_000,
  'channels enter': 40_000,
  'channels unfinished': 40_000,
  'channels chats': 40_000,
  // The host's probes of the network end by themselves, within 15 s each.
  'doctor-host': 40_000,
  // A million messages take some minutes, in small steps.
  housekeeping: 3_600_000,
  // Sandboxes have their time to end, and a folder may hold a million files.
  'groups delete': 600_000,
  'groups restart': 60_000,
  'messaging-groups delete': 600_000,
  'sessions reset': 600_000,
};

/**
 * One command, over a connection of its own. Throws NanoError: NC_NO_HOST when nobody listens, NC_HOST_SILENT, NC_HOST_DIFFERS,
 * or what the host itself answered.
 */
export async function askHost(socketPath: string, command: string, args: Arguments = {}, look?: Look): Promise<Answer> {
  const socket = await open(socketPath);
  try {
    const id = randomUUID();
    const answered = nextLine(socket, LONGER_MS[command] ?? ANSWER_MS);
    await sendLine(socket, { id, command, args, ...(look && { look: lookOf(look) }) });
    const response = parseLine(await answered);
    if (!isResponse(response)) throw new NanoError('NC_HOST_DIFFERS');
    if (response.ok) return response;
    throw hostError(response.error);
  } finally {
    socket.destroy();
  }
}

/** Infinity is nothing that JSON can say. */
function lookOf({ width, colour }: Look): { width: number | null; colour: boolean } {
  return { width: Number.isFinite(width) ? Math.max(20, width) : null, colour };
}

/** By hand: the schema library takes longer to load than all the rest of a command does. */
function isResponse(value: unknown): value is Response {
  if (typeof value !== 'object' || value === null || !('ok' in value)) return false;
  if (value.ok === true) {
    const isText = (part: unknown) => part === undefined || typeof part === 'string';
    return (
      'data' in value &&
      isText('text' in value ? value.text : undefined) &&
      isText('note' in value ? value.note : undefined)
    );
  }
  if (!('error' in value) || typeof value.error !== 'object' || value.error === null) return false;
  const { error } = value;
  return 'code' in error && typeof error.code === 'string' && 'message' in error && typeof error.message === 'string';
}

async function open(socketPath: string): Promise<Socket> {
  try {
    const socket = await connectUnix(socketPath);
    if (socket) return socket;
  } catch (error) {
    throw asNanoError(error);
  }
  throw new NanoError('NC_NO_HOST');
}

function nextLine(socket: Socket, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new NanoError('NC_HOST_SILENT')), timeoutMs);
    readLines(socket, MAX_RESPONSE_BYTES, { line: resolve, overflow: () => reject(new NanoError('NC_HOST_DIFFERS')) });
    // It may go away after its last word, as it does for `stop`; the line wins, being first.
    socket.on('close', () => {
      clearTimeout(timer);
      reject(new NanoError('NC_DISCONNECTED'));
    });
    socket.on('error', () => socket.destroy());
  });
}

/** The table's sentence comes with the code; only what goes beyond it is detail. */
function hostError({ code, message }: { code: string; message: string }): NanoError {
  if (!isErrorCode(code)) return new NanoError('NC_HOST_DIFFERS', message);
  const { message: sentence } = new NanoError(code);
  return new NanoError(code, message.startsWith(sentence) ? message.slice(sentence.length).trim() : message);
}
