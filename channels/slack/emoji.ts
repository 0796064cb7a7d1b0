import { defaultEmojiResolver } from 'chat';

/** Slack has names where others have characters. Pure. */

const MARKS = /\uFE0F/g;
const NAME = /^[\p{L}\p{N}_'+-]{1,100}$/u;

/** The character, where there is one; else the name between colons. */
export function emojiOf(name: string): string {
  const plain = name.replace(/::skin-tone-\d$/, '');
  const found = defaultEmojiResolver.toGChat(defaultEmojiResolver.fromSlack(plain));
  return found === '' || found === plain ? `:${plain}:` : found;
}

/** Undefined when Slack has no name for it. */
export function nameOf(emoji: string): string | undefined {
  const [, named] = /^:([^:]+):$/.exec(emoji) ?? [];
  if (named !== undefined) return NAME.test(named) ? named : undefined;
  if (NAME.test(emoji) && !/\p{Extended_Pictographic}/u.test(emoji)) return emoji;
  for (const one of [emoji, emoji.replaceAll(MARKS, ''), `${emoji}\uFE0F`]) {
    const name = defaultEmojiResolver.toSlack(defaultEmojiResolver.fromGChat(one));
    if (name !== one && NAME.test(name) && !/\p{Extended_Pictographic}/u.test(name)) return name;
  }
  return undefined;
}
