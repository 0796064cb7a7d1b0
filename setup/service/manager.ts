export interface Look {
  /** It keeps the host running: also while it waits to start it again. */
  running: boolean;
  /** The host's process, or what is about to become it. */
  pid?: number;
}

/** Whether something holds, and what a person can do where it doesn't. */
export interface Survival {
  holds: boolean;
  how: string;
}

/** One way to keep a host running. Every method may be called again; they throw NC_SERVICE with what the system says. */
export interface Manager {
  /** For a person. */
  label: string;
  /** What it is made known by; absolute. */
  file: string;
  /** Of that file. */
  mode: number;
  /** The whole text of that file, sealed. */
  text: string;
  /** After the file was written: makes it known and lets it start with the machine. Returns what a person should know. */
  enable(): Promise<string[]>;
  /** Before the file goes, when nothing of it runs. The same. */
  disable(): Promise<string[]>;
  /** After the file is gone. */
  forget(): Promise<void>;
  start(): Promise<void>;
  /** Resolves when neither the host nor what kept it is there any more. */
  stop(): Promise<void>;
  look(): Promise<Look>;
  survives(): Promise<{ logout: Survival; reboot: Survival }>;
}
