import type { Logger } from '../../src/log/index.ts';
import { FileProblem } from '../chat-sdk/bridge.ts';
import { createDownload, TooLarge } from '../http/downloads.ts';
import { type Api, isSlacks } from './api.ts';

/** Files of messages, from Slack's own servers alone. */

export interface DownloadParts {
  api: Api;
  apiUrl: string;
  folder: string;
  maxBytes: number;
  log: Logger;
  signal: AbortSignal;
}

export function createDownloads({ api, apiUrl, signal, ...parts }: DownloadParts) {
  const { maxBytes } = parts;
  const download = createDownload(parts);
  const tooLarge = () => new FileProblem(`at most ${Math.round(maxBytes / 1024 / 1024)} MB are fetched`);

  return async ({ url, size = 0 }: { url?: string; size?: number }): Promise<string> => {
    // A file of another workspace, or one that the plan hides, comes without an address.
    if (url === undefined || !URL.canParse(url)) throw new FileProblem('Slack does not hand it over');
    if (!isSlacks(new URL(url), apiUrl)) throw new FileProblem('it is kept somewhere else than at Slack');
    if (size > maxBytes) throw tooLarge();
    try {
      return await download((limited) => api.fetchFile(url, limited), signal);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof TooLarge ? tooLarge() : new FileProblem('Slack did not hand it over');
    }
  };
}
