/** The engine's images, as far as those of this install go. */
import { z } from 'zod';
import type { Engine } from '../docker/engine.ts';
import { refused } from '../docker/symptoms.ts';

export const CONTENT_LABEL = 'org.nanoclaw.content';
export const OWNER_LABEL = 'org.nanoclaw.image-of';
/** On every layer of a build; the other two are on what it has made in the end. */
export const LAYER_LABEL = 'org.nanoclaw.image-layer';
/** Longer than a build may take: no running one made it. */
const ABANDONED_MS = 4 * 60 * 60_000;

const inspected = z.object({
  Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }).nullish(),
});
const listed = z.array(
  z.object({
    Id: z.string(),
    Labels: z.record(z.string(), z.string()).nullish(),
    RepoTags: z.array(z.string()).nullish(),
    /** Seconds since the epoch. */
    Created: z.number().default(Number.POSITIVE_INFINITY),
  }),
);

export function createStore({ http, prefix, name }: Engine) {
  // Where Podman's own command puts what it builds, and looks first.
  const home = name === 'Podman' ? 'localhost/' : '';
  const at = (image: string, action = ''): string => `${prefix}/images/${encodeURIComponent(image)}${action}`;

  return {
    /** Its content; '' when it says none, null when there is no such image. */
    async content(image: string): Promise<string | null> {
      const reply = await http.call('GET', at(image, '/json'));
      if (reply.status === 404) return null;
      if (reply.status !== 200) throw refused(reply, image);
      return inspected.parse(reply.body).Config?.Labels?.[CONTENT_LABEL] ?? '';
    },

    async tag(image: string, as: string): Promise<void> {
      const [repository = '', tag = 'latest'] = as.split(/:(?=[^:/]*$)/);
      const query = `/tag?repo=${encodeURIComponent(home + repository)}&tag=${encodeURIComponent(tag)}`;
      const reply = await http.call('POST', at(image, query));
      if (reply.status !== 201) throw refused(reply, image);
    },

    /** A name alone as long as there is another. False: something still uses it, or it is gone. */
    async remove(image: string): Promise<boolean> {
      return (await http.call('DELETE', at(image))).status === 200;
    },

    /**
     * Those of this install that have no name any more, and what builds that were cut short have left, which is no install's.
     * Looked at here as well: not every engine knows the filters.
     */
    async nameless(slug: string, now: number): Promise<string[]> {
      const filters = encodeURIComponent(JSON.stringify({ dangling: ['true'] }));
      const reply = await http.call('GET', `${prefix}/images/json?filters=${filters}`);
      if (reply.status !== 200) throw refused(reply, 'images');
      return listed
        .parse(reply.body)
        .filter(({ RepoTags }) => (RepoTags ?? []).every(isNone))
        .filter(({ Labels, Created }) => {
          const owner = Labels?.[OWNER_LABEL];
          const isLayer = owner === undefined && Labels?.[LAYER_LABEL] !== undefined;
          return owner === slug || (isLayer && Created * 1000 < now - ABANDONED_MS);
        })
        .map(({ Id }) => Id);
    },
  };
}

const isNone = (name: string): boolean => name.startsWith('<none>');
