import type { Check } from '../../admin/view.ts';
import type { Settings } from '../runtime/choice.ts';
import { imageText } from '../runtime/in-use.ts';
import type { RuntimeLook } from '../runtime/look.ts';

/** What became of the image, where an engine that answers starts sandboxes; whether one starts is a check of its own. */
export function imageChecks(home: string, { engine }: Pick<RuntimeLook, 'engine'>): Check[] {
  return engine ? [{ name: 'image', blocking: false, ...imageText(home, engine) }] : [];
}

const SWITCHES = ['INSTALL_CHROMIUM', 'INSTALL_CJK_FONTS', 'INSTALL_CLAUDE_CLI'];
/** As `is_set` of container/context.sh has it. */
const WORDS = /^(true|1|yes|on|false|0|no|off)$/;

/** Settings with which no image is made. */
export function switchChecks(settings: Settings): Check[] {
  return SWITCHES.flatMap((name) => {
    const value = settings[name];
    if (!value || WORDS.test(value)) return [];
    const detail = `${name} is ${JSON.stringify(value)}: no image is made with it.`;
    const remedy = 'Set it to true or false (1 or 0, yes or no, on or off).';
    return [{ name: 'image', ok: false, blocking: false, detail, remedy }];
  });
}
