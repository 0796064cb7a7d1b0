import type { Session } from './db/sessions.ts';
import type { SharedFolders } from './sandbox/mounts/index.ts';

/** What a start of a sandbox knows of what its agent is told. */
export interface ComposeInput extends SharedFolders {
  /** The one that is started. */
  provider: string;
  providerEnv: Readonly<Record<string, string>>;
  memoryBytes: number;
}

/** What an agent is told and what it runs with are to the core; `assistant/instructions/` sees to them. */
export interface Composing {
  /** The name of the provider that is in force for a session. */
  provider(session: Session): string;
  /** Writes what is mounted as /app/group, as everything is set now. */
  compose(folder: string, session: Session, input: ComposeInput): void;
}
