/**
 * Addresses for networks of one sandbox each. From the block for benchmarks, which nobody routes; in small parts, since an
 * engine's own choice would be used up by some thirty networks. Pure.
 */
export interface Subnet {
  /** As the engine takes it. */
  subnet: string;
  /** Of the relay's bridge. The first address is that of a gateway, and stays empty. */
  bridge: string;
  sandbox: string;
}

export const SUBNETS = 8192;
/** With what all of their addresses begin. */
export const BLOCK = '198.19.';

export function subnetAt(index: number): Subnet {
  const base = (index % SUBNETS) * 8;
  const address = (offset: number): string => `${BLOCK}${base >> 8}.${(base & 255) + offset}`;
  return { subnet: `${address(0)}/29`, bridge: address(2), sandbox: address(3) };
}
