/** Loaded into a host before it: bubblewrap is not to be found for as long as the file NO_BWRAP is there. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { accessSync } = fs;
fs.accessSync = (path, mode) => {
  if (String(path).endsWith('/bwrap') && fs.existsSync(process.env.NO_BWRAP)) throw new Error('It was taken away.');
  accessSync(path, mode);
};
syncBuiltinESMExports();
