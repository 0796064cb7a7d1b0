import type { ChannelHost } from './adapter.ts';

type Press = ChannelHost['press'];

/** Who hears of a pressed button: data is `<whose>:…`, and whoever made it reads the rest. */
export function createPresses(whose: () => Readonly<Record<string, Press>>): Press {
  return async (press, refused) => {
    const all = whose();
    const [name = ''] = press.data.split(':', 1);
    return Object.hasOwn(all, name) && all[name] ? all[name](press, refused) : 'This button has no use any more.';
  };
}
