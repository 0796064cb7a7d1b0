const MESSAGE = /<(message|task|webhook|system_response)((?:\s+[\w-]+="[^"]*")*)>([\s\S]*?)<\/\1>/g;
const INNER = /<(quoted_message|note)[^>]*>[\s\S]*?<\/\1>|<attachment [^>]*\/>/g;

/** The texts in a prompt that want an answer. A rule-based reader needs no XML parser: everything inside is escaped. */
export function readTexts(prompt: string): string[] {
  return [...prompt.matchAll(MESSAGE)].flatMap(([, element, attributes = '', body = '']) => {
    // Of what the host says, only how a request was decided is an occasion to speak.
    const isHosts = element === 'system_response' && !attributes.includes(' subject="approval"');
    if (isHosts || attributes.includes(' context="true"')) return [];
    const text = plain(body.replaceAll(INNER, '')).trim();
    return [element === 'webhook' ? said(text) : text];
  });
}

/** A payload is JSON; one that is a text alone is meant as somebody's words. */
function said(payload: string): string {
  const value: unknown = JSON.parse(payload);
  return typeof value === 'string' ? value : payload;
}

function plain(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}
