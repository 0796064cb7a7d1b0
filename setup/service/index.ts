/** `ncl service`, and what the commands that start and stop a host ask of it. */
export { install } from './install.ts';
export { comesBack, keptRunningBy, refuseOutside, startSupervised, stopSupervised } from './run.ts';
export { serviceCheck, status } from './status.ts';
export { uninstall } from './uninstall.ts';
