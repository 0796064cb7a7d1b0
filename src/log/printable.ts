/**
 * Text from outside, safe to write to a terminal: no escape sequences, which could move the cursor, fill the clipboard
 * or rename the window. Newlines and tabs stay.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  return text.replace(/\r\n/g, '\n').replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, '\uFFFD');
}
