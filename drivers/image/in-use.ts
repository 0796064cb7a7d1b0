/** What is known of the image that an engine has for sandboxes: what the engine says counts before what was noted. Pure. */
import { describeImage, type ImageStatus } from './status.ts';

export interface Seen {
  name: 'docker' | 'podman';
  image: string;
  /** Of the image that is there, '' when it says none; null: there is none. */
  content: string | null;
  /** Named by NANOCLAW_IMAGE, and so the owner's to make. */
  imageIsTheirs: boolean;
}

export interface ImageText {
  /** Unless somebody has to do something. */
  ok: boolean;
  detail: string;
  remedy?: string;
}

export function describeImageInUse(seen: Seen, noted: ImageStatus | undefined): ImageText {
  const { name, image, content, imageIsTheirs } = seen;
  const serves = content !== null;
  if (imageIsTheirs) {
    if (serves)
      return { ok: true, detail: `${image} is there, in ${name}. NANOCLAW_IMAGE names it: it is yours to make.` };
    const detail = `${image}, which NANOCLAW_IMAGE names, is not there, in ${name}.`;
    return { ok: false, detail, remedy: 'Pull or build it, or take NANOCLAW_IMAGE away.' };
  }
  if (noted && isOf(noted, seen)) {
    const isCurrent = noted.state === 'ready' && noted.content === content;
    if (isCurrent || noted.state !== 'ready') return describeImage({ ...noted, serves });
  }
  const other =
    noted && noted.state === 'building' && !isOf(noted, seen)
      ? ` Meanwhile, for ${noted.engine ?? 'another name'}: ${describeImage(noted).detail}`
      : '';
  if (serves) return { ok: true, detail: `${image} is there, in ${name}.${other}` };
  return {
    ok: false,
    detail: `${image} is not there, in ${name}.${other}`,
    remedy: `\`ncl runtime use ${name}\` makes it; else the next start of a sandbox does.`,
  };
}

/** One that was noted before engines were may be of either. */
function isOf({ image, engine }: ImageStatus, seen: Seen): boolean {
  return image === seen.image && (engine === undefined || engine === seen.name);
}
