import { closeSync, fchmodSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildInbound, faultPoint, type InboundImage } from '@nanoclaw/protocol';

export type { InboundImage };

/**
 * Publishes a whole new `inbound.db` in a folder that exists, by a temporary file and a rename: a reader sees the old
 * one or the new one, and no lock of a reader can hold the host up. Not synced to the disk, since it is built again
 * from the central database at boot. Takes well under a millisecond; throws what the file system says (ENOSPC).
 */
export function publishInbound(inboundFolder: string, image: InboundImage): void {
  const temporary = join(inboundFolder, '.inbound.db.tmp');
  const fd = openSync(temporary, 'w');
  try {
    writeFileSync(fd, buildInbound(image));
    // The reader is an unprivileged user; the umask may be a narrow one.
    fchmodSync(fd, 0o644);
  } finally {
    closeSync(fd);
  }
  faultPoint('publish.written');
  renameSync(temporary, join(inboundFolder, 'inbound.db'));
  faultPoint('publish.renamed');
}
