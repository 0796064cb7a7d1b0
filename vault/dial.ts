import { BlockList, connect, isIPv4, type Socket } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { type EgressPolicy, judgeAddresses, type Machine, refusalText, refuseTarget } from './egress.ts';
import { describeFailure, timeoutError } from './failure.ts';
import type { Resolve } from './resolver.ts';
import { isNamed, showTarget, type Target } from './target.ts';

export const DIAL_TIMEOUT_MS = 10_000;
/** How long one address may take while another is left to try. */
const ATTEMPT_TIMEOUT_MS = 2_500;

export type Dialled = { ok: true; socket: Socket } | { ok: false; status: 403 | 502; text: string };

export interface DialOptions {
  policy: EgressPolicy;
  resolve: Resolve;
  timeoutMs: number;
  /** The decision, once for each dial. */
  decided(target: Target, reason: string | undefined): void;
  /** Each socket as it is made, before it is connected, so that closing the session can end it. */
  opened(socket: Socket): void;
}

/**
 * Connects to a target, to no address but one that was judged: the name is resolved once, here, and what it resolves to
 * later does not matter. Never rejects.
 */
export async function dial(target: Target, options: DialOptions): Promise<Dialled> {
  const { policy } = options;
  const machine = thisMachine();
  const refuse = (reason: string): Dialled => {
    options.decided(target, reason);
    return { ok: false, status: 403, text: refusalText(policy, target, reason) };
  };
  const reason = refuseTarget(policy, target, machine.name);
  if (reason !== undefined) return refuse(reason);

  let addresses: readonly string[];
  try {
    const named = isNamed(policy.rules, target);
    addresses = target.isAddress ? [target.host] : await inTime(options.resolve(target.host, named), options.timeoutMs);
  } catch (error) {
    options.decided(target, describeFailure(error));
    return unreachable(target, error);
  }
  const judged = judgeAddresses(policy, target, addresses, machine.addresses);
  if (judged.allowed.length === 0) return refuse(judged.reason);
  options.decided(target, undefined);

  try {
    const socket = await connectTo(judged.allowed, target.port, options);
    const really = judgeAddresses(policy, target, [socket.remoteAddress ?? ''], thisMachine().addresses);
    if (really.allowed.length > 0) return { ok: true, socket };
    socket.destroy();
    return refuse(really.reason);
  } catch (error) {
    return unreachable(target, error);
  }
}

function unreachable(target: Target, error: unknown): Dialled {
  return { ok: false, status: 502, text: `${showTarget(target)} can not be reached: ${describeFailure(error)}.\n` };
}

function connectTo(addresses: readonly string[], port: number, options: DialOptions): Promise<Socket> {
  const candidates = addresses.map((address) => ({ address, family: isIPv4(address) ? 4 : 6 }));
  return new Promise((done, fail) => {
    const socket = connect({
      host: 'judged.invalid',
      port,
      lookup: (_name, _options, answer) => answer(null, candidates),
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: ATTEMPT_TIMEOUT_MS,
      allowHalfOpen: true,
      noDelay: true,
    });
    options.opened(socket);
    // Both stay: an error that nobody listens for would end the host.
    socket.once('close', () => fail(timeoutError('connecting')));
    socket.on('error', fail);
    const deadline = setTimeout(() => socket.destroy(timeoutError('connecting')), options.timeoutMs);
    socket.once('close', () => clearTimeout(deadline));
    socket.once('connect', () => {
      clearTimeout(deadline);
      done(socket);
    });
  });
}

async function inTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const deadline = setTimeout(() => reject(timeoutError('resolving')), timeoutMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(deadline);
  }
}

function thisMachine(): Machine {
  const addresses = new BlockList();
  for (const { address, family } of Object.values(networkInterfaces()).flatMap((all) => all ?? [])) {
    addresses.addAddress(address, family === 'IPv4' ? 'ipv4' : 'ipv6');
  }
  return { name: hostname(), addresses };
}
