import type { DestinationRow, Origin } from '@nanoclaw/protocol';

/** Where a destination is. Its thread is none: a name stands for a chat, not for a place in it. */
export function addressOf(destination: DestinationRow): Origin {
  return destination.type === 'agent'
    ? { channel_type: 'agent', platform_id: destination.agent_group_id, thread_id: null }
    : { channel_type: destination.channel_type, platform_id: destination.platform_id, thread_id: null };
}

export function sameChat(a: Origin, b: Origin): boolean {
  return a.channel_type === b.channel_type && a.platform_id === b.platform_id;
}

export function findDestination(destinations: readonly DestinationRow[], name: string): DestinationRow | undefined {
  const wanted = name.trim().toLowerCase();
  return (
    destinations.find((each) => each.name === name) ?? destinations.find((each) => each.name.toLowerCase() === wanted)
  );
}

/** The name of a chat as the agent knows it. */
export function nameOf(destinations: readonly DestinationRow[], origin: Origin): string {
  const known = destinations.find((each) => sameChat(addressOf(each), origin));
  return known?.name ?? `unknown:${origin.channel_type ?? 'none'}:${origin.platform_id ?? 'none'}`;
}

/** For an error that the agent can act on. */
export function knownNames(destinations: readonly DestinationRow[]): string {
  if (destinations.length === 0) return 'There are no destinations: you can only answer where you were asked.';
  return `Known destinations: ${destinations.map((each) => each.name).join(', ')}.`;
}
