import { z } from 'zod';

/** One connection to the gateway, from its first frame to its end. https://docs.discord.com/developers/events/gateway */

const Frame = z.object({
  op: z.number().int(),
  d: z.unknown().optional(),
  s: z.number().int().nullish(),
  t: z.string().nullish(),
});
const Hello = z.object({ heartbeat_interval: z.number().positive() });

const OP = { dispatch: 0, heartbeat: 1, identify: 2, resume: 6, reconnect: 7, invalid: 9, hello: 10, ack: 11 } as const;

/** Any but 1000 and 1001, which end the session for good. */
const LEAVES = 4_900;

export interface Dispatch {
  type: string;
  data: unknown;
  seq: number;
}

export interface End {
  /** Of the far end; undefined where we ended it. */
  code?: number;
  reason: string;
  /** Discord knows the session no more. */
  isForgotten?: boolean;
  /** Discord asked for a new connection. */
  isAsked?: boolean;
}

export interface ConnectionParts {
  url: string;
  /** Sent when Discord has said hello. */
  greet: { op: 2 | 6; d: object };
  /** The number up to which everything is durable: that much is acknowledged, and no more. */
  durable(): number | null;
  /** Returns why the connection is to be given up, if it is. */
  onDispatch(dispatch: Dispatch): string | undefined;
  /** Discord has answered a heartbeat. */
  onAck(): void;
  /** For the first frame, and from the greeting to what answers it. */
  patienceMs: number;
  signal: AbortSignal;
}

/** Resolves when it has ended; never rejects. What is still on its way in then is ignored. */
export function connectOnce(parts: ConnectionParts): Promise<End> {
  const { url, greet, durable, onDispatch, onAck, patienceMs, signal } = parts;
  const address = new URL(url);
  address.search = '?v=10&encoding=json';
  const socket = new WebSocket(address);
  let beat: NodeJS.Timeout | undefined;
  let isAnswered = true;
  let ended = false;

  return new Promise<End>((resolve) => {
    let waiting = setTimeout(() => end({ reason: 'it says nothing' }), patienceMs);

    function end(result: End): void {
      if (ended) return;
      ended = true;
      clearTimeout(waiting);
      clearTimeout(beat);
      signal.removeEventListener('abort', onAbort);
      // A half-open one never answers: it isn't waited for.
      socket.close(LEAVES);
      resolve(result);
    }

    function onAbort(): void {
      end({ reason: 'it is being stopped' });
    }

    function send(op: number, d: unknown): void {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ op, d }));
    }

    function beatAfter(ms: number, intervalMs: number): void {
      beat = setTimeout(() => {
        if (!isAnswered) {
          end({ reason: 'it answers no heartbeat' });
          return;
        }
        isAnswered = false;
        send(OP.heartbeat, durable());
        beatAfter(intervalMs, intervalMs);
      }, ms);
    }

    function greetBack(d: unknown): void {
      const { data: hello } = Hello.safeParse(d);
      if (!hello || beat) {
        end({ reason: 'its greeting can not be read' });
        return;
      }
      send(greet.op, greet.d);
      // At a random moment of the first interval, as Discord asks for: not all bots at once.
      beatAfter(hello.heartbeat_interval * Math.random(), hello.heartbeat_interval);
    }

    function onFrame(frame: z.infer<typeof Frame> | undefined): void {
      if (!frame) end({ reason: 'what it says can not be read' });
      else if (frame.op === OP.hello) greetBack(frame.d);
      else if (frame.op === OP.dispatch && typeof frame.s === 'number' && typeof frame.t === 'string') {
        clearTimeout(waiting);
        const reason = onDispatch({ type: frame.t, data: frame.d, seq: frame.s });
        if (reason !== undefined) end({ reason });
      } else if (frame.op === OP.heartbeat) send(OP.heartbeat, durable());
      else if (frame.op === OP.ack) {
        isAnswered = true;
        onAck();
      } else if (frame.op === OP.reconnect) end({ reason: 'it asks for a new connection', isAsked: true });
      else if (frame.op === OP.invalid) end({ reason: 'the session is not valid', isForgotten: frame.d !== true });
    }

    socket.addEventListener('message', ({ data }) => {
      if (!ended) onFrame(Frame.safeParse(parse(data)).data);
    });
    socket.addEventListener('close', ({ code, reason }) => end({ code, reason: reason || `closed with ${code}` }));
    socket.addEventListener('error', () => end({ reason: 'the connection failed' }));
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    // Discord has greeted, and answers neither IDENTIFY nor RESUME.
    socket.addEventListener('open', () => {
      clearTimeout(waiting);
      if (!ended) waiting = setTimeout(() => end({ reason: 'it does not let us in' }), patienceMs);
    });
  });
}

function parse(text: unknown): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
