/** Runs container/build.sh beside the host, and ends with it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

export interface Script {
  /** The checkout. */
  code: string;
  /** Settings of the install. */
  env: Readonly<Record<string, string | undefined>>;
}

/** What a build may know of the host's environment: its way to the network and to the engine's command. */
const PASSED =
  /^(PATH|HOME|TMPDIR|XDG_RUNTIME_DIR|DOCKER_CONFIG|LANG|(https?|no)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|npm_config_.*|INSTALL_(CHROMIUM|CJK_FONTS|CLAUDE_CLI)|NANOCLAW_(CA_BUNDLE|BASE_IMAGE))$/i;

export interface Ran {
  code: number | null;
  /** The newest lines of what it said. */
  lines: readonly string[];
  output: string;
}

const KEPT_LINES = 40;
/** More than the slowest network needs: what has not ended by then waits for something that does not come. */
const LONGEST_MS = 3 * 60 * 60_000;

/** Never rejects: what can't be started ends with null, and so does what takes longer than `longestMs`. */
export async function runScript(
  { code, env }: Script,
  args: readonly string[],
  onLine: (line: string) => void = () => undefined,
  longestMs = LONGEST_MS,
): Promise<Ran> {
  // The settings come by the environment: the host has read them from the install's own file.
  const command = [path.join(code, 'container/build.sh'), '--settings', '/dev/null', '--bound', ...args];
  const known = Object.entries({ ...process.env, ...env }).filter(([name]) => PASSED.test(name));
  const child = spawn('nice', ['-n', '19', 'bash', ...command], {
    env: Object.fromEntries(known),
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own, which ends as a whole when this process is gone and the pipe with it.
    detached: true,
  });
  const lines: string[] = [];
  let output = '';
  child.stdin.on('error', () => undefined); // it has ended
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
    onLine(line);
  });
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    child.stdin.destroy();
  }, longestMs);
  try {
    const [status]: unknown[] = await once(child, 'close');
    if (isLate) return { code: null, lines: ['The build hung, and was ended (ETIMEDOUT).'], output };
    return { code: typeof status === 'number' ? status : null, lines, output };
  } catch (error) {
    return { code: null, lines: [error instanceof Error ? error.message : String(error)], output };
  } finally {
    clearTimeout(late);
  }
}
