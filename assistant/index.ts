import type { ChannelHost } from '../src/channels/adapter.ts';
import type { Words } from '../src/router.ts';
import { type Afterwards, type AfterwardsParts, createAfterwards } from './afterwards/index.ts';
import { type Alive, type AliveParts, createAlive } from './alive/index.ts';
import { createDrafts, type Drafts, type DraftsParts } from './drafts/index.ts';
import { createHistory, type History, type HistoryParts } from './history/index.ts';
import { createInstructions, type Instructions, type InstructionsParts } from './instructions/index.ts';
import { createModelCommand, type ModelCommand, type ModelCommandParts } from './model/command.ts';
import { createModels, type Models, type ModelsParts } from './model/index.ts';
import { createQuestions, type Questions, type QuestionsParts } from './questions/index.ts';
import { createTasks, type Tasks, type TasksParts } from './tasks/index.ts';
import { createUsage, type Usage, type UsageParts } from './usage/index.ts';

/** What makes an assistant out of something that answers: it asks back, does things at their time, and hears of what becomes of what was said. */

export interface Assistant {
  questions: Questions;
  drafts: Drafts;
  alive: Alive;
  afterwards: Afterwards;
  tasks: Tasks;
  usage: Usage;
  history: History;
  instructions: Instructions;
  models: Models;
  /** `/model`. */
  model: ModelCommand;
  words: readonly Words[];
  /** Who hears of a pressed button, by what its data begins with. */
  presses: Readonly<Record<string, ChannelHost['press']>>;
  /** Now and then, and when messages have ended. */
  look(): void;
  stop(): void;
}

type Parts = Omit<AliveParts, 'drafts' | 'rests'> &
  HistoryParts &
  QuestionsParts &
  AfterwardsParts &
  DraftsParts &
  Omit<TasksParts, 'isGone' | 'leavesOut'> &
  Omit<UsageParts, 'endRun'> &
  Omit<InstructionsParts, 'models'> &
  ModelsParts &
  Omit<ModelCommandParts, 'models'>;

export function createAssistant(parts: Parts): Assistant {
  const questions = createQuestions(parts);
  const afterwards = createAfterwards(parts);
  const drafts = createDrafts(parts);
  const models = createModels(parts);
  const history = createHistory(parts);
  const instructions = createInstructions({ ...parts, models });
  const usage = createUsage({ ...parts, endRun: (...run) => tasks.end(...run) });
  const tasks = createTasks({ ...parts, isGone: afterwards.isGone, leavesOut: usage.leavesOut });
  return {
    questions,
    drafts,
    alive: createAlive({ ...parts, drafts, rests: questions.isWaiting }),
    afterwards,
    tasks,
    usage,
    history,
    instructions,
    models,
    model: createModelCommand({ ...parts, models }),
    words: [questions.words],
    presses: { q: questions.press },
    look() {
      questions.look(Date.now());
      tasks.look(Date.now());
      usage.look(Date.now());
      instructions.look();
      history.look(Date.now());
    },
    stop() {
      tasks.stop();
      usage.stop();
      void history.stop();
    },
  };
}

/** By the names under which the core asks for them. It is made last: they are asked for while it all runs. */
export function partsOf(assistant: () => Assistant) {
  return {
    assistant,
    drafts: () => assistant().drafts,
    questions: () => assistant().questions,
    tasks: () => assistant().tasks,
    composing: () => assistant().instructions,
    spending: () => assistant().usage,
  };
}
