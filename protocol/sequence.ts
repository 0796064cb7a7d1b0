/** The next even number after the host's highest for this session (0 where there is none). */
export function nextHostSeq(highest: number): number {
  return highest + (highest % 2 === 0 ? 2 : 1);
}

/** The next odd number above both sides' highest. */
export function nextRunnerSeq(highestIn: number, highestOut: number): number {
  const highest = Math.max(highestIn, highestOut);
  return highest + (highest % 2 === 0 ? 1 : 2);
}
