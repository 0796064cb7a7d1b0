import type { Compacted } from './compaction.ts';
import { TurnText } from './turn-text.ts';

/** What is known of the turn that runs; forgotten when it ends. */
export class Turn {
  readonly text: TurnText;
  /** Some push has been started, and no result has come since. */
  running = false;
  /** We asked for its end. */
  interrupted = false;
  /** The SDK's word for what went wrong. */
  error: string | undefined;
  /** What a command of the harness printed. */
  commandOutput = '';
  compacted: Compacted | undefined;
  /** When the harness began to ask the API again, on the monotonic clock. */
  retryingSince: number | undefined;
  /** When the API will take requests again, in milliseconds of the Unix clock. */
  limitedUntil: number | undefined;
  /** The model has been heard since the path to it was last in doubt. */
  heardModel = false;

  constructor(progress: (text: string) => void, partial: (text: string) => void) {
    this.text = new TurnText(progress, partial);
  }

  over(): void {
    this.text.take();
    this.running = false;
    this.interrupted = false;
    this.error = undefined;
    this.commandOutput = '';
    this.compacted = undefined;
    this.retryingSince = undefined;
    this.limitedUntil = undefined;
    this.heardModel = false;
  }
}
