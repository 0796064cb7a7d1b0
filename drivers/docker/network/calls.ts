/** What is done with networks, in the engine's own calls. Refusals are thrown as what they mean. */
import { z } from 'zod';
import { LABEL } from '../body.ts';
import type { Engine } from '../engine.ts';
import type { Reply } from '../http.ts';
import { compareVersions, messageOf, refused } from '../symptoms.ts';
import type { Subnet } from './subnets.ts';

export interface ListedNetwork {
  name: string;
  labels: Readonly<Record<string, string>>;
  /** Since the epoch, by the engine's clock. */
  createdMs: number;
}

export type NetworkCalls = ReturnType<typeof createNetworkCalls>;

const listed = z.array(
  z
    .object({ Name: z.string(), Labels: z.record(z.string(), z.string()).nullish(), Created: z.string().default('') })
    .transform(({ Name, Labels, Created }) => ({
      name: Name,
      labels: Labels ?? {},
      createdMs: Date.parse(Created) || 0,
    })),
);
const inspected = z.object({
  Containers: z.record(z.string(), z.object({ IPv4Address: z.string().default('') })).nullish(),
  IPAM: z.object({
    Config: z.array(z.object({ Subnet: z.string().optional(), Gateway: z.string().optional() })).nullish(),
  }),
});

const TIMEOUT_MS = 30_000;

export function createNetworkCalls({ http, prefix, version }: Engine, image: string) {
  async function call(method: 'GET' | 'POST' | 'DELETE', path: string, statuses: number[], body?: unknown) {
    const reply: Reply = await http.call(method, `${prefix}/networks${path}`, {
      timeoutMs: TIMEOUT_MS,
      ...(body === undefined ? {} : { body }),
    });
    if (!statuses.includes(reply.status)) throw refused(reply, image);
    return reply;
  }

  const at = (name: string, action = ''): string => `/${encodeURIComponent(name)}${action}`;

  async function cutOff(name: string, address?: string): Promise<void> {
    const found = await call('GET', at(name), [200, 404]);
    const members = found.status === 404 ? {} : (inspected.parse(found.body).Containers ?? {});
    for (const [container, { IPv4Address }] of Object.entries(members)) {
      if (address !== undefined && IPv4Address.split('/')[0] !== address) continue;
      await call('POST', at(name, '/disconnect'), [200, 404, 500], { Container: container, Force: true });
    }
  }

  return {
    /** False: those addresses are taken. */
    async create(name: string, { subnet }: Subnet, labels: Readonly<Record<string, string>>): Promise<boolean> {
      try {
        await call('POST', '/create', [201], {
          Name: name,
          Driver: 'bridge',
          Internal: true,
          EnableIPv6: false,
          Labels: labels,
          Options: withoutGateway(version),
          IPAM: { Driver: 'default', Config: [{ Subnet: subnet }] },
        });
        return true;
      } catch (error) {
        if (error instanceof Error && /pool overlaps|overlaps with/i.test(error.message)) return false;
        throw error;
      }
    },

    /** Connected already is fine. */
    async connect(name: string, container: string, address: string): Promise<void> {
      const body = { Container: container, EndpointConfig: { IPAMConfig: { IPv4Address: address } } };
      const reply = await call('POST', at(name, '/connect'), [200, 403], body);
      if (reply.status === 403 && !/already exists in network/.test(messageOf(reply))) throw refused(reply, image);
    },

    /** Whoever has this address there; without one, all. */
    cutOff,

    /** With whoever is still in it cut off. Gone already is fine. */
    async remove(name: string): Promise<void> {
      await cutOff(name);
      await call('DELETE', at(name), [204, 404]);
    },

    /** Those of this install. */
    async list(install: string): Promise<ListedNetwork[]> {
      const filters = encodeURIComponent(JSON.stringify({ label: [`${LABEL.install}=${install}`] }));
      const { body } = await call('GET', `?filters=${filters}`, [200]);
      return listed.parse(body).filter(({ labels }) => labels[LABEL.install] === install);
    },

    /** The address of the engine's machine in its default network; undefined when it has none. */
    async machineAddress(): Promise<string | undefined> {
      const { status, body } = await call('GET', '/bridge', [200, 404]);
      const [first] = status === 404 ? [] : (inspected.parse(body).IPAM.Config ?? []);
      // Of a bridge that it has found there, an engine says no more than the block.
      return first?.Gateway ?? first?.Subnet?.replace(/\.0\/\d+$/, '.1');
    },
  };
}

/**
 * An internal network lets nothing out, and still gives the engine's machine an address in it, where all that listens on
 * that machine can be called. What keeps it from having one is called differently since 28.
 */
export function withoutGateway(version: string): Record<string, string> {
  return compareVersions(version, '28.0') >= 0
    ? { 'com.docker.network.bridge.gateway_mode_ipv4': 'isolated' }
    : { 'com.docker.network.bridge.inhibit_ipv4': 'true' };
}
