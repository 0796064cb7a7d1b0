/** What has to be said of a text that has grown, and up to where all of it was said then. */
export function added(before: string, said: number, now: string, isWhole: boolean): { text: string; said: number };
