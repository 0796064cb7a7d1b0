import { addReactionTool, editMessageTool } from './about-message.ts';
import { askTool, sendCardTool } from './ask.ts';
import { searchHistoryTool } from './history.ts';
import type { Kit } from './send.ts';
import { sendFileTool } from './send-file.ts';
import { sendMessageTool } from './send-message.ts';
import { taskTools } from './tasks.ts';

/** A moment, for a channel that is there. */
const PATIENCE_MS = 3_000;

/** Our own tools, the same in every kind of session. */
export function createTools(parts: Omit<Kit, 'patienceMs'>, patienceMs = PATIENCE_MS) {
  const kit = { ...parts, patienceMs };
  return [
    sendMessageTool(kit),
    sendFileTool(kit),
    editMessageTool(kit),
    addReactionTool(kit),
    sendCardTool(kit),
    askTool(kit),
    searchHistoryTool(kit),
    ...taskTools(kit),
  ] as const;
}
