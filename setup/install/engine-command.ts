import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What would be run to install an engine, as a person would type it; none where no package manager is known. */
export async function commandsForEngine(root: string): Promise<string[]> {
  try {
    const { stdout } = await promisify(execFile)('bash', ['setup/install-engine.sh', '--show'], { cwd: root });
    return stdout.split('\n').filter((line) => line !== '');
  } catch {
    // It ends with 1 where it knows no way: then there is nothing to offer.
    return [];
  }
}
