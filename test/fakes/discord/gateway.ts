import type { Socket } from './sockets.ts';
import { BOT, GUILD, TOKEN, type World } from './world.ts';

/** A gateway that keeps to the letter: who is let in, what is sent again, and when it hangs up. */

export interface GatewayOptions {
  heartbeatMs: number;
  /** Whether "Message Content Intent" is on. */
  mayRead: boolean;
}

interface Session {
  id: string;
  seq: number;
  events: { s: number; t: string; d: unknown }[];
  intents: number;
  socket: Socket | undefined;
}

const READS = 1 << 15;
const KNOWN = (1 << 26) - 1;
/** By the event, the bit that asks for it: in a server, and in direct chats. */
const BITS: readonly [RegExp, number, number][] = [
  [/^(GUILD_(?!MEMBER)|CHANNEL_|THREAD_)/, 0, 0],
  [/^MESSAGE_REACTION/, 10, 13],
  [/^MESSAGE_/, 9, 12],
];

export function createFakeGateway(world: World, options: GatewayOptions) {
  const sessions = new Map<string, Session>();
  const sockets = new Set<Socket>();
  let made = 0;
  const state = {
    /** Frames of the clients, as they came. */
    received: [] as { op: number; d: unknown }[],
    identified: 0,
    resumed: 0,
    /** Answers no heartbeat, and nothing else either. */
    isSilent: false,
    isRevoked: false,
    /** For the next IDENTIFY or RESUME alone. */
    refuseWith: undefined as { code: number } | { invalid: boolean } | undefined,
    /** The codes that clients hung up with. */
    closes: [] as (number | undefined)[],
    url: '',
  };

  function enter(socket: Socket): void {
    let session: Session | undefined;
    let late: NodeJS.Timeout | undefined;
    sockets.add(socket);

    const frame = (op: number, d: unknown) => {
      if (!state.isSilent) socket.send(JSON.stringify({ op, d }));
    };
    const expectBeat = () => {
      clearTimeout(late);
      // A client that is late by half an interval is gone, as far as Discord is concerned.
      late = setTimeout(() => socket.close(4009, 'Session timed out'), options.heartbeatMs * 2.5);
    };

    socket.onClose = (code) => {
      clearTimeout(late);
      sockets.delete(socket);
      state.closes.push(code);
      if (!session || session.socket !== socket) return;
      session.socket = undefined;
      if (code === 1000 || code === 1001) sessions.delete(session.id);
    };

    socket.onText = (text) => {
      const { op, d } = JSON.parse(text) as { op: number; d: Record<string, unknown> | number | null };
      state.received.push({ op, d });
      if (op === 1) {
        expectBeat();
        if (typeof d === 'number' && session && d > session.seq) return socket.close(4007, 'Invalid seq');
        return frame(11, undefined);
      }
      if (op !== 2 && op !== 6) return socket.close(4001, 'Unknown opcode');
      if (session) return socket.close(4005, 'Already authenticated');
      if (typeof d !== 'object' || d === null) return socket.close(4002, 'Decode error');
      const refusal = state.refuseWith;
      state.refuseWith = undefined;
      if (refusal && 'code' in refusal) return socket.close(refusal.code, 'as the test wants it');
      if (refusal) return frame(9, refusal.invalid);
      if (state.isRevoked || d.token !== TOKEN) return socket.close(4004, 'Authentication failed.');
      session = op === 2 ? identify(d) : resume(d);
    };

    function identify(d: Record<string, unknown>): Session | undefined {
      const intents = Number(d.intents);
      if (typeof d.properties !== 'object') return hangUp(4002, 'Decode error');
      if (!Number.isInteger(intents) || intents & ~KNOWN) return hangUp(4013, 'Invalid intent(s).');
      if (intents & READS && !options.mayRead) return hangUp(4014, 'Disallowed intent(s).');
      state.identified += 1;
      made += 1;
      const own: Session = { id: `session-${made}`, seq: 0, events: [], intents, socket };
      sessions.set(own.id, own);
      push(own, 'READY', {
        v: 10,
        user: BOT,
        session_id: own.id,
        resume_gateway_url: state.url,
        guilds: [{ id: GUILD.id, unavailable: true }],
        application: { id: BOT.id, flags: 0 },
      });
      push(own, 'GUILD_CREATE', guild());
      return own;
    }

    function resume(d: Record<string, unknown>): Session | undefined {
      const own = sessions.get(String(d.session_id));
      const seq = Number(d.seq);
      if (!own) {
        frame(9, false);
        return undefined;
      }
      if (!Number.isInteger(seq) || seq > own.seq) return hangUp(4007, 'Invalid seq');
      state.resumed += 1;
      own.socket = socket;
      for (const event of own.events.filter(({ s }) => s > seq)) socket.send(JSON.stringify({ op: 0, ...event }));
      push(own, 'RESUMED', {});
      return own;
    }

    function hangUp(code: number, reason: string): undefined {
      socket.close(code, reason);
      return undefined;
    }

    frame(10, { heartbeat_interval: options.heartbeatMs });
    expectBeat();
  }

  function guild() {
    const all = [...world.channels.values()].filter(({ guild_id }) => guild_id === GUILD.id);
    return {
      ...GUILD,
      channels: all.filter(({ type }) => type !== 11),
      threads: all.filter(({ type }) => type === 11),
      roles: [{ id: GUILD.id, name: '@everyone' }],
      members: [{ user: BOT, roles: [] }],
    };
  }

  function push(session: Session, t: string, d: unknown): void {
    session.seq += 1;
    const event = { s: session.seq, t, d };
    session.events.push(event);
    if (session.socket && !state.isSilent) session.socket.send(JSON.stringify({ op: 0, ...event }));
  }

  /** Those who asked for it get it; what isn't meant for the bot without its words, unless it may read. */
  function dispatch(t: string, d: Record<string, unknown>): void {
    const isDirect = d.guild_id === undefined;
    const bits = BITS.find(([pattern]) => pattern.test(t));
    const bit = bits?.[isDirect ? 2 : 1];
    for (const session of sessions.values()) {
      if (bit !== undefined && !(session.intents & (1 << bit))) continue;
      push(session, t, session.intents & READS || isDirect ? d : { ...d, content: '', attachments: [], embeds: [] });
    }
  }

  return {
    state,
    enter,
    dispatch,
    /** Every connection breaks. */
    drop() {
      for (const socket of sockets) socket.break();
    },
    hangUp(code: number) {
      for (const socket of sockets) socket.close(code, 'as the test wants it');
    },
    tell(op: number, d: unknown) {
      for (const socket of sockets) socket.send(JSON.stringify({ op, d }));
    },
    /** As after some minutes. */
    forget: () => sessions.clear(),
    isHeard: () => [...sessions.values()].some(({ socket }) => socket !== undefined),
  };
}

export type FakeGateway = ReturnType<typeof createFakeGateway>;
