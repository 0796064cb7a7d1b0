import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Sent } from '../support/cast.ts';
import { until } from '../support/until.ts';
import { sayEarlier } from './earlier.ts';
import { contentOf } from './fixtures.ts';
import { createHearing, patternOf, type Where } from './hearing.ts';
import type { Lane, Names } from './lane.ts';
import { type Part, partOf } from './model.ts';
import { prepare } from './prepare.ts';
import type { Scenario, Step } from './scenario.ts';
import { createTasks } from './task-steps.ts';

/** Plays one scenario in a lane, and says at which line it went another way. */

/** For a machine with much else to do. */
const PATIENCE_MS = Number(process.env.SCENARIO_PATIENCE_MS ?? 60_000);

export async function play(scenario: Scenario, lane: Lane): Promise<void> {
  const { stage } = lane;
  const names = lane.begin();
  const hearing = createHearing(stage, names.chats);
  const tasks = createTasks(stage, lane.agentId, names.fill);
  const hand = mkdtempSync(join(tmpdir(), 'nanoclaw-hand-'));
  const parts = new Map<string | undefined, Part>();
  const never: (() => void)[] = [];
  const sent: Sent[] = [];
  let printed = { ok: true, text: '' };

  await prepare(scenario.steps, names);
  for (const agent of new Set([
    undefined,
    ...scenario.steps.flatMap((step) => (step.do === 'agent' ? step.name : [])),
  ])) {
    const { steps, endings } = partOf(scenario.steps, agent);
    parts.set(
      agent,
      stage.model.play(agent === undefined ? lane.agent : names.agent(agent), steps, endings, names.fill),
    );
  }

  const fits = (pattern: string) => {
    const wanted = patternOf(names.fill(pattern));
    return ({ text }: { text: string }) => wanted.test(text.trim());
  };
  const partFor = (agent: string | undefined): Part => {
    const part = parts.get(agent);
    if (!part) throw new Error(`There is no agent ${agent}.`);
    return part;
  };
  async function eventually<T>(find: () => T | undefined, otherwise: () => string): Promise<T> {
    let found: T | undefined;
    await until(() => {
      found ??= find();
      return found !== undefined;
    }, PATIENCE_MS).catch(() => undefined);
    if (found === undefined) throw new Error(otherwise());
    return found;
  }
  const otherThere = (where: Where) => () => `That never came; there was ${JSON.stringify(hearing.texts(where))}.`;
  const actor = (who: string) => stage.cast.user(names.user(who));

  async function say(step: Extract<Step, { do: 'say' }>): Promise<void> {
    const where = names.chat(step.place);
    const replyTo =
      step.answers === undefined
        ? undefined
        : await eventually(() => hearing.newest(where, fits(step.answers ?? '')), otherThere(where));
    const last = sent.at(-1);
    sent.push(
      await actor(step.who).says(names.fill(step.text), {
        ...where,
        ...(replyTo && { replyTo }),
        ...(step.files && { files: step.files.map((name) => join(hand, name)) }),
        ...(step.again && last && { id: last.id }),
      }),
    );
  }

  async function press(step: Extract<Step, { do: 'press' }>): Promise<void> {
    const where = names.chat(step.place);
    const shown = step.on === undefined ? where : names.chat({ name: step.on });
    const label = names.fill(step.button);
    const card = await eventually(
      () => hearing.newest(shown, (frame) => frame.type === 'card' && frame.buttons.some((one) => one.label === label)),
      otherThere(shown),
    );
    if (card.type !== 'card') throw new Error('That is no card.');
    const told = await actor(step.who).presses(card, label, where);
    if (!fits(step.pattern)({ text: told })) throw new Error(`The answer was “${told}”.`);
  }

  async function perform(step: Step): Promise<void> {
    switch (step.do) {
      case 'group':
      case 'alone':
      case 'agent':
      case 'strangers':
      case 'admin':
      case 'model':
        return;
      case 'to-send':
        return writeFileSync(join(hand, step.name), contentOf(names.fill(step.text)));
      case 'file':
        return writeTo(join(stage.home, 'groups', lane.folder, step.name), names.fill(step.text));
      case 'holds': {
        const path = join(stage.home, 'groups', lane.folder, step.name);
        if (!fits(step.pattern)({ text: readFileSync(path, 'utf8') }))
          throw new Error(`It holds ${readFileSync(path, 'utf8')}`);
        return;
      }
      case 'say':
        return say(step);
      case 'press':
        return press(step);
      case 'go-on':
        return partFor(undefined).goOn();
      case 'recover':
        return partFor(step.agent).recover();
      case 'read': {
        const part = partFor(step.agent);
        const text = names.fill(step.text);
        const isRead = () => part.read.some((read) => read.includes(text)) || undefined;
        if (step.never) {
          // From here on.
          const before = part.read.length;
          return void never.push(() => {
            const found = part.read.slice(before).find((read) => read.includes(text));
            if (found !== undefined) refuse(step.line, `It was read: ${JSON.stringify(found)}`);
          });
        }
        await eventually(isRead, () => `That was never read; there was ${JSON.stringify(part.read)}.`);
        return;
      }
      case 'asked': {
        const count = partFor(undefined).read.length;
        if (count !== step.times) throw new Error(`It was asked ${count} times.`);
        return;
      }
      case 'hear': {
        const where = names.chat(step.place);
        await eventually(() => hearing.take(where, fits(step.pattern)), otherThere(where));
        return;
      }
      case 'hear-file': {
        const where = names.chat(step.place);
        const has = (frame: { files: readonly { name: string; path: string }[] }) =>
          frame.files.some(
            ({ name, path }) => name === step.name && fits(step.pattern)({ text: readFileSync(path, 'utf8') }),
          );
        await eventually(() => hearing.take(where, has), otherThere(where));
        return;
      }
      case 'card': {
        const where = names.chat(step.place);
        const labels = step.buttons.map(names.fill).join('|');
        await eventually(
          () =>
            hearing.take(
              where,
              (frame) =>
                frame.type === 'card' &&
                frame.buttons.map(({ label }) => label).join('|') === labels &&
                fits(step.pattern)(frame),
            ),
          otherThere(where),
        );
        return;
      }
      case 'edited': {
        const where = names.chat(step.place);
        await eventually(() => hearing.takeEdit(where, (text) => fits(step.pattern)({ text })), otherThere(where));
        return;
      }
      case 'never': {
        const places = () => (step.place ? [names.chat(step.place)] : names.chats());
        const text = names.fill(step.text);
        never.push(() => {
          const found = places()
            .flatMap(hearing.texts)
            .find((said) => said.includes(text));
          if (found !== undefined) refuse(step.line, `It was said: ${JSON.stringify(found)}`);
        });
        return;
      }
      case 'status': {
        const last = sent.at(-1);
        const why = last?.sentence ?? '';
        if (last?.status === step.status && fits(step.pattern)({ text: why })) return;
        throw new Error(`It was ${last?.status} (${why}).`);
      }
      case 'ends': {
        const outcome = await sent.at(-1)?.settled();
        if (outcome !== step.outcome) throw new Error(`It ended with ${outcome}.`);
        return;
      }
      case 'run':
        printed = await stage.ncl(step.words.map(names.fill));
        return;
      case 'printed':
        if (printed.ok === !step.failed && fits(step.pattern)(printed)) return;
        throw new Error(`It was: ${JSON.stringify(printed)}`);
      case 'fire':
        return tasks.fire(step.task, step.times);
      case 'ran':
        return tasks.hasRun(step.task, step.statuses);
      case 'clock':
        return stage.setClock(step.to);
      case 'pass':
        return stage.setClock(stage.now() + step.ms);
      case 'earlier': {
        const { channel, in: chat } = names.chat({ name: step.who });
        const { count, text } = step;
        return sayEarlier(stage.home, { channel, chat, sender: names.user(step.who), text: names.fill(text), count });
      }
    }
  }

  /** What has not been said yet in the chats of this time. */
  function waiting(here: Names): number {
    const of =
      "SELECT 1 FROM deliveries d JOIN messages m ON m.id = d.message_id WHERE d.status IN ('queued', 'sending')";
    return here
      .chats()
      .flatMap((chat) => stage.query(`${of} AND m.channel_type = ? AND m.platform_id = ?`, chat.channel, chat.in))
      .length;
  }

  function refuse(line: number, why: string): never {
    throw new Error(`${scenario.file}:${line}: ${why}`);
  }

  try {
    for (const step of scenario.steps) {
      await perform(step).catch((error: unknown) => {
        refuse(step.line, error instanceof Error ? error.message : String(error));
      });
    }
    for (const one of sent) if (one.status === 'accepted') await one.settled();
    await tasks.settled();
    await until(() => waiting(names) === 0, PATIENCE_MS);
    for (const check of never) check();
    const problems = [
      ...hearing.unexpected(),
      ...[...parts].flatMap(([agent = 'Andy', { left, surprises }]) => [
        ...(left() > 0 ? [`the model of ${agent} was not asked for its last ${left()} steps`] : []),
        ...surprises.map((read) => `the model of ${agent} was asked once more: ${read}`),
      ]),
    ];
    if (problems.length > 0) refuse(scenario.steps.at(-1)?.line ?? 1, `At the end: ${problems.join('; ')}`);
  } finally {
    for (const part of parts.values()) part.end();
    await tasks.cancel();
    await names.end();
    rmSync(hand, { recursive: true, force: true });
  }
}

function writeTo(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
