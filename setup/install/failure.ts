/** A step that can't go on, and knows why. */
export class StepFailure extends Error {
  /** What a person can do. */
  readonly remedy: string;

  constructor(why: string, remedy: string) {
    super(why);
    this.name = 'StepFailure';
    this.remedy = remedy;
  }
}
