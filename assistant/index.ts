import type { ButtonPress } from '../src/channels/adapter.ts';
import type { Words } from '../src/router.ts';
import { type Afterwards, type AfterwardsParts, createAfterwards } from './afterwards/index.ts';
import { createDrafts, type Drafts, type DraftsParts } from './drafts/index.ts';
import { createQuestions, type Questions, type QuestionsParts } from './questions/index.ts';
import { createTasks, type Tasks, type TasksParts } from './tasks/index.ts';

/** What makes an assistant out of something that answers: it asks back, does things at their time, and hears of what becomes of what was said. */

export interface Assistant {
  questions: Questions;
  drafts: Drafts;
  afterwards: Afterwards;
  tasks: Tasks;
  words: readonly Words[];
  /** Who hears of a pressed button, by what its data begins with. */
  presses: Readonly<Record<string, (press: ButtonPress) => Promise<string>>>;
  /** Now and then, and when messages have ended. */
  look(): void;
  stop(): void;
}

type Parts = QuestionsParts & AfterwardsParts & DraftsParts & Omit<TasksParts, 'isGone'>;

export function createAssistant(parts: Parts): Assistant {
  const questions = createQuestions(parts);
  const afterwards = createAfterwards(parts);
  const tasks = createTasks({ ...parts, isGone: afterwards.isGone });
  return {
    questions,
    drafts: createDrafts(parts),
    afterwards,
    tasks,
    words: [questions.words],
    presses: { q: questions.press },
    look() {
      questions.look(Date.now());
      tasks.look(Date.now());
    },
    stop: tasks.stop,
  };
}
