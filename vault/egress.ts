import type { BlockList } from 'node:net';
import { type AddressKind, describeKind, judgeAddress } from './address.ts';
import { isNamed, type Rule, showTarget, type Target } from './target.ts';

export interface EgressPolicy {
  egress: 'public' | 'none';
  rules: readonly Rule[];
}

/** This machine, as it is at the moment of a connection. */
export interface Machine {
  name: string;
  addresses: BlockList;
}

/** The port of mail between servers: the one thing on the public network that a stranger's text could abuse at once. */
const MAIL_PORT = 25;
/** A name's owner decides where it points; no rule for a name opens these. */
const NEVER_BY_NAME: ReadonlySet<AddressKind> = new Set(['metadata', 'link-local', 'multicast', 'malformed']);

/** Before anything is resolved: why the target is refused, undefined when its addresses are to be judged. */
export function refuseTarget(policy: EgressPolicy, target: Target, machineName: string): string | undefined {
  if (policy.egress === 'none') return 'this agent group has no way out to the network (egress: none)';
  if (isNamed(policy.rules, target)) return undefined;
  if (target.port === MAIL_PORT) return 'port 25 is for mail servers';
  if (!target.isAddress && isThisMachine(target.host, machineName)) return `${target.host} is this machine`;
  return undefined;
}

/** Of the addresses that a target has, those that may be connected to; when there is none, why. */
export function judgeAddresses(
  policy: EgressPolicy,
  target: Target,
  addresses: readonly string[],
  own: BlockList,
): { allowed: string[]; reason: string } {
  const named = isNamed(policy.rules, target);
  const allowed: string[] = [];
  let reason = `${target.host} has no address`;
  for (const address of addresses) {
    const kind = judgeAddress(address, own);
    const ruled = named && (target.isAddress || kind === undefined || !NEVER_BY_NAME.has(kind));
    if (kind === undefined || ruled) allowed.push(address);
    else reason = `${describeHost(target, address)} ${describeKind(kind)}`;
  }
  return { allowed, reason };
}

/** What the agent reads. */
export function refusalText(policy: EgressPolicy, target: Target, reason: string): string {
  const remedy =
    policy.egress === 'none'
      ? 'The owner can change this for the agent group.'
      : `The owner can allow it with a rule: ${showTarget(target)}`;
  return `Refused by the host of this sandbox: ${reason}. ${remedy}\n`;
}

function describeHost(target: Target, address: string): string {
  return target.isAddress ? `${address} is` : `${target.host} has the address ${address}, which is`;
}

function isThisMachine(host: string, machineName: string): boolean {
  const own = machineName.toLowerCase().replace(/\.$/, '');
  const last = host.split('.').at(-1);
  return last === 'localhost' || last === 'localdomain' || /^ip6-\w+$/.test(host) || host === own;
}
