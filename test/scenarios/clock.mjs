/** Loaded into a host before it: its clock is ahead by what the file says that NANOCLAW_TEST_CLOCK names, in ms. */
import { readFileSync } from 'node:fs';

const file = process.env.NANOCLAW_TEST_CLOCK;
const real = Date.now;
Date.now = () => real() + Number(readFileSync(file, 'utf8'));
