import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findSource, type SourceLines } from './source-lines.ts';

/** For `Error.prepareStackTrace`: places in the bundle, said as those in the sources. */
export function createStackFormatter(root: string, build: string): (error: Error, frames: NodeJS.CallSite[]) => string {
  const base = `${pathToFileURL(build).href}/`;
  // Read when an error is written down; kept until memory is wanted.
  const tables = new Map<string, WeakRef<SourceLines>>();

  function tableOf(url: string): SourceLines | undefined {
    const kept = tables.get(url)?.deref();
    if (kept) return kept;
    try {
      const read: SourceLines = JSON.parse(readFileSync(fileURLToPath(`${url}.lines.json`), 'utf8'));
      tables.set(url, new WeakRef(read));
      return read;
    } catch {
      return undefined;
    }
  }

  function say(frame: NodeJS.CallSite): string {
    const text = String(frame);
    const from = text.indexOf(base);
    const [place, url = '', line, column] = /^(.*\.js):(\d+):(\d+)/.exec(from < 0 ? '' : text.slice(from)) ?? [];
    const table = place === undefined ? undefined : tableOf(url);
    const found = table && findSource(table, Number(line), Number(column));
    if (!found || place === undefined) return text;
    const source = pathToFileURL(join(root, found.path)).href;
    return `${text.slice(0, from)}${source}:${found.line}${text.slice(from + place.length)}`;
  }

  return (error, frames) => [headOf(error), ...frames.map((frame) => `    at ${say(frame)}`)].join('\n');
}

/** Node puts the code of its own errors behind their name. */
function headOf(error: Error): string {
  try {
    const head = Error.prototype.toString.call(error);
    const code = 'code' in error && typeof error.code === 'string' && error.code.startsWith('ERR_') ? error.code : '';
    return code === '' || head.includes(code) ? head : head.replace(error.name, () => `${error.name} [${code}]`);
  } catch {
    return 'Error';
  }
}
