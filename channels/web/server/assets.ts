import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The page itself: these files and no others, as they are. A request's path never becomes a path on the disk. */

const NAMES = [
  'index.html',
  'style.css',
  'icon.svg',
  'app.js',
  'api.js',
  'chat-list.js',
  'composer.js',
  'dom.js',
  'log.js',
  'markdown.js',
  'news.js',
  'outbox.js',
  'render.js',
  'stream.js',
  'words.js',
];

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

export interface Asset {
  type: string;
  content: Buffer;
}

export function readAssets(): ReadonlyMap<string, Asset> {
  const assets = new Map(NAMES.map((name) => [`/page/${name}`, read(name)] as const));
  const page = read('index.html');
  return new Map([...assets, ['/', page], ['/login', page]]);
}

function read(name: string): Asset {
  const content = readFileSync(fileURLToPath(new URL(`../page/${name}`, import.meta.url)));
  return { type: TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream', content };
}
