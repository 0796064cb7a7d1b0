import type { Origin } from '@nanoclaw/protocol';
import type { Activities, Job } from '../../src/activity.ts';
import type { PlannedEnd } from '../../src/container-runner.ts';
import type { Deliveries } from '../../src/db/deliveries.ts';
import type { Messages } from '../../src/db/messages.ts';
import type { Session } from '../../src/db/sessions.ts';
import { pick } from '../../src/take-over/content.ts';
import type { TakeOver } from '../../src/take-over/index.ts';
import { plain } from './words.ts';

/** What agents do behind their turns: what `/status` says of it, and what is said when it comes to nothing. */

export interface BehindParts {
  activity: Pick<Activities, 'get'>;
  deliveries: Pick<Deliveries, 'find'>;
  messages: Pick<Messages, 'openById'>;
  takeOver: Pick<TakeOver, 'say'>;
  redact(text: string): string;
}

type Chat = Pick<Origin, 'channel_type' | 'platform_id'>;
type Lost = Pick<Job, 'what' | 'asked'>;

const SHOWN = 5;
const ENDED = 'was ended by a command in another chat';
const TURN_ENDED = '⚠️ What I was working on here was ended by a command in another chat. Ask me again.';
/** By why the host has ended the sandbox; otherwise it has ended by itself. */
const WHY: Readonly<Record<string, string>> = {
  background: 'was ended: it took longer than two hours',
  'place-needed': 'was ended: others needed its place',
  ncl: 'was ended by an admin',
  budget: 'was ended: my budget is used up',
};

export function createBehind({ activity, deliveries, messages, takeOver, redact }: BehindParts) {
  function named(jobs: readonly Lost[]): string {
    const names = jobs.map(({ what }) => plain(what, redact)).filter((name) => name !== '');
    return names.length === 0 ? '' : ` (${names.slice(0, SHOWN).join('; ')})`;
  }

  /** Where it was asked for is the host's to know. */
  function placeOf(session: Pick<Session, 'id'>, { asked }: Lost): Origin | undefined {
    const found = asked === null ? undefined : deliveries.find(session.id, asked);
    return found?.direction === 'in' ? pick(found) : undefined;
  }

  const jobsOf = (session: Pick<Session, 'id'>) =>
    [...(activity.get(session.id)?.jobs.values() ?? [])].map((job) => ({ job, place: placeOf(session, job) }));

  /** Once in each place, however much it was. */
  function say(session: Session, jobs: readonly Lost[], why: string, now: number): string[] {
    const places = Map.groupBy(jobs, (job) => JSON.stringify(placeOf(session, job)));
    return [...places.values()].flatMap((here) => {
      const [first] = here;
      const place = first && placeOf(session, first);
      const text = `⚠️ What I was doing in the background${named(here)} ${why}.`;
      return place?.platform_id ? [takeOver.say(place, session.id, text, first?.asked ?? null, now)] : [];
    });
  }

  return {
    /** For `/status`: undefined where nothing goes on. What others have asked for elsewhere is only counted. */
    inWords(sessionId: string, chat: Chat): string | undefined {
      const jobs = jobsOf({ id: sessionId });
      if (jobs.length === 0) return undefined;
      const here = jobs.flatMap(({ job, place }) => (isOf(place, chat) ? [job] : []));
      return `${jobs.length} in the background${named(here)}`;
    },
    /** Whether something that was asked for there goes on, or of which nobody knows where. */
    isBusyFor: (sessionId: string, chat: Chat): boolean =>
      jobsOf({ id: sessionId }).some(({ place }) => !place || isOf(place, chat)),
    /** Work ends with `/stop` and `/clear` wherever it was asked for, turns included. Inside a transaction; returns what to deliver. */
    endedElsewhere(session: Session, chat: Chat, now: number): string[] {
      const jobs = jobsOf(session).flatMap(({ job, place }) => (isOf(place, chat) ? [] : [job]));
      const held = [...(activity.get(session.id)?.held ?? [])].flatMap((id) => messages.openById(session.id, id) ?? []);
      const turns = held.filter((message) => message.trigger && message.platform_id !== null && !isOf(message, chat));
      const places = new Map(turns.map((message) => [JSON.stringify(pick(message)), message]));
      return [
        ...say(session, jobs, ENDED, now),
        ...[...places.values()].map((one) => takeOver.say(one, session.id, TURN_ENDED, one.id, now)),
      ];
    },
    /** Its sandbox has ended. Inside a transaction; returns what to deliver. */
    lost(session: Session, jobs: readonly Lost[], planned: PlannedEnd | undefined, now: number): string[] {
      // Whoever stopped it has been told so.
      if (planned?.reason === 'stop-command') return [];
      const why = WHY[planned?.reason ?? ''] ?? 'was lost: my sandbox has ended';
      return say(session, jobs, why, now);
    },
  };
}

function isOf(place: Origin | undefined, { channel_type, platform_id }: Chat): boolean {
  return place?.channel_type === channel_type && place.platform_id === platform_id;
}
