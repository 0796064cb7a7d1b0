/** What an agent is told and which skills it has; which model a conversation has for itself. */
export const models = {
  name: '0010-models',
  sql: `
-- Empty: none. Of the group's provider: that of the install.
ALTER TABLE container_configs ADD COLUMN instructions TEXT NOT NULL DEFAULT '';
-- automatic, all, none, or names with commas between them.
ALTER TABLE container_configs ADD COLUMN skills TEXT NOT NULL DEFAULT 'automatic';
-- Skills that were left out, each with the sentence that was told of it last: JSON.
ALTER TABLE container_configs ADD COLUMN skills_told TEXT NOT NULL DEFAULT '{}';
ALTER TABLE sessions ADD COLUMN provider TEXT;
ALTER TABLE sessions ADD COLUMN model TEXT;
ALTER TABLE sessions ADD COLUMN effort TEXT;
`,
};
