/** Waits until the condition holds; fails after `ms` with its source, so that the test says what never happened. */
export async function until(condition: () => unknown, ms = 60_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`This never became true: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
