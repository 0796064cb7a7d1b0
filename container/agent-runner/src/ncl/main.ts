import { errorText } from '../log.ts';
import { runnerPaths } from '../paths.ts';
import { type Answer, askHost, failed } from './ask.ts';

/** `ncl` in a sandbox: the host runs the command, this only carries it there and prints what comes back. */
async function print({ exit, out, err }: Answer): Promise<void> {
  process.exitCode = exit;
  // Whoever reads may have gone away (`| head`): then the rest is for nobody.
  if (out !== '') await Bun.write(Bun.stdout, `${out}\n`).catch(() => 0);
  if (err !== '') await Bun.write(Bun.stderr, `${err}\n`).catch(() => 0);
}

await askHost(runnerPaths(), process.argv.slice(2), print).catch((error: unknown) =>
  print(failed(`The host can't be asked: ${errorText(error)}.`)),
);
