/** Answers that are shown while they are written, and messages that are about another one. */
export const drafts = {
  name: '0005-drafts',
  sql: `
-- The message whose place in the chat this one takes, or that it reacts to.
ALTER TABLE deliveries ADD COLUMN about TEXT;
-- The host's message that shows what the agent is writing, until it is finished or closed.
ALTER TABLE sessions ADD COLUMN draft TEXT;
`,
};
