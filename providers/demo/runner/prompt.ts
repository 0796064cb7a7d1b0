const MESSAGE = /<(message|task)((?:\s+[\w-]+="[^"]*")*)>([\s\S]*?)<\/\1>/g;
const INNER = /<(quoted_message|note)[^>]*>[\s\S]*?<\/\1>|<attachment [^>]*\/>/g;

/** The texts in a prompt that want an answer. A rule-based reader needs no XML parser: everything inside is escaped. */
export function readTexts(prompt: string): string[] {
  return [...prompt.matchAll(MESSAGE)].flatMap(([, , attributes = '', body = '']) =>
    attributes.includes(' context="true"') ? [] : [plain(body.replaceAll(INNER, '')).trim()],
  );
}

function plain(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}
