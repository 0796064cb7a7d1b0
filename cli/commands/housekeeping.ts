import { hostCommand } from '../definition.ts';
import { table } from '../table.ts';

export const housekeeping = hostCommand({
  name: 'housekeeping',
  summary: 'Remove what is older or more than the settings allow, as the host does daily, and say what went',
  flags: [{ name: 'dry-run', description: 'only say what would go' }],
  handle: async (view, args) => ({ ok: true, data: await view.housekeeping(args['dry-run'] === true) }),
  show({ dryRun, skipped, gone }, screen) {
    if (skipped)
      return "Nothing was removed: this machine's clock was set since the last round. Look at the date, then run it again.";
    const rows = gone.map(({ kind, count, bytes }) => [kind, String(count), `${(bytes / 1024 ** 2).toFixed(1)} MB`]);
    return table([dryRun ? 'WOULD GO' : 'WENT', 'COUNT', 'SIZE'], rows, screen);
  },
});
