import { createHash } from 'node:crypto';
import { domainOf } from './mail/address.ts';

/** Message ids of what we send: the same for every attempt at a delivery, and told apart from anybody else's. */

export const OWN_ID = /<nanoclaw\.[0-9a-f]{40}@[a-z0-9.-]{1,253}>/g;

export function ownId(deliveryId: string, address: string): string {
  return `<nanoclaw.${createHash('sha256').update(deliveryId).digest('hex').slice(0, 40)}@${domainOf(address)}>`;
}
